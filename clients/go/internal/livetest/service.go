// Package livetest runs the real service for the tests and the benchmark: the whole of it, or its server alone with a Redis to stop.
package livetest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"airpy.internal/airpy"
)

const (
	secret    = "a secret that only these tests know of"
	readyTime = 3 * time.Minute
)

// shared is the whole service, with the sample data, that a package's tests use together.
var shared struct {
	url, secret string
	err         error
}

// Main runs a package's tests beside one service, which AIRPY_URL and PY_AUTH_SECRET name from then on: one that is
// started, unless AIRPY_URL names one already. Where airpy is missing it says so, and what needs it is skipped.
func Main(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	flag.Parse()
	if url := os.Getenv("AIRPY_URL"); url != "" {
		shared.url, shared.secret = url, os.Getenv("PY_AUTH_SECRET")
		return m.Run()
	}
	var stop func()
	shared.url, stop, shared.err = whole()
	if errors.Is(shared.err, errMissing) {
		fmt.Fprintf(os.Stderr, "SKIP: %v\n", shared.err)
		_ = flag.Set("test.skip", "^Example") // an example cannot skip itself
		return m.Run()
	}
	if shared.err != nil {
		fmt.Fprintln(os.Stderr, shared.err)
		return 1
	}
	defer stop()
	shared.secret = secret
	_ = os.Setenv("AIRPY_URL", shared.url)
	_ = os.Setenv("PY_AUTH_SECRET", secret)
	return m.Run()
}

// Shared gives where the whole service is and the secret it knows.
func Shared(t testing.TB) (url, secret string) {
	t.Helper()
	skipOrFail(t, shared.err)
	return shared.url, shared.secret
}

// whole starts Redis, server, worker and sample data, as `make run` does.
func whole() (url string, stop func(), err error) {
	state, err := os.MkdirTemp("", "airpy-go-")
	if err != nil {
		return "", nil, err
	}
	url, halt, err := up(state, nil, "--demo")
	if err != nil {
		_ = os.RemoveAll(state)
		return "", nil, err
	}
	return url, func() {
		halt()
		_ = os.RemoveAll(state)
	}, nil
}

// Up starts Redis, server and worker on the data under base and gives where the server is, the secret it knows, and
// what stops them. What it writes lies under state.
func Up(state, base string) (url, known string, stop func(), err error) {
	url, stop, err = up(state, []string{"PY_BASE_PATH=" + base})
	return url, secret, stop, err
}

// Python runs a script with the service's own Python.
func Python(script string, arguments ...string) error {
	airpy, err := executable()
	if err != nil {
		return err
	}
	command := exec.Command(filepath.Join(filepath.Dir(airpy), "python"), append([]string{"-c", script}, arguments...)...)
	command.Stderr = os.Stderr
	return command.Run()
}

func up(state string, settings []string, options ...string) (url string, stop func(), err error) {
	program, err := executable()
	if err != nil {
		return "", nil, err
	}
	port, err := freePort()
	if err != nil {
		return "", nil, err
	}
	// What one test asks, another may have asked before it.
	own := []string{"PY_STATE_PATH=" + state, "PY_AUTH_SECRET=" + secret, "PY_ENV=dev", "PY_CACHE_MB=0"}
	environment := append(own, settings...)
	log := filepath.Join(state, "up.log")
	arguments := append([]string{"up", "--port", fmt.Sprint(port)}, options...)
	service, err := start(state, log, environment, program, arguments...)
	if err != nil {
		return "", nil, err
	}
	url = fmt.Sprintf("http://127.0.0.1:%d", port)
	if err := ready(url, service, log, 1); err != nil {
		service.stop()
		return "", nil, err
	}
	return url, service.stop, nil
}

// ready waits until the service answers with so many workers.
func ready(url string, p *process, log string, workers int) error {
	client, err := airpy.New(url, secret, airpy.WithPatience(0))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTime)
	defer cancel()
	for {
		health, err := client.Health(ctx)
		if err == nil && health.WorkersActive >= workers {
			return nil
		}
		select {
		case <-p.ended:
			err = errors.New("it has ended")
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
			continue
		}
		said, _ := os.ReadFile(log)
		return fmt.Errorf("the service did not come up at %s: %w\n%s", url, err, said)
	}
}

// Bare is a server without a worker, so that jobs stay in line, on a Redis of its own. It has two data sets: few.csv, and
// ones.csv, which joined with itself keeps a worker busy for some seconds.
type Bare struct {
	// URL is where the server is.
	URL string
	// Secret is the one it knows.
	Secret string

	folder      string
	environment []string
	redis       *process
}

// StartBare starts one for a test, with more settings as in "PY_MAX_QUEUED_JOBS=1". It ends with the test.
func StartBare(t testing.TB, settings ...string) *Bare {
	t.Helper()
	program, err := executable()
	skipOrFail(t, err)
	_, err = redisServer()
	skipOrFail(t, err)
	port, err := freePort()
	skipOrFail(t, err)
	folder, err := os.MkdirTemp("", "airpy-go-") // a short path: that of a socket must be
	skipOrFail(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	b := &Bare{URL: fmt.Sprintf("http://127.0.0.1:%d", port), Secret: secret, folder: folder}
	b.environment = append([]string{
		"REDIS_URL=unix://" + b.socket(), "PY_STATE_PATH=" + folder, "PY_BASE_PATH=" + folder,
		"PY_AUTH_SECRET=" + secret, "PY_ENV=dev",
	}, settings...)
	skipOrFail(t, os.WriteFile(filepath.Join(folder, "few.csv"), []byte("n,name\n1,one\n2,two\n"), 0o600))
	skipOrFail(t, os.WriteFile(filepath.Join(folder, "ones.csv"), []byte("one\n"+strings.Repeat("1\n", 20_000)), 0o600))
	b.StartRedis(t)
	t.Cleanup(b.StopRedis)
	log := filepath.Join(folder, "serve.log")
	server, err := start(folder, log, b.environment, program, "serve", "--host", "127.0.0.1", "--port", fmt.Sprint(port))
	skipOrFail(t, err)
	t.Cleanup(server.stop)
	skipOrFail(t, ready(b.URL, server, log, 0))
	return b
}

// StartRedis starts Redis, with what it held when it was stopped.
func (b *Bare) StartRedis(t testing.TB) {
	t.Helper()
	server, err := redisServer()
	skipOrFail(t, err)
	b.redis, err = start(b.folder, filepath.Join(b.folder, "redis.log"), nil, server,
		"--port", "0", "--unixsocket", b.socket(), "--dir", b.folder, "--save", "", "--appendonly", "yes")
	skipOrFail(t, err)
}

// StartWorker starts a worker until the test ends.
func (b *Bare) StartWorker(t testing.TB) {
	t.Helper()
	program, err := executable()
	skipOrFail(t, err)
	worker, err := start(b.folder, filepath.Join(b.folder, "worker.log"), b.environment, program, "worker")
	skipOrFail(t, err)
	t.Cleanup(worker.stop)
}

// KillJob kills the process that does a job, once there is one: the one that writes into the job's folder.
func (b *Bare) KillJob(ctx context.Context, t testing.TB, token int64) {
	t.Helper()
	folder := filepath.Join(b.folder, "results", fmt.Sprintf("%d-", token))
	for ctx.Err() == nil {
		links, err := filepath.Glob("/proc/[0-9]*/fd/*")
		skipOrFail(t, err)
		for _, link := range links {
			open, err := os.Readlink(link)
			if err != nil || !strings.HasPrefix(open, folder) {
				continue // most processes are not ours, and many have ended
			}
			pid, err := strconv.Atoi(strings.Split(link, "/")[2])
			skipOrFail(t, err)
			skipOrFail(t, syscall.Kill(pid, syscall.SIGKILL))
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("no process ever did job %d", token)
}

// StopRedis stops Redis.
func (b *Bare) StopRedis() { b.redis.stop() }

func (b *Bare) socket() string { return filepath.Join(b.folder, "redis.sock") }
