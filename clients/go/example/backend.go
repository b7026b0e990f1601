package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"

	_ "embed"

	"go.opentelemetry.io/otel/propagation"

	"airpy.internal/airpy"
)

const (
	sampleRows  = 20
	longestBody = 1 << 20
)

//go:embed index.html
var page []byte

// backend answers the public API.
type backend struct {
	client     *airpy.Client
	store      *store
	hub        *hub
	life       context.Context // that of the backend: long jobs are followed beyond the request that started them
	background sync.WaitGroup
}

func newBackend(life context.Context, client *airpy.Client, store *store) *backend {
	return &backend{client: client, store: store, hub: newHub(), life: life}
}

func (b *backend) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page)
	})
	mux.Handle("GET /healthz", answered(b.health))
	mux.Handle("POST /v1/datasources/{id}/learn", answered(b.learn))
	mux.Handle("GET /v1/datasources/{id}/notes", answered(b.notes))
	mux.HandleFunc("GET /v1/datasources/{id}/query", b.query)
	mux.Handle("POST /v1/datasources/{id}/jobs", answered(b.submit))
	mux.Handle("GET /v1/jobs/{token}", answered(b.job))
	mux.HandleFunc("GET /v1/progress", b.progress)
	mux.Handle("POST /v1/datasources/{id}/discover", answered(b.discover))
	mux.Handle("POST /v1/analyses", answered(b.analyze))
	return traced(mux)
}

// traced gives every request an id, the caller's own where it has one, and takes its trace up; both reach the service.
func traced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if id == "" {
			id = "go-" + rand.Text()
		}
		w.Header().Set("X-Request-Id", id)
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		next.ServeHTTP(w, r.WithContext(airpy.WithRequestID(ctx, id)))
	})
}

// answered has what a function gives written as JSON, or its error as one.
func answered(answer func(*http.Request) (int, any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, body, err := answer(r)
		if err != nil {
			status, body = told(err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	})
}

// errBadRequest is a request that cannot be read.
var errBadRequest = errors.New("the body must be JSON")

// errNotFound is something that the backend does not know.
var errNotFound = errors.New("not found")

// failure is how the backend tells an error.
type failure struct {
	Error      string   `json:"error"`
	Reason     string   `json:"reason,omitempty"`
	Suggestion []string `json:"suggestion,omitempty"`
	RequestID  string   `json:"request_id,omitempty"`
}

// told gives an error's status and what a user may know of it. What the service does not allow the backend itself is
// no fault of the user's.
func told(err error) (int, failure) {
	var refused *airpy.Error
	switch {
	case errors.As(err, &refused) && !errors.Is(err, airpy.ErrUnauthorized):
		return refused.Status, failure{refused.Message, string(refused.Reason), refused.Suggestion, refused.RequestID}
	case errors.Is(err, errBadRequest):
		return http.StatusBadRequest, failure{Error: err.Error()}
	case errors.Is(err, errNotFound):
		return http.StatusNotFound, failure{Error: err.Error()}
	default:
		return http.StatusBadGateway, failure{Error: err.Error()}
	}
}

// body reads a request's.
func body[T any](r *http.Request) (T, error) {
	var read T
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, longestBody)).Decode(&read); err != nil {
		return read, fmt.Errorf("%w: %w", errBadRequest, err)
	}
	return read, nil
}

// health says that the backend is up, and whether it reaches the service.
func (b *backend) health(r *http.Request) (int, any, error) {
	health, err := b.client.Health(r.Context())
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{"status": "ok", "airpy": health.Versions.Airpy, "workers": health.WorkersActive}, nil
}
