package airpy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.opentelemetry.io/otel/trace"

	"airpy.internal/airpy"
	"airpy.internal/airpy/api"
	"airpy.internal/airpy/internal/livetest"
)

// allHours is what 25 sites measured in the sample data's 92 days.
const allHours = 25 * 92 * 24

var everything = api.QueryRequest{
	DatasourceID: datasource,
	Plan:         api.Plan{Dataset: "energy_parquet"},
	Output:       api.OutputFormatArrow,
}

func TestHealthAndLimits(t *testing.T) {
	ctx, client := shared(t)
	health := must(client.Health(ctx))(t)
	if health.Status != api.HealthStatusOk || health.WorkersActive == 0 || health.Versions.Polars == "" {
		t.Errorf("health is %+v", health)
	}
	limits := must(client.Limits(ctx))(t)
	if !limits.Accepting || limits.Caps.MaxQueuedJobs == 0 || len(limits.Jobs) != 4 {
		t.Errorf("limits are %+v", limits)
	}
}

func TestPreviewGivesTheFirstRows(t *testing.T) {
	ctx, client := shared(t)
	preview := must(client.Preview(ctx, api.PreviewRequest{DatasourceID: datasource, Path: "sites.csv", Limit: 3}))(t)
	if len(preview.Rows) != 3 || preview.Rows[0]["site_id"] != "site_001" || preview.Stats.TotalRows != 25 {
		t.Errorf("the preview is %+v", preview)
	}
}

func TestDiscoverTellsEveryStep(t *testing.T) {
	ctx, client := shared(t)
	job := must(client.Discover(ctx, api.DiscoverRequest{DatasourceID: datasource, URI: "energy"}))(t)
	var steps []api.StepName
	result := must(job.Wait(ctx, func(p airpy.Progress) {
		if p.Token != job.Token {
			t.Errorf("progress of job %d, not of %d", p.Token, job.Token)
		}
		if p.Steps > len(steps) {
			steps = append(steps, p.Step.Step)
		}
	}))(t)
	wanted := []api.StepName{"scanning_directory", "files_found", "discovery_complete"}
	if !slices.Equal(steps, wanted) {
		t.Errorf("the steps were %v", steps)
	}
	if result.TotalFiles != 3 || *result.Files[0].EstimatedRows != 25*31*24 {
		t.Errorf("found %+v", result)
	}
}

func TestZeroIsNotWhatIsLeftOut(t *testing.T) {
	ctx, client := shared(t)
	recurse := false
	job := must(client.Discover(ctx, api.DiscoverRequest{DatasourceID: datasource, URI: "energy", Recurse: &recurse}))(t)
	if found := must(job.Wait(ctx, nil))(t); found.TotalFiles != 0 {
		t.Errorf("found %d files in sub-directories", found.TotalFiles)
	}
}

func TestInferSchema(t *testing.T) {
	ctx, client := shared(t)
	job := must(client.InferSchema(ctx, api.InferSchemaRequest{DatasourceID: datasource, URI: "energy"}))(t)
	schema := must(job.Wait(ctx, nil))(t)
	at := slices.IndexFunc(schema.Schema.Fields, func(f api.Field) bool { return f.Name == "kwh" })
	if at < 0 || schema.Schema.Fields[at].Type != api.DataTypeFloat64 || schema.Stats.Rows != allHours {
		t.Errorf("inferred %+v", schema)
	}
}

func TestQueryWithEveryStageOfAPlan(t *testing.T) {
	ctx, client := shared(t)
	clean := must(api.Clean(api.DropNulls{Cols: api.Columns{"kwh"}}, api.Dedupe{Keep: api.DedupeKeepFirst}))(t)
	plan := api.Plan{
		Dataset: "energy_parquet",
		Clean:   clean,
		Joins:   []api.Join{{Dataset: "sites", On: []api.ColumnName{"site_id"}}},
		Filters: []api.Filter{
			{Col: "timestamp", Op: api.FilterOperatorBetween, Val: []string{"2025-09-01T00:00:00Z", "2025-09-01T23:00:00Z"}},
			{Col: "region", Op: api.FilterOperatorIn, Val: []string{"north"}},
			{Col: "kwh", Op: api.FilterOperatorGe, Val: 0.0},
			{Col: "cost", Op: api.FilterOperatorNotNull},
		},
		Groupby: []api.ColumnName{"site_id", "day"},
		Grain:   "1 day",
		Aggs: []api.Aggregation{
			{Fn: api.AggregateFunctionCount, As: "hours"},
			{Col: "kwh", Fn: api.AggregateFunctionSum},
		},
		Order: []api.Order{{Col: "site_id", Dir: api.SortDirectionDesc}},
		Limit: 5,
	}
	// A plan can be kept as JSON and read again.
	var kept api.Plan
	if err := json.Unmarshal(must(json.Marshal(plan))(t), &kept); err != nil {
		t.Fatal(err)
	}
	job := must(client.Query(ctx, api.QueryRequest{DatasourceID: datasource, Plan: kept}))(t)
	result := must(job.Wait(ctx, nil))(t)
	if len(result.Rows) != 5 || result.Rows[0]["hours"] != json.Number("24") || result.Rows[0]["site_id"] != "site_025" {
		t.Errorf("the first row is %v of %d", result.Rows[0], len(result.Rows))
	}
}

func TestQueryThatDerivesFiltersByATreeAndLooksAtNeighbours(t *testing.T) {
	ctx, client := shared(t)
	derive := must(api.Derive(
		api.Arithmetic{As: "price", Fn: api.ArithmeticFnDiv, Args: api.Operands{{Col: "cost"}, {Col: "kwh"}}},
		api.DatePart{As: "hour_of_day", Fn: api.DatePartFnHour, Col: "timestamp"},
		api.Case{As: "part", Cases: []api.WhenThen{{
			When: api.Filter{Col: "hour_of_day", Op: api.FilterOperatorLt, Val: 12},
			Then: api.Operand{Val: "morning"},
		}}, Else: &api.Operand{Val: "evening"}},
	))(t)
	plan := api.Plan{
		Dataset: "energy_parquet",
		Derive:  derive,
		Filters: []api.Filter{{Any: []api.Filter{
			{Col: "site_id", Op: api.FilterOperatorEq, Val: "site_001"},
			{Not: &api.Filter{Col: "site_id", Op: api.FilterOperatorNe, Val: "site_002"}},
		}}},
		Groupby: []api.ColumnName{"site_id", "part"},
		Aggs: []api.Aggregation{
			{Fn: api.AggregateFunctionCount, As: "hours", Filter: &api.Filter{Col: "kwh", Op: api.FilterOperatorNotNull}},
			{Col: "price", Fn: api.AggregateFunctionMean},
		},
		Having: api.Filters{{Col: "hours", Op: api.FilterOperatorGt, Val: 0}},
		Window: []api.Window{{
			As: "place", Fn: api.WindowFunctionRowNumber, PartitionBy: api.Columns{"site_id"},
			OrderBy: []api.Order{{Col: "part"}},
		}},
	}
	job := must(client.Query(ctx, api.QueryRequest{DatasourceID: datasource, Plan: plan}))(t)
	result := must(job.Wait(ctx, nil))(t)
	if len(result.Rows) != 4 || result.Rows[3]["part"] != "morning" || result.Rows[3]["place"] != json.Number("2") {
		t.Errorf("the rows are %v", result.Rows)
	}
}

func TestAnIntegerOf64BitsIsNotRounded(t *testing.T) {
	row := []byte(`{"token":1,"job_type":"query","status":"completed","data":{"rows":[{"n":9007199254740993}],"schema":{"fields":[]},"metrics":{"rows":1,"bytes":1,"execution_time_ms":1},"truncated":false,"download":""}}`)
	var job api.Job
	if err := json.Unmarshal(row, &job); err != nil {
		t.Fatal(err)
	}
	result := must(airpy.Result[api.QueryResult](&job))(t)
	if n := must(result.Rows[0]["n"].(json.Number).Int64())(t); n != 9007199254740993 {
		t.Errorf("it became %d", n)
	}
	if _, err := airpy.Result[api.AnalyzeResult](&job); err == nil {
		t.Error("a query's data was taken for an analysis")
	}
}

func TestAnalyzeAFrameThatIsSent(t *testing.T) {
	ctx, client := shared(t)
	rules := must(api.Rules(
		api.NotNullRule{Col: "kwh", Severity: api.SeverityWarning},
		api.InRangeRule{Col: "kwh", Max: 100.0, Name: "sane"},
		api.RowCountRule{Min: new(int64)},
	))(t)
	frame := stream(t, []float64{1, 2, 300}, []bool{true, false, true})
	job := must(client.Analyze(ctx, api.AnalyzeRequest{
		FrameRef: &api.FrameRef{Type: api.FrameFormatArrow, Data: frame},
		JobKind:  api.AnalysisKindValidate,
		Options:  &api.AnalyzeOptions{Rules: rules},
	}))(t)
	result := must(job.Wait(ctx, nil))(t)
	if result.Validation == nil || result.Validation.Verdict != api.VerdictFail || result.Metrics.Rows != 3 {
		t.Errorf("the answer is %+v", result)
	}
	failed := slices.IndexFunc(result.Validation.Rules, func(r api.RuleResult) bool { return r.Name == "sane" })
	if failed < 0 || result.Validation.Rules[failed].RowsFailed != 1 {
		t.Errorf("the rules are %+v", result.Validation.Rules)
	}
}

func TestCorrelationsAreReadByTheirColumns(t *testing.T) {
	ctx, client := shared(t)
	job := must(client.Analyze(ctx, api.AnalyzeRequest{
		DatasourceID: datasource,
		Plan:         &api.Plan{Dataset: "energy_parquet", Select: []api.ColumnName{"kwh", "cost"}},
		JobKind:      api.AnalysisKindProfile,
	}))(t)
	result := must(job.Wait(ctx, nil))(t)
	if len(result.Metrics.Correlations) != 1 {
		t.Fatalf("correlations are %+v", result.Metrics.Correlations)
	}
	pair := result.Metrics.Correlations[0]
	if !slices.Contains([]string{"kwh cost", "cost kwh"}, pair.Left+" "+pair.Right) || pair.R <= 0.5 || pair.R > 1 {
		t.Errorf("the pair is %+v", pair)
	}
	var again []any
	if err := json.Unmarshal(must(json.Marshal(pair))(t), &again); err != nil || len(again) != 3 {
		t.Errorf("written again it is %v: %v", again, err)
	}
}

func TestADownloadHasEveryRow(t *testing.T) {
	ctx, client := shared(t)
	job := must(client.Query(ctx, everything))(t)
	result := must(job.Wait(ctx, nil))(t)
	records := must(client.Download(ctx, job.Token))(t)
	if records.Rows() != allHours || records.Schema().NumFields() != len(result.Schema.Fields) {
		t.Errorf("the stream says %d rows of %s", records.Rows(), records.Schema())
	}
	rows := int64(0)
	for batch, err := range records.All() {
		if err != nil {
			t.Fatal(err)
		}
		rows += batch.NumRows()
	}
	if err := records.Close(); err != nil || rows != allHours {
		t.Errorf("%d rows came: %v", rows, err)
	}
}

func TestAResultIsOpenedInEitherFormat(t *testing.T) {
	ctx, client := shared(t)
	job := must(client.Query(ctx, everything))(t)
	must(job.Wait(ctx, nil))(t)
	for format, magic := range map[api.FrameFormat]string{api.FrameFormatParquet: "PAR1", api.FrameFormatArrow: "\xff\xff\xff\xff"} {
		file := must(client.Open(ctx, job.Token, format))(t)
		content := must(io.ReadAll(file))(t)
		if !strings.HasPrefix(string(content), magic) || int64(len(content)) != file.Bytes {
			t.Errorf("%s: %d of %d bytes, which begin with %q", format, len(content), file.Bytes, content[:4])
		}
		_ = file.Close()
	}
	if _, err := client.Open(ctx, job.Token, "csv"); err == nil || !strings.Contains(err.Error(), "parquet") {
		t.Errorf("csv: %v", err)
	}
}

func TestJobsAreListedByWhatTheyAre(t *testing.T) {
	ctx, client := shared(t)
	job := must(client.Discover(ctx, api.DiscoverRequest{DatasourceID: datasource, URI: "energy"}))(t)
	must(job.Wait(ctx, nil))(t)
	found := false
	for summary, err := range client.Jobs(ctx, airpy.JobFilter{Status: api.JobStatusCompleted, Type: api.JobTypeDiscover}) {
		if err != nil {
			t.Fatal(err)
		}
		if summary.JobType != api.JobTypeDiscover || summary.Status != api.JobStatusCompleted {
			t.Errorf("listed %+v", summary)
		}
		found = found || summary.Token == job.Token
	}
	if !found {
		t.Errorf("job %d is not listed", job.Token)
	}
}

func TestOfNoDeadLetterNothingCanBeAsked(t *testing.T) {
	ctx, client := shared(t)
	job := must(client.Discover(ctx, api.DiscoverRequest{DatasourceID: datasource, URI: "energy"}))(t)
	for letter, err := range client.DeadLetters(ctx) {
		if err != nil || letter.Token == job.Token {
			t.Errorf("listed %+v: %v", letter, err)
		}
	}
	_, shown := client.DeadLetter(ctx, job.Token)
	_, dropped := client.DropDeadLetter(ctx, job.Token)
	_, requeued := client.RequeueDeadLetter(ctx, job.Token)
	for _, err := range []error{shown, dropped, requeued} {
		if !errors.Is(err, airpy.ErrNoDeadLetter) {
			t.Errorf("got %v", err)
		}
	}
}

func TestTheRequestIDAndTheTraceGoAlong(t *testing.T) {
	url, secret := livetest.Shared(t)
	through := livetest.StartProxy(t, url, func(string, []byte) int { return -1 })
	ctx, client := clientOf(t, through.URL, secret)
	ctx = airpy.WithRequestID(ctx, "req-of-go.1")
	ctx = trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{15: 7}, SpanID: trace.SpanID{7: 9}, TraceFlags: trace.FlagsSampled,
	}))
	job := must(client.Discover(ctx, api.DiscoverRequest{DatasourceID: datasource, URI: "energy"}))(t)
	if record := must(client.Job(ctx, job.Token))(t); record.RequestID != "req-of-go.1" {
		t.Errorf("the record says %s", record.RequestID)
	}
	if sent := through.Requests()[0]; !strings.Contains(sent, "traceparent: 00-00000000000000000000000000000007-0000000000000009-01") {
		t.Errorf("sent %s", sent)
	}
}

// stream is an Arrow IPC stream of one nullable column of floats.
func stream(t *testing.T, values []float64, valid []bool) []byte {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "kwh", Type: arrow.PrimitiveTypes.Float64, Nullable: true}}, nil)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	builder.Field(0).(*array.Float64Builder).AppendValues(values, valid)
	batch := builder.NewRecordBatch()
	defer batch.Release()
	var buffer bytes.Buffer
	writer := ipc.NewWriter(&buffer, ipc.WithSchema(schema))
	if err := writer.Write(batch); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}
