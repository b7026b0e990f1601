package main

import (
	"context"
	"fmt"
	"net/http"

	"airpy.internal/airpy/api"
)

// question is an SQL query on the backend's own database.
type question struct {
	SQL string `json:"sql"`
}

// finding is an issue as a user is told it: which rows are meant, and how to have all of them.
type finding struct {
	Severity api.Severity `json:"severity"`
	Detail   string       `json:"detail"`
	Rows     int64        `json:"rows"`
	Share    float64      `json:"share"`
	// Filter selects exactly these rows, in a plan over the same data.
	Filter api.Filters `json:"filter"`
	// First are the first of them, with their numbers in the frame.
	First []api.ExampleRow `json:"first"`
}

// analyze runs an SQL query, has the service look at its answer, and keeps a verdict on it.
func (b *backend) analyze(r *http.Request) (int, any, error) {
	ctx := r.Context()
	asked, err := body[question](r)
	if err != nil {
		return 0, nil, err
	}
	if asked.SQL == "" {
		return 0, nil, fmt.Errorf("%w with a SELECT as \"sql\"", errBadRequest)
	}
	frame, err := b.selected(ctx, asked.SQL)
	if err != nil {
		return 0, nil, err
	}
	job, err := b.client.Analyze(ctx, api.AnalyzeRequest{
		FrameRef: &api.FrameRef{Type: api.FrameFormatArrow, Data: frame},
		JobKind:  api.AnalysisKindEda,
	})
	if err != nil {
		return 0, nil, err
	}
	result, err := job.Wait(ctx, nil)
	if err != nil {
		return 0, nil, err
	}
	verdict := verdictOn(result.Issues)
	if err := b.store.keepAnalysis(ctx, job.Token, asked.SQL, string(verdict), result); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{
		"verdict": verdict, "findings": findingsOf(result.Issues), "rows": result.Metrics.Rows, "chart_hints": result.ChartHints,
	}, nil
}

// selected gives the answer of an SQL query as an Arrow IPC stream.
func (b *backend) selected(ctx context.Context, query string) ([]byte, error) {
	rows, err := b.store.read.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%w: the SQL cannot be run: %w", errBadRequest, err)
	}
	defer func() { _ = rows.Close() }()
	return frameOf(rows)
}

// findingsOf tells what a person should look at: all but what is said for information only.
func findingsOf(issues []api.Issue) []finding {
	findings := []finding{}
	for _, issue := range issues {
		if issue.Severity == api.SeverityInfo {
			continue
		}
		found := finding{
			Severity: issue.Severity, Detail: issue.Detail, Rows: issue.AffectedRows, Filter: issue.Filter, First: issue.Examples,
		}
		if issue.Share != nil {
			found.Share = *issue.Share
		}
		findings = append(findings, found)
	}
	return findings
}

// verdictOn folds issues into one word.
func verdictOn(issues []api.Issue) api.Verdict {
	verdict := api.VerdictPass
	for _, issue := range issues {
		switch issue.Severity {
		case api.SeverityError:
			return api.VerdictFail
		case api.SeverityWarning:
			verdict = api.VerdictWarn
		}
	}
	return verdict
}
