package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"

	"github.com/coder/websocket"

	"airpy.internal/airpy"
	"airpy.internal/airpy/api"
)

// backlog is how many messages a client may lag behind before it is let go; it may come back.
const backlog = 256

// hub passes every message on to all who listen.
type hub struct {
	mutex     sync.Mutex
	listeners map[chan message]struct{}
}

func newHub() *hub { return &hub{listeners: map[chan message]struct{}{}} }

// listen gives a channel of the messages from now on, and what ends it. It is closed to one who lags behind.
func (h *hub) listen() (<-chan message, func()) {
	messages := make(chan message, backlog)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.listeners[messages] = struct{}{}
	return messages, func() {
		h.mutex.Lock()
		defer h.mutex.Unlock()
		delete(h.listeners, messages)
	}
}

// broadcast waits for nobody.
func (h *hub) broadcast(said message) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for messages := range h.listeners {
		select {
		case messages <- said:
		default:
			delete(h.listeners, messages)
			close(messages)
		}
	}
}

// progress tells a WebSocket client of every long job's progress and end.
func (b *backend) progress(w http.ResponseWriter, r *http.Request) {
	socket, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // the answer is given
	}
	defer func() { _ = socket.CloseNow() }()
	messages, leave := b.hub.listen()
	defer leave()
	ctx := socket.CloseRead(r.Context()) // ends when the client goes
	if tell(ctx, socket, message{Type: "listening"}) != nil {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.life.Done():
			_ = socket.Close(websocket.StatusGoingAway, "the backend stops")
			return
		case said, open := <-messages:
			if !open {
				_ = socket.Close(websocket.StatusPolicyViolation, "too slow")
				return
			}
			if tell(ctx, socket, said) != nil {
				return
			}
		}
	}
}

// submit starts a query that may take long and answers at once with its token.
func (b *backend) submit(r *http.Request) (int, any, error) {
	plan, err := body[api.Plan](r)
	if err != nil {
		return 0, nil, err
	}
	datasource := r.PathValue("id")
	job, err := b.client.Query(r.Context(), api.QueryRequest{DatasourceID: datasource, Plan: plan})
	if err != nil {
		return 0, nil, err
	}
	if err := b.store.keepJob(r.Context(), job.Token, datasource, api.JobStatusStarted, ""); err != nil {
		return 0, nil, err
	}
	b.follow(job)
	return http.StatusAccepted, map[string]any{"token": job.Token}, nil
}

// resume follows the jobs that were at work when the backend last stopped.
func (b *backend) resume(ctx context.Context) error {
	tokens, err := b.store.unfinished(ctx)
	for _, token := range tokens {
		b.follow(airpy.Attach[api.QueryResult](b.client, token))
	}
	return err
}

// follow broadcasts a job's progress until it ends, then keeps how it ended.
func (b *backend) follow(job *airpy.Job[api.QueryResult]) {
	b.background.Go(func() {
		result, err := job.Wait(b.life, func(p airpy.Progress) { b.hub.broadcast(progressOf(p)) })
		if b.life.Err() != nil {
			return // the next start goes on
		}
		said := message{Type: "end", Token: job.Token, Status: api.JobStatusCompleted}
		kept := asJSON(result)
		if err != nil {
			_, failed := told(err)
			said.Status, said.Error, kept = api.JobStatusFailed, &failed, asJSON(failed)
			if errors.Is(err, airpy.ErrCancelled) {
				said.Status = api.JobStatusCancelled
			}
		} else {
			said.Total = result.Metrics.Rows
		}
		if err := b.store.keepJob(b.life, job.Token, "", said.Status, kept); err != nil {
			slog.Error("a job's end was not kept", "token", job.Token, "because", err)
		}
		b.hub.broadcast(said)
	})
}

// job gives a long job's status and, once it has ended, its result.
func (b *backend) job(r *http.Request) (int, any, error) {
	token, err := strconv.ParseInt(r.PathValue("token"), 10, 64)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: a token is a number", errNotFound)
	}
	status, result, err := b.store.job(r.Context(), token)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil, fmt.Errorf("%w: no job %d was submitted here", errNotFound, token)
	}
	return http.StatusOK, map[string]any{"token": token, "status": status, "result": raw(result)}, err
}

// raw passes JSON that was kept on as it is.
func raw(kept string) json.RawMessage {
	if kept == "" {
		return json.RawMessage("null")
	}
	return json.RawMessage(kept)
}
