package airpy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tmaxmax/go-sse"

	"airpy.internal/airpy/api"
)

const (
	// silence after which a stream is broken: every 15 seconds the service says that it is there.
	silence = 45 * time.Second
	// pollWait is how long one request of a long poll waits, in seconds; gateways often cut at 30.
	pollWait = 25.0
	// longestEvent bounds a line of a stream; events are small.
	longestEvent = 1 << 20
)

// Progress is how far a job has come.
type Progress struct {
	// Token names the job.
	Token int64
	// Step is the latest step.
	Step api.Step
	// Steps counts the steps so far, over all attempts.
	Steps int
	// Share is the share of the work that is done, 0 to 1; nil where it cannot be counted.
	Share *float64
	// Work is what Share counts; nil where it cannot be counted.
	Work *api.JobWork
}

// Wait follows a job to its end and gives its record, whether it completed, failed or was cancelled; progress, when it
// is not nil, is told every step once and every advance of the work, in this goroutine.
//
// It listens to the job's server-sent events, takes a broken stream up again where it broke, and polls where streams
// do not come through. When ctx ends first, the job goes on.
func (c *Client) Wait(ctx context.Context, token int64, progress func(Progress)) (*api.Job, error) {
	if progress == nil {
		progress = func(Progress) {}
	}
	f := &follower{client: c, seen: Progress{Token: token}, tell: progress}
	for {
		ended, heard, err := f.stream(ctx)
		switch {
		case err != nil:
			return nil, err
		case ended:
			return c.Job(ctx, token)
		case !heard: // there are gateways that hold streams back
			return f.poll(ctx)
		}
		if err := sleep(ctx, firstPause); err != nil {
			return nil, err
		}
	}
}

// follower remembers what has been told of a job.
type follower struct {
	client *Client
	seen   Progress
	tell   func(Progress)
}

// stream listens to one stream. It gives whether the job has ended and whether the stream brought anything at all.
func (f *follower) stream(ctx context.Context) (ended, heard bool, err error) {
	listening, stop := context.WithCancel(ctx)
	defer stop()
	params := &api.StreamJobEventsParams{LastEventID: &f.seen.Steps}
	response, err := f.client.api.StreamJobEvents(listening, f.seen.Token, params, uncompressed)
	if err != nil {
		return false, false, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		return false, false, nil // a poll tells what is wrong, if anything is
	}
	body := &watched{from: response.Body, timer: time.AfterFunc(silence, stop)}
	defer body.timer.Stop()
	for event, broken := range sse.Read(body, &sse.ReadConfig{MaxEventSize: longestEvent}) {
		if broken != nil {
			break
		}
		if ended, err = f.hear(event); ended || err != nil {
			return ended, true, err
		}
	}
	return false, body.heard, ctx.Err()
}

// hear takes one event in and tells of it. It gives whether the job has ended.
func (f *follower) hear(event sse.Event) (ended bool, err error) {
	switch event.Type {
	case "step":
		var step api.Step
		if err := json.Unmarshal([]byte(event.Data), &step); err != nil {
			return false, fmt.Errorf("a step of job %d cannot be read: %w", f.seen.Token, err)
		}
		f.seen.Step = step
		f.seen.Steps++
		f.tell(f.seen)
	case "progress":
		var advance api.JobProgress
		if err := json.Unmarshal([]byte(event.Data), &advance); err != nil {
			return false, fmt.Errorf("the progress of job %d cannot be read: %w", f.seen.Token, err)
		}
		f.seen.Share, f.seen.Work = advance.Progress, advance.Work
		f.tell(f.seen)
	case "end":
		return true, nil
	}
	return false, nil
}

// poll asks again and again, each time waiting for news, and gives the record of the job that has ended.
func (f *follower) poll(ctx context.Context) (*api.Job, error) {
	wait := pollWait
	for {
		since := f.seen.Steps
		job, err := decoded[api.Job](f.client.api.GetJob(ctx, f.seen.Token, &api.GetJobParams{Wait: &wait, Since: &since}))
		if err != nil {
			return nil, err
		}
		f.seen.Share, f.seen.Work = job.Progress, job.Work
		for _, step := range job.Steps[min(since, len(job.Steps)):] {
			f.seen.Step = step
			f.seen.Steps++
			f.tell(f.seen)
		}
		switch job.Status {
		case api.JobStatusCompleted, api.JobStatusFailed, api.JobStatusCancelled:
			return job, nil
		}
	}
}

// watched is a body that says whether anything came, and whose timer goes off when nothing comes any more.
type watched struct {
	from  io.Reader
	timer *time.Timer
	heard bool
}

func (w *watched) Read(into []byte) (int, error) {
	n, err := w.from.Read(into)
	if n > 0 {
		w.heard = true
		w.timer.Reset(silence)
	}
	return n, err
}

// uncompressed asks for the bytes as they are: what is compressed cannot be resumed, and may be held back.
func uncompressed(_ context.Context, request *http.Request) error {
	request.Header.Set("Accept-Encoding", "identity")
	return nil
}
