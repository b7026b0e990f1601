package airpy

import (
	"context"
	"crypto/rand"
)

type contextKey int

const (
	requestIDKey contextKey = iota
	idempotencyKey
)

// WithRequestID gives a context whose calls carry the id as X-Request-Id, which is then in the service's logs,
// records and errors: 1 to 64 characters of [A-Za-z0-9._-].
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey, id)
}

// RequestID gives the id that the context carries, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey).(string)
	return id
}

// WithIdempotencyKey gives a context for one submission, sent under this key instead of one made for the call, so that
// a backend that was restarted can submit again what it had submitted before, and gets the same job.
func WithIdempotencyKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, idempotencyKey, key)
}

// keyOf gives the context's idempotency key, or one made now.
func keyOf(ctx context.Context) *string {
	key, given := ctx.Value(idempotencyKey).(string)
	if !given {
		key = rand.Text()
	}
	return &key
}
