package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"airpy.internal/airpy"
	"airpy.internal/airpy/api"
)

const (
	// rowsPerMessage keeps a WebSocket message at some hundred kilobytes.
	rowsPerMessage = 1000
	// writeTime is how long a client may take to take a message.
	writeTime = 10 * time.Second
)

// message is what a WebSocket client gets: progress, schema, rows, end or error.
type message struct {
	Type   string          `json:"type"`
	Token  int64           `json:"token,omitempty"`
	Step   string          `json:"step,omitempty"`
	Share  *float64        `json:"share,omitempty"`
	Schema *api.Schema     `json:"schema,omitempty"`
	Rows   json.RawMessage `json:"rows,omitempty"`
	Total  int64           `json:"total,omitempty"`
	Status api.JobStatus   `json:"status,omitempty"`
	Error  *failure        `json:"error,omitempty"`
}

// query takes plans from a WebSocket client and streams the rows of each: first its progress, then its schema, then the
// rows as the Arrow stream brings them. A user's own words would become a plan here.
func (b *backend) query(w http.ResponseWriter, r *http.Request) {
	socket, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // the answer is given
	}
	defer func() { _ = socket.CloseNow() }()
	ctx, leave := context.WithCancel(r.Context())
	defer leave()
	plans := make(chan api.Plan)
	go func() {
		defer leave() // the client has gone, or speaks no JSON; wsjson has closed the socket
		for {
			var plan api.Plan
			if wsjson.Read(ctx, socket, &plan) != nil {
				return
			}
			select {
			case plans <- plan:
			case <-ctx.Done():
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case plan := <-plans:
			request := api.QueryRequest{DatasourceID: r.PathValue("id"), Plan: plan, Output: api.OutputFormatArrow}
			if err := b.answer(ctx, socket, request); err != nil {
				_, failed := told(err)
				_ = tell(ctx, socket, message{Type: "error", Error: &failed})
			}
		}
	}
}

// answer runs one plan and streams it.
func (b *backend) answer(ctx context.Context, socket *websocket.Conn, request api.QueryRequest) error {
	job, err := b.client.Query(ctx, request)
	if err != nil {
		return err
	}
	result, err := job.Wait(ctx, func(p airpy.Progress) { _ = tell(ctx, socket, progressOf(p)) })
	if err != nil {
		if ctx.Err() != nil { // the client has gone, and nobody wants the answer
			_ = job.Cancel(context.WithoutCancel(ctx))
		}
		return err
	}
	if err := b.store.keepQuery(ctx, job.Token, request, result); err != nil {
		return err
	}
	if err := tell(ctx, socket, message{Type: "schema", Token: job.Token, Schema: &result.Schema}); err != nil {
		return err
	}
	records, err := b.client.Download(ctx, job.Token)
	if err != nil {
		return err
	}
	defer func() { _ = records.Close() }()
	for batch, err := range records.All() {
		if err != nil {
			return err
		}
		if err := tellRows(ctx, socket, batch); err != nil {
			return err
		}
	}
	return tell(ctx, socket, message{Type: "end", Token: job.Token, Total: records.Rows(), Status: api.JobStatusCompleted})
}

// tellRows sends a batch in parts.
func tellRows(ctx context.Context, socket *websocket.Conn, batch arrow.RecordBatch) error {
	for from := int64(0); from < batch.NumRows(); from += rowsPerMessage {
		part := batch.NewSlice(from, min(from+rowsPerMessage, batch.NumRows()))
		rows, err := part.MarshalJSON()
		part.Release()
		if err != nil {
			return err
		}
		if err := tell(ctx, socket, message{Type: "rows", Rows: rows}); err != nil {
			return err
		}
	}
	return nil
}

func tell(ctx context.Context, socket *websocket.Conn, said message) error {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	return wsjson.Write(ctx, socket, said)
}

func progressOf(p airpy.Progress) message {
	return message{Type: "progress", Token: p.Token, Step: string(p.Step.Step), Share: p.Share}
}
