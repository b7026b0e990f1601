package airpy_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"airpy.internal/airpy"
	"airpy.internal/airpy/internal/livetest"
)

func TestMain(m *testing.M) { livetest.Main(m) }

const (
	datasource = "energy-files"
	testTime   = 3 * time.Minute
)

// shared gives a client of the whole service, and a context that ends before the tests do.
func shared(t *testing.T, options ...airpy.Option) (context.Context, *airpy.Client) {
	t.Helper()
	url, secret := livetest.Shared(t)
	return clientOf(t, url, secret, options...)
}

func clientOf(t *testing.T, url, secret string, options ...airpy.Option) (context.Context, *airpy.Client) {
	t.Helper()
	client, err := airpy.New(url, secret, options...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), testTime)
	t.Cleanup(cancel)
	return ctx, client
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// whenTold is a logger that tells the channel of every record.
func whenTold(records chan<- struct{}) *slog.Logger {
	return slog.New(slog.NewTextHandler(writer(func([]byte) { records <- struct{}{} }), nil))
}

type writer func([]byte)

func (w writer) Write(record []byte) (int, error) {
	w(record)
	return len(record), nil
}
