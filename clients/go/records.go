package airpy

import (
	"context"
	"iter"

	"airpy.internal/airpy/api"
)

// JobFilter says which jobs are listed; its zero value lists all of them.
type JobFilter struct {
	// Status, when not empty, is theirs.
	Status api.JobStatus
	// Type, when not empty, is theirs.
	Type api.JobType
	// OlderThanS, when not zero, is how many seconds ago they were accepted at least.
	OlderThanS int
	// NewerThanS, when not zero, is how many seconds ago they were accepted at most.
	NewerThanS int
}

// Jobs lists jobs from the newest down, asking for the next page as it is needed. An error ends the list.
func (c *Client) Jobs(ctx context.Context, filter JobFilter) iter.Seq2[api.JobSummary, error] {
	return paged(func(cursor *int64) ([]api.JobSummary, *int64, error) {
		page, err := decoded[api.JobList](c.api.ListJobs(ctx, &api.ListJobsParams{
			Status:     orNil(filter.Status),
			Type:       orNil(filter.Type),
			OlderThanS: orNil(filter.OlderThanS),
			NewerThanS: orNil(filter.NewerThanS),
			Cursor:     cursor,
		}))
		if err != nil {
			return nil, nil, err
		}
		return page.Jobs, page.NextCursor, nil
	})
}

// DeadLetters lists the jobs that died, from the newest down, asking for the next page as it is needed. An error ends
// the list.
func (c *Client) DeadLetters(ctx context.Context) iter.Seq2[api.DeadLetter, error] {
	return paged(func(cursor *int64) ([]api.DeadLetter, *int64, error) {
		page, err := decoded[api.DeadLetterList](c.api.ListDeadLetters(ctx, &api.ListDeadLettersParams{Cursor: cursor}))
		if err != nil {
			return nil, nil, err
		}
		return page.DeadLetters, page.NextCursor, nil
	})
}

// DeadLetter gives one dead letter.
func (c *Client) DeadLetter(ctx context.Context, token int64) (*api.DeadLetter, error) {
	return decoded[api.DeadLetter](c.api.GetDeadLetter(ctx, token))
}

// DropDeadLetter forgets a dead letter and gives it for the last time. When the answer was lost and the call is tried
// again, ErrNoDeadLetter says that it had been dropped.
func (c *Client) DropDeadLetter(ctx context.Context, token int64) (*api.DeadLetter, error) {
	return decoded[api.DeadLetter](c.api.DropDeadLetter(ctx, token))
}

// RequeueDeadLetter asks again, as a new job, what a dead letter asked, and gives the new token.
func (c *Client) RequeueDeadLetter(ctx context.Context, token int64) (int64, error) {
	params := &api.RequeueDeadLetterParams{IdempotencyKey: keyOf(ctx)}
	started, err := decoded[api.JobStarted](c.api.RequeueDeadLetter(ctx, token, params))
	if err != nil {
		return 0, err
	}
	return started.Token, nil
}

// paged goes through the pages that ask gives, until one has no cursor for the next.
func paged[T any](ask func(cursor *int64) ([]T, *int64, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var cursor *int64
		for {
			entries, next, err := ask(cursor)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, entry := range entries {
				if !yield(entry, nil) {
					return
				}
			}
			if next == nil {
				return
			}
			cursor = next
		}
	}
}

// orNil leaves out a parameter that was not set.
func orNil[T comparable](value T) *T {
	var unset T
	if value == unset {
		return nil
	}
	return &value
}
