package airpy_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"airpy.internal/airpy"
	"airpy.internal/airpy/api"
	"airpy.internal/airpy/internal/livetest"
)

func TestAWrongSecretIsUnauthorized(t *testing.T) {
	url, secret := livetest.Shared(t)
	ctx, client := clientOf(t, url, secret+"!")
	if _, err := client.Health(ctx); !errors.Is(err, airpy.ErrUnauthorized) {
		t.Errorf("got %v", err)
	}
}

func TestAWrongURLOrAnEmptySecretIsToldAtOnce(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:9001", "ftp://127.0.0.1", "http://"} {
		if _, err := airpy.New(url, "secret"); err == nil || !strings.Contains(err.Error(), "http://host:port") {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := airpy.New("http://127.0.0.1:9001", ""); err == nil || !strings.Contains(err.Error(), "PY_AUTH_SECRET") {
		t.Errorf("an empty secret: %v", err)
	}
}

func TestAWrongRequestSaysWhatWasAllowed(t *testing.T) {
	ctx, client := shared(t)
	_, err := client.Query(ctx, api.QueryRequest{DatasourceID: datasource, Plan: api.Plan{
		Dataset: "energy_parquet",
		Aggs:    []api.Aggregation{{Col: "kwh", Fn: "summ"}},
	}})
	var refused *airpy.Error
	if !errors.As(err, &refused) || !errors.Is(err, airpy.ErrValidation) || errors.Is(err, airpy.ErrIO) {
		t.Fatalf("got %v", err)
	}
	if refused.Field != "plan.aggs[0].fn" || refused.Suggestion[0] != "sum" || refused.Status != 400 || refused.Retryable {
		t.Errorf("got %+v", refused)
	}
	if !strings.Contains(err.Error(), refused.RequestID) || !strings.Contains(refused.Constraint, "median") {
		t.Errorf("it reads %s", err)
	}
}

func TestWhatIsMissingIsToldApart(t *testing.T) {
	ctx, client := shared(t)
	_, noJob := client.Job(ctx, 1<<40)
	_, notFollowed := client.Wait(ctx, 1<<40, nil)
	_, noFile := client.Preview(ctx, api.PreviewRequest{DatasourceID: datasource, Path: "site.csv"})
	_, outside := client.Preview(ctx, api.PreviewRequest{DatasourceID: datasource, Path: "/etc/passwd.csv"})
	for wanted, err := range map[error]error{
		airpy.ErrJobNotFound: noJob,
		airpy.ErrFileMissing: noFile,
		airpy.ErrPathRefused: outside,
	} {
		if !errors.Is(err, wanted) {
			t.Errorf("%v: got %v", wanted, err)
		}
	}
	if !errors.Is(notFollowed, airpy.ErrJobNotFound) {
		t.Errorf("followed: %v", notFollowed)
	}
	if refused := new(airpy.Error); !errors.As(noJob, &refused) || refused.Status != 404 {
		t.Errorf("got %+v", refused)
	}
}

func TestAFailedJobGivesItsError(t *testing.T) {
	ctx, client := shared(t)
	job := must(client.Query(ctx, api.QueryRequest{DatasourceID: datasource, Plan: api.Plan{
		Dataset: "energy_parquet",
		Select:  []api.ColumnName{"kwhh"},
	}}))(t)
	_, err := job.Wait(ctx, nil)
	failed := new(airpy.Error)
	if !errors.As(err, &failed) || !errors.Is(err, airpy.ErrUnknownColumn) || failed.Suggestion[0] != "kwh" {
		t.Errorf("got %v", err)
	}
	if _, err := client.Download(ctx, job.Token); !errors.Is(err, airpy.ErrNoResultFrame) {
		t.Errorf("its download: %v", err)
	}
}

func TestAKeyThatCameWithAnotherRequestIsRefused(t *testing.T) {
	ctx, client := shared(t)
	keyed := airpy.WithIdempotencyKey(ctx, "go-"+t.Name())
	request := api.DiscoverRequest{DatasourceID: datasource, URI: "energy"}
	first := must(client.Discover(keyed, request))(t)
	if again := must(client.Discover(keyed, request))(t); again.Token != first.Token {
		t.Errorf("job %d, then %d", first.Token, again.Token)
	}
	if other := must(client.Discover(ctx, request))(t); other.Token == first.Token {
		t.Error("a call without the key got the same job")
	}
	request.URI = "sites.csv"
	if _, err := client.Discover(keyed, request); !errors.Is(err, airpy.ErrIdempotencyKeyReused) {
		t.Errorf("got %v", err)
	}
}

func TestAnAnswerThatWasLostIsAskedForAgain(t *testing.T) {
	url, secret := livetest.Shared(t)
	var lost atomic.Int64
	through := livetest.StartProxy(t, url, func(string, []byte) int {
		if lost.Add(1) <= 2 {
			return 0 // the service has answered, and the answer is gone
		}
		return -1
	})
	ctx, client := clientOf(t, through.URL, secret)
	id := "lost-" + rand.Text()
	ctx = airpy.WithRequestID(ctx, id)
	job := must(client.Discover(ctx, api.DiscoverRequest{DatasourceID: datasource, URI: "energy"}))(t)
	if sent := len(through.Requests()); sent < 3 {
		t.Errorf("sent %d times", sent)
	}
	for summary, err := range client.Jobs(ctx, airpy.JobFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if summary.RequestID == id && summary.Token != job.Token {
			t.Errorf("job %d was started too", summary.Token)
		}
	}
}

func TestABrokenStreamOfEventsIsTakenUpWhereItBroke(t *testing.T) {
	url, secret := livetest.Shared(t)
	ctx, direct := clientOf(t, url, secret)
	job := must(direct.Query(ctx, everything))(t)
	must(job.Wait(ctx, nil))(t)
	steps := must(direct.Job(ctx, job.Token))(t).Steps

	// Every stream breaks after the first event that it brings.
	through := livetest.StartProxy(t, url, func(request string, answered []byte) int {
		at := bytes.Index(answered, []byte("event: step"))
		if !strings.Contains(request, "/events") || at < 0 {
			return -1
		}
		if end := bytes.Index(answered[at:], []byte("\n\n")); end >= 0 {
			return at + end + 2
		}
		return -1
	})
	_, broken := clientOf(t, through.URL, secret)
	var told []api.StepName
	record := must(broken.Wait(ctx, job.Token, func(p airpy.Progress) {
		if p.Steps > len(told) {
			told = append(told, p.Step.Step)
		}
		if p.Steps != len(told) {
			t.Errorf("step %d came after %d others", p.Steps, len(told))
		}
	}))(t)
	if record.Status != api.JobStatusCompleted || len(told) != len(steps) {
		t.Fatalf("told %v of %+v", told, steps)
	}
	for i, step := range steps {
		if told[i] != step.Step {
			t.Errorf("step %d is %s, and %s was told", i, step.Step, told[i])
		}
	}
	asked := strings.Join(through.Requests(), "\n")
	if strings.Count(asked, "/events") < 3 || !strings.Contains(asked, "last-event-id: 1") {
		t.Errorf("asked %s", asked)
	}
}

func TestWhereStreamsDoNotComeThroughItPolls(t *testing.T) {
	url, secret := livetest.Shared(t)
	through := livetest.StartProxy(t, url, func(request string, answered []byte) int {
		if !strings.Contains(request, "/events") {
			return -1
		}
		if end := bytes.Index(answered, []byte("\r\n\r\n")); end >= 0 {
			return end + 4 // the head of the answer, and no event
		}
		return -1
	})
	// The proxy looks at the first request of a connection, so each gets one.
	single := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ctx, client := clientOf(t, through.URL, secret, airpy.WithHTTPClient(single))
	job := must(client.Query(ctx, everything))(t)
	steps := 0
	result := must(job.Wait(ctx, func(p airpy.Progress) { steps = p.Steps }))(t)
	if result.Metrics.Rows != allHours || steps != 5 {
		t.Errorf("%d steps to %+v", steps, result.Metrics)
	}
	if asked := strings.Join(through.Requests(), "\n"); !strings.Contains(asked, "wait=25") {
		t.Errorf("asked %s", asked)
	}
}

func TestABrokenDownloadIsTakenUpWhereItBroke(t *testing.T) {
	url, secret := livetest.Shared(t)
	ctx, direct := clientOf(t, url, secret)
	job := must(direct.Query(ctx, everything))(t)
	must(job.Wait(ctx, nil))(t)
	whole := must(direct.Open(ctx, job.Token, api.FrameFormatArrow))(t)
	wanted := must(io.ReadAll(whole))(t)

	part := len(wanted)/4 + 1
	through := livetest.StartProxy(t, url, func(_ string, answered []byte) int {
		if len(answered) > part {
			return part
		}
		return -1
	})
	_, broken := clientOf(t, through.URL, secret)
	file := must(broken.Open(ctx, job.Token, api.FrameFormatArrow))(t)
	got := must(io.ReadAll(file))(t)
	if !bytes.Equal(got, wanted) {
		t.Errorf("%d bytes came of %d, or others", len(got), len(wanted))
	}
	if asked := through.Requests(); len(asked) < 4 || !strings.Contains(asked[1], "range: bytes=") {
		t.Errorf("asked %v", asked)
	}
}

func TestAWaitingJobIsCancelled(t *testing.T) {
	bare := livetest.StartBare(t)
	ctx, client := clientOf(t, bare.URL, bare.Secret)
	job := must(client.InferSchema(ctx, api.InferSchemaRequest{DatasourceID: datasource, URI: "few.csv"}))(t)
	if _, err := client.Download(ctx, job.Token); !errors.Is(err, airpy.ErrResultNotReady) {
		t.Errorf("its download: %v", err)
	}
	ended := make(chan error)
	go func() {
		_, err := job.Wait(ctx, nil)
		ended <- err
	}()
	if err := job.Cancel(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, airpy.ErrCancelled) {
		t.Errorf("who waits got %v", err)
	}
}

// slow is a query that goes on for some seconds: 400 million rows are joined and added up.
var slow = api.QueryRequest{DatasourceID: datasource, Plan: api.Plan{
	Dataset: "ones.csv",
	Joins:   []api.Join{{Dataset: "ones.csv", On: []api.ColumnName{"one"}}},
	Aggs:    []api.Aggregation{{Col: "one", Fn: api.AggregateFunctionSum}},
}}

func TestAJobAtWorkIsCancelled(t *testing.T) {
	bare := livetest.StartBare(t)
	bare.StartWorker(t)
	ctx, client := clientOf(t, bare.URL, bare.Secret)
	job := must(client.Query(ctx, slow))(t)
	cancelled := false
	_, err := job.Wait(ctx, func(airpy.Progress) {
		if !cancelled {
			cancelled = true
			if err := job.Cancel(ctx); err != nil {
				t.Error(err)
			}
		}
	})
	if !errors.Is(err, airpy.ErrCancelled) || !cancelled {
		t.Errorf("got %v", err)
	}
}

func TestADeadLetterIsShownRequeuedAndDropped(t *testing.T) {
	bare := livetest.StartBare(t, "PY_MAX_ATTEMPTS=1")
	bare.StartWorker(t)
	ctx, client := clientOf(t, bare.URL, bare.Secret)
	job := must(client.Query(ctx, slow))(t)
	bare.KillJob(ctx, t, job.Token)
	_, err := job.Wait(ctx, nil)
	died := new(airpy.Error)
	if !errors.As(err, &died) || died.PostMortem == nil || died.PostMortem.Attempts != 1 {
		t.Fatalf("the job ended with %v", err)
	}
	letter := must(client.DeadLetter(ctx, job.Token))(t)
	if letter.Error.Details.Reason != died.Reason || !strings.Contains(letter.Request, "ones.csv") {
		t.Errorf("the letter is %+v", letter)
	}

	again := must(client.RequeueDeadLetter(ctx, job.Token))(t)
	if _, err := client.DeadLetter(ctx, job.Token); again == job.Token || !errors.Is(err, airpy.ErrNoDeadLetter) {
		t.Errorf("requeued as %d: %v", again, err)
	}
	bare.KillJob(ctx, t, again)
	if record := must(client.Wait(ctx, again, nil))(t); record.Status != api.JobStatusFailed {
		t.Errorf("the new job %s", record.Status)
	}
	listed := []int64{}
	for letter, err := range client.DeadLetters(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, letter.Token)
	}
	if len(listed) != 1 || listed[0] != again {
		t.Errorf("listed %v, not %d", listed, again)
	}
	if dropped := must(client.DropDeadLetter(ctx, again))(t); dropped.Token != again {
		t.Errorf("dropped %+v", dropped)
	}
	for letter := range client.DeadLetters(ctx) {
		t.Errorf("%d is still there", letter.Token)
	}
}

func TestWhoStopsWaitingIsLetGo(t *testing.T) {
	bare := livetest.StartBare(t)
	ctx, client := clientOf(t, bare.URL, bare.Secret)
	job := must(client.InferSchema(ctx, api.InferSchemaRequest{DatasourceID: datasource, URI: "few.csv"}))(t)
	waiting, stop := context.WithCancel(ctx)
	ended := make(chan error)
	go func() {
		_, err := job.Wait(waiting, nil)
		ended <- err
	}()
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if record := must(client.Job(ctx, job.Token))(t); record.Status != api.JobStatusStarted {
		t.Errorf("the job is %s", record.Status)
	}
}

func TestAFullQueueIsToldOrWaitedFor(t *testing.T) {
	bare := livetest.StartBare(t, "PY_MAX_QUEUED_JOBS=1")
	ctx, impatient := clientOf(t, bare.URL, bare.Secret, airpy.WithPatience(0))
	request := api.InferSchemaRequest{DatasourceID: datasource, URI: "few.csv"}
	first := must(impatient.InferSchema(ctx, request))(t)
	_, err := impatient.InferSchema(ctx, request)
	full := new(airpy.Error)
	if !errors.Is(err, airpy.ErrQueueFull) || !errors.As(err, &full) {
		t.Fatalf("got %v", err)
	}
	if full.Status != 429 || !full.Retryable || full.RetryAfter <= 0 {
		t.Errorf("got %+v", full)
	}

	tries := make(chan struct{}, 100)
	_, patient := clientOf(t, bare.URL, bare.Secret, airpy.WithPatience(testTime), airpy.WithLogger(whenTold(tries)))
	accepted := make(chan error)
	go func() {
		_, err := patient.InferSchema(ctx, request)
		accepted <- err
	}()
	<-tries
	if err := first.Cancel(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-accepted; err != nil {
		t.Errorf("got %v", err)
	}
}

func TestAnAbsentRedisIsToldOrWaitedFor(t *testing.T) {
	bare := livetest.StartBare(t)
	ctx, impatient := clientOf(t, bare.URL, bare.Secret, airpy.WithPatience(0))
	request := api.InferSchemaRequest{DatasourceID: datasource, URI: "few.csv"}
	first := must(impatient.InferSchema(ctx, request))(t)
	bare.StopRedis()
	_, err := impatient.Job(ctx, first.Token)
	away := new(airpy.Error)
	if !errors.Is(err, airpy.ErrQueueUnavailable) || !errors.As(err, &away) || away.Status != 503 || away.RetryAfter <= 0 {
		t.Fatalf("got %v", err)
	}

	tries := make(chan struct{}, 100)
	_, patient := clientOf(t, bare.URL, bare.Secret, airpy.WithPatience(testTime), airpy.WithLogger(whenTold(tries)))
	answered := make(chan error)
	go func() {
		_, err := patient.Job(ctx, first.Token)
		answered <- err
	}()
	<-tries
	bare.StartRedis(t)
	if err := <-answered; err != nil {
		t.Errorf("got %v", err)
	}
}

func TestAServiceThatIsNotThereIsUnreachable(t *testing.T) {
	ctx, client := clientOf(t, "http://127.0.0.1:1", "a secret", airpy.WithPatience(0))
	if _, err := client.Health(ctx); !errors.Is(err, airpy.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}
