package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"airpy.internal/airpy"
	"airpy.internal/airpy/api"
	"airpy.internal/airpy/internal/livetest"
)

func TestMain(m *testing.M) { livetest.Main(m) }

const datasource = "energy-files"

// site is the example at work beside the real service.
type site struct {
	*backend
	url string
	ctx context.Context
}

func start(t *testing.T) *site {
	t.Helper()
	url, secret := livetest.Shared(t)
	return startOn(t, url, secret, filepath.Join(t.TempDir(), "example.db"))
}

func startOn(t *testing.T, url, secret, database string) *site {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	client, err := airpy.New(url, secret)
	if err != nil {
		t.Fatal(err)
	}
	store, err := openStore(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	backend := newBackend(ctx, client, store)
	server := httptest.NewServer(backend.routes())
	t.Cleanup(func() {
		cancel()
		server.Close()
		backend.background.Wait()
		store.close()
	})
	return &site{backend: backend, url: server.URL, ctx: ctx}
}

// ask gives the status and the body of an answer.
func (s *site) ask(t *testing.T, method, path, body string) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(s.ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer
}

func (s *site) dial(t *testing.T, path string) *websocket.Conn {
	t.Helper()
	socket, _, err := websocket.Dial(s.ctx, "ws"+strings.TrimPrefix(s.url, "http")+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	socket.SetReadLimit(16 << 20)
	t.Cleanup(func() { _ = socket.CloseNow() })
	return socket
}

func (s *site) next(t *testing.T, socket *websocket.Conn) message {
	t.Helper()
	var said message
	if err := wsjson.Read(s.ctx, socket, &said); err != nil {
		t.Fatal(err)
	}
	return said
}

// count gives the one number that an SQL query answers with.
func (s *site) count(t *testing.T, query string, arguments ...any) int64 {
	t.Helper()
	numbers, err := column[int64](s.ctx, s.store.write, query, arguments...)
	if err != nil || len(numbers) != 1 {
		t.Fatalf("%s: %v, %v", query, numbers, err)
	}
	return numbers[0]
}

func TestItIsHealthyBesideTheService(t *testing.T) {
	s := start(t)
	status, health := s.ask(t, "GET", "/healthz", "")
	if status != 200 || health["status"] != "ok" || health["airpy"] == "" {
		t.Errorf("%d: %v", status, health)
	}
}

func TestADataSetIsLearntAsNotes(t *testing.T) {
	s := start(t)
	status, learnt := s.ask(t, "POST", "/v1/datasources/energy-files/learn", `{"uri": "sites.csv"}`)
	if status != 200 || learnt["rows"] != 25.0 {
		t.Fatalf("%d: %v", status, learnt)
	}
	_, known := s.ask(t, "GET", "/v1/datasources/energy-files/notes", "")
	notes := known["notes"].([]any)
	if len(notes) != 1 || !strings.Contains(notes[0].(string), "| region | string | 0.0 % | 2 | north |") {
		t.Errorf("the notes are %v", notes)
	}
}

func TestAnAnswerIsStreamedAndItsSampleKept(t *testing.T) {
	s := start(t)
	socket := s.dial(t, "/v1/datasources/energy-files/query")
	plan := api.Plan{Dataset: "energy_parquet", Order: []api.Order{{Col: "timestamp"}, {Col: "site_id"}}}
	if err := wsjson.Write(s.ctx, socket, plan); err != nil {
		t.Fatal(err)
	}
	var first message
	rows, steps, columns := 0, 0, 0
	said := message{}
	for said.Type != "end" {
		switch said = s.next(t, socket); said.Type {
		case "progress":
			steps++
		case "schema":
			columns = len(said.Schema.Fields)
		case "rows":
			var part []map[string]any
			if err := json.Unmarshal(said.Rows, &part); err != nil {
				t.Fatal(err)
			}
			if rows == 0 {
				first = said
			}
			rows += len(part)
		case "error":
			t.Fatalf("got %+v", said.Error)
		}
	}
	if rows != 25*92*24 || said.Total != int64(rows) || steps < 5 || columns < 4 || !bytes.Contains(first.Rows, []byte("site_001")) {
		t.Errorf("%d rows of %d columns after %d steps; the end was %+v", rows, columns, steps, said)
	}
	if kept := s.count(t, `SELECT rows FROM queries WHERE token = ?`, said.Token); kept != int64(rows) {
		t.Errorf("%d rows are on record", kept)
	}
	if samples := s.count(t, `SELECT count(*) FROM samples WHERE token = ? AND row LIKE '%site_0%'`, said.Token); samples != sampleRows {
		t.Errorf("%d rows were kept as a sample", samples)
	}
}

func TestAWrongPlanIsToldAndTheNextOneRuns(t *testing.T) {
	s := start(t)
	socket := s.dial(t, "/v1/datasources/energy-files/query")
	for _, plan := range []api.Plan{{Dataset: "energy_parquetts"}, {Dataset: "sites", Select: []api.ColumnName{"region"}}} {
		if err := wsjson.Write(s.ctx, socket, plan); err != nil {
			t.Fatal(err)
		}
	}
	if said := s.next(t, socket); said.Error == nil || said.Error.Reason != "FILE_MISSING" || said.Error.RequestID == "" {
		t.Errorf("got %+v", said)
	}
	said := message{}
	for said.Type != "end" {
		if said = s.next(t, socket); said.Type == "error" {
			t.Fatalf("got %+v", said.Error)
		}
	}
	if said.Total != 25 {
		t.Errorf("the end was %+v", said)
	}
}

func TestTheQueryOfAClientThatHasGoneIsCancelled(t *testing.T) {
	bare := livetest.StartBare(t)
	bare.StartWorker(t)
	s := startOn(t, bare.URL, bare.Secret, filepath.Join(t.TempDir(), "example.db"))
	socket := s.dial(t, "/v1/datasources/energy-files/query")
	slow := api.Plan{
		Dataset: "ones.csv",
		Joins:   []api.Join{{Dataset: "ones.csv", On: []api.ColumnName{"one"}}},
		Aggs:    []api.Aggregation{{Col: "one", Fn: api.AggregateFunctionSum}},
	}
	if err := wsjson.Write(s.ctx, socket, slow); err != nil {
		t.Fatal(err)
	}
	token := s.next(t, socket).Token
	_ = socket.CloseNow()
	job, err := s.client.Wait(s.ctx, token, nil)
	if err != nil || job.Status != api.JobStatusCancelled {
		t.Errorf("the job is %+v: %v", job, err)
	}
}

func TestTheAnswerOfSQLGetsAVerdict(t *testing.T) {
	s := start(t)
	for query, wanted := range map[string]api.Verdict{
		`SELECT site_id, month, amount FROM bills`:                     api.VerdictWarn,
		`SELECT site_id, month, amount FROM bills WHERE amount < 2000`: api.VerdictPass,
	} {
		status, judged := s.ask(t, "POST", "/v1/analyses", asJSON(question{SQL: query}))
		if status != 200 || judged["verdict"] != string(wanted) {
			t.Errorf("%s: %d: %v", query, status, judged)
		}
		if kept := s.count(t, `SELECT count(*) FROM analyses WHERE sql = ? AND verdict = ?`, query, wanted); kept != 1 {
			t.Errorf("%s: %d were kept", query, kept)
		}
	}
	status, refused := s.ask(t, "POST", "/v1/analyses", `{"sql": "DELETE FROM bills"}`)
	if status != 400 || s.count(t, `SELECT count(*) FROM bills`) != 200 {
		t.Errorf("writing: %d: %v", status, refused)
	}
}

func TestAFindingNamesItsRows(t *testing.T) {
	s := start(t)
	_, judged := s.ask(t, "POST", "/v1/analyses", asJSON(question{SQL: `SELECT site_id, month, amount FROM bills`}))
	var findings []finding
	if err := json.Unmarshal([]byte(asJSON(judged["findings"])), &findings); err != nil || len(findings) != 1 {
		t.Fatalf("%v: %v", judged["findings"], err)
	}
	found := findings[0]
	dearest, err := column[float64](s.ctx, s.store.write, `SELECT max(amount) FROM bills`)
	if err != nil {
		t.Fatal(err)
	}
	if found.Rows != 1 || found.Share != 1.0/200 || len(found.First) != 1 || found.First[0].Values["amount"] != dearest[0] {
		t.Errorf("%+v; the dearest bill is of %v", found, dearest)
	}
	if len(found.Filter) == 0 {
		t.Error("no filter selects it")
	}
}

func TestTheWorstIssueMakesTheVerdict(t *testing.T) {
	for wanted, severities := range map[api.Verdict][]api.Severity{
		api.VerdictPass: {api.SeverityInfo},
		api.VerdictWarn: {api.SeverityWarning, api.SeverityInfo},
		api.VerdictFail: {api.SeverityWarning, api.SeverityError, api.SeverityInfo},
	} {
		issues := []api.Issue{}
		for _, severity := range severities {
			issues = append(issues, api.Issue{Severity: severity})
		}
		if got := verdictOn(issues); got != wanted {
			t.Errorf("%v: %s", severities, got)
		}
	}
}

func TestALongJobIsBroadcastToAll(t *testing.T) {
	s := start(t)
	sockets := []*websocket.Conn{s.dial(t, "/v1/progress"), s.dial(t, "/v1/progress")}
	for _, socket := range sockets {
		if said := s.next(t, socket); said.Type != "listening" {
			t.Fatalf("got %+v", said)
		}
	}
	plan := `{"dataset": "energy_parquet", "groupby": ["site_id"], "aggs": [{"col": "kwh", "fn": "sum"}]}`
	status, submitted := s.ask(t, "POST", "/v1/datasources/energy-files/jobs", plan)
	token := int64(submitted["token"].(float64))
	if status != http.StatusAccepted {
		t.Fatalf("%d: %v", status, submitted)
	}
	for _, socket := range sockets {
		steps := 0
		said := message{}
		for said.Type != "end" {
			if said = s.next(t, socket); said.Type == "progress" {
				steps++
			}
			if said.Token != token {
				t.Fatalf("got %+v", said)
			}
		}
		if steps < 5 || said.Total != 25 || said.Status != api.JobStatusCompleted {
			t.Errorf("after %d steps: %+v", steps, said)
		}
	}
	path := "/v1/jobs/" + asJSON(token)
	_, ended := s.ask(t, "GET", path, "")
	if rows := ended["result"].(map[string]any)["rows"].([]any); ended["status"] != "completed" || len(rows) != 25 {
		t.Errorf("kept %v", ended)
	}
}

func TestAJobIsFollowedThroughARestart(t *testing.T) {
	url, secret := livetest.Shared(t)
	database := filepath.Join(t.TempDir(), "example.db")
	before := startOn(t, url, secret, database)
	job, err := before.client.Query(before.ctx, api.QueryRequest{DatasourceID: datasource, Plan: api.Plan{Dataset: "sites"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := before.store.keepJob(before.ctx, job.Token, datasource, api.JobStatusStarted, ""); err != nil {
		t.Fatal(err)
	}
	after := startOn(t, url, secret, database)
	if err := after.resume(after.ctx); err != nil {
		t.Fatal(err)
	}
	after.background.Wait()
	if status, _, err := after.store.job(after.ctx, job.Token); err != nil || status != api.JobStatusCompleted {
		t.Errorf("the job is %s: %v", status, err)
	}
}

func TestDiscoveredFilesAreKept(t *testing.T) {
	s := start(t)
	status, found := s.ask(t, "POST", "/v1/datasources/energy-files/discover", `{"uri": "energy"}`)
	if status != 200 || found["total_files"] != 3.0 {
		t.Fatalf("%d: %v", status, found)
	}
	if rows := s.count(t, `SELECT sum(rows) FROM files WHERE datasource_id = ?`, datasource); rows != 25*92*24 {
		t.Errorf("%d rows are known", rows)
	}
}

func TestWhatIsWrongIsToldAsItIs(t *testing.T) {
	s := start(t)
	for path, wanted := range map[string]int{
		"/v1/datasources/energy-files/learn":    422,
		"/v1/datasources/energy-files/discover": 422,
		"/v1/datasources/energy-files/jobs":     400,
		"/v1/analyses":                          400,
	} {
		if status, told := s.ask(t, "POST", path, `{"uri": "nowhere.csv"}`); status != wanted || told["error"] == "" {
			t.Errorf("%s: %d: %v", path, status, told)
		}
		if status, told := s.ask(t, "POST", path, `{`); status != 400 || !strings.Contains(told["error"].(string), "JSON") {
			t.Errorf("%s: %d: %v", path, status, told)
		}
	}
	if status, _ := s.ask(t, "GET", "/v1/jobs/99999999", ""); status != 404 {
		t.Errorf("no job: %d", status)
	}
}
