package main

import (
	"fmt"
	"net/http"
	"strings"

	"airpy.internal/airpy/api"
)

// place names a data set of a data source.
type place struct {
	URI string `json:"uri"`
}

// learn has a data set's schema inferred and keeps it as notes in Markdown, for whoever writes queries, be it a model.
func (b *backend) learn(r *http.Request) (int, any, error) {
	ctx, datasource := r.Context(), r.PathValue("id")
	asked, err := body[place](r)
	if err != nil {
		return 0, nil, err
	}
	job, err := b.client.InferSchema(ctx, api.InferSchemaRequest{DatasourceID: datasource, URI: asked.URI})
	if err != nil {
		return 0, nil, err
	}
	schema, err := job.Wait(ctx, nil)
	if err != nil {
		return 0, nil, err
	}
	markdown := notesOn(asked.URI, schema)
	if err := b.store.keepNotes(ctx, datasource, asked.URI, markdown, schema.Stats.Rows); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{"markdown": markdown, "rows": schema.Stats.Rows}, nil
}

// notes gives what has been learnt of a data source.
func (b *backend) notes(r *http.Request) (int, any, error) {
	notes, err := b.store.notes(r.Context(), r.PathValue("id"))
	return http.StatusOK, map[string]any{"notes": notes}, err
}

// notesOn writes a schema as Markdown.
func notesOn(uri string, schema *api.InferSchemaResult) string {
	var text strings.Builder
	about := "about "
	if schema.Stats.RowsExact {
		about = ""
	}
	fmt.Fprintf(&text, "## %s\n\n%s%d rows in %d files.\n\n", uri, about, schema.Stats.Rows, schema.Stats.Files)
	text.WriteString("| column | type | nulls | distinct | example |\n|---|---|---|---|---|\n")
	for _, field := range schema.Schema.Fields {
		distinct, example := "", ""
		if count, counted := schema.Stats.UniqueCounts[field.Name]; counted {
			distinct = fmt.Sprint(count)
		}
		if len(schema.SamplePreview) > 0 {
			example = fmt.Sprint(schema.SamplePreview[0][field.Name])
		}
		fmt.Fprintf(&text, "| %s | %s | %.1f %% | %s | %s |\n", cell(field.Name), typeOf(field),
			100*schema.Stats.NullRatio[field.Name], distinct, cell(example))
	}
	return text.String()
}

// cell keeps a value from ending its cell.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ").Replace(text)
}

func typeOf(field api.Field) string {
	if field.Timezone != "" {
		return fmt.Sprintf("%s (%s)", field.Type, field.Timezone)
	}
	return string(field.Type)
}
