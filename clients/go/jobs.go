package airpy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"airpy.internal/airpy/api"
)

// Data is what the result of a job can be.
type Data interface {
	api.DiscoverResult | api.InferSchemaResult | api.QueryResult | api.AnalyzeResult
}

// Job is the handle of a job whose result is a T. Its token is all that needs to be kept; Attach makes it a handle
// again.
type Job[T Data] struct {
	// Token names the job to the service.
	Token  int64
	client *Client
}

// Discover submits a job that lists the data files under a directory.
func (c *Client) Discover(ctx context.Context, request api.DiscoverRequest) (*Job[api.DiscoverResult], error) {
	return submitted[api.DiscoverResult](c)(c.api.DiscoverFiles(ctx, &api.DiscoverFilesParams{IdempotencyKey: keyOf(ctx)}, request))
}

// InferSchema submits a job that infers a data set's schema and basic statistics.
func (c *Client) InferSchema(ctx context.Context, request api.InferSchemaRequest) (*Job[api.InferSchemaResult], error) {
	return submitted[api.InferSchemaResult](c)(c.api.InferSchema(ctx, &api.InferSchemaParams{IdempotencyKey: keyOf(ctx)}, request))
}

// Query submits a job that runs a plan.
func (c *Client) Query(ctx context.Context, request api.QueryRequest) (*Job[api.QueryResult], error) {
	return submitted[api.QueryResult](c)(c.api.RunQuery(ctx, &api.RunQueryParams{IdempotencyKey: keyOf(ctx)}, request))
}

// Analyze submits a job that explores, profiles or validates a frame, or the result of a plan.
func (c *Client) Analyze(ctx context.Context, request api.AnalyzeRequest) (*Job[api.AnalyzeResult], error) {
	return submitted[api.AnalyzeResult](c)(c.api.AnalyzeFrame(ctx, &api.AnalyzeFrameParams{IdempotencyKey: keyOf(ctx)}, request))
}

func submitted[T Data](c *Client) func(*http.Response, error) (*Job[T], error) {
	return func(response *http.Response, err error) (*Job[T], error) {
		started, err := decoded[api.JobStarted](response, err)
		if err != nil {
			return nil, err
		}
		return Attach[T](c, started.Token), nil
	}
}

// Attach gives the handle of a job that was submitted before. It calls nothing.
func Attach[T Data](client *Client, token int64) *Job[T] {
	return &Job[T]{Token: token, client: client}
}

// Wait follows the job to its end and gives its result; progress, when it is not nil, is told every step and every
// advance. A job that failed gives its *Error, a cancelled one ErrCancelled. When ctx ends first, the job goes on.
//
// The result of a query holds its first rows, up to PY_MAX_ROWS_JSON. Where they are downloaded anyway, Client.Wait
// spares the reading of them.
func (j *Job[T]) Wait(ctx context.Context, progress func(Progress)) (*T, error) {
	job, err := j.client.Wait(ctx, j.Token, progress)
	if err != nil {
		return nil, err
	}
	return Result[T](job)
}

// Cancel ends the job. It is no error when it has ended before.
func (j *Job[T]) Cancel(ctx context.Context) error {
	_, err := j.client.Cancel(ctx, j.Token)
	return err
}

// Job gives a job's record as it stands.
func (c *Client) Job(ctx context.Context, token int64) (*api.Job, error) {
	return decoded[api.Job](c.api.GetJob(ctx, token, &api.GetJobParams{}))
}

// Cancel ends a job and gives its record: cancelled, or as it had ended before.
func (c *Client) Cancel(ctx context.Context, token int64) (*api.Job, error) {
	return decoded[api.Job](c.api.CancelJob(ctx, token))
}

// Result gives the data of a job that has ended, by its type. Numbers in rows are json.Number, so that no 64-bit
// integer is rounded. A job that failed gives its *Error, a cancelled one ErrCancelled.
func Result[T Data](job *api.Job) (*T, error) {
	switch job.Status {
	case api.JobStatusCompleted:
	case api.JobStatusCancelled:
		return nil, fmt.Errorf("job %d: %w", job.Token, ErrCancelled)
	case api.JobStatusFailed:
		return nil, newError(job.Code, api.Error(*job.Error))
	default:
		return nil, fmt.Errorf("job %d is %s and has no result yet", job.Token, job.Status)
	}
	data := new(T)
	if kind := kindOf(data); kind != job.JobType {
		return nil, fmt.Errorf("job %d is of type %s and has no result of %s", job.Token, job.JobType, kind)
	}
	if err := exact(json.NewDecoder(bytes.NewReader(job.Data))).Decode(data); err != nil {
		return nil, fmt.Errorf("the result of job %d cannot be read: %w", job.Token, err)
	}
	return data, nil
}

func kindOf(data any) api.JobType {
	switch data.(type) {
	case *api.DiscoverResult:
		return api.JobTypeDiscover
	case *api.InferSchemaResult:
		return api.JobTypeInferSchema
	case *api.QueryResult:
		return api.JobTypeQuery
	default:
		return api.JobTypeAnalyze
	}
}
