// Command example is a small backend that owns users, SQL and WebSockets, and leaves files to AIR-Py. It shows the five
// ways in which a backend uses the service: learning a data set, querying it, analysing the result of an SQL query,
// following a long job, and discovery.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"airpy.internal/airpy"
)

const stopGrace = 10 * time.Second

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	settings, err := readSettings()
	if err != nil {
		return err
	}
	client, err := airpy.New(settings.airpyURL, settings.secret, airpy.WithLogger(slog.Default()))
	if err != nil {
		return err
	}
	store, err := openStore(ctx, settings.database)
	if err != nil {
		return err
	}
	defer store.close()
	backend := newBackend(ctx, client, store)
	if err := backend.resume(ctx); err != nil {
		return err
	}
	server := &http.Server{Addr: settings.listen, Handler: backend.routes(), ReadHeaderTimeout: stopGrace}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
		defer cancel()
		_ = server.Shutdown(patience)
	}()
	slog.Info("the example listens", "url", "http://"+settings.listen, "airpy", settings.airpyURL, "database", settings.database)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-stopped // requests at work have been answered, or have had their time
	backend.background.Wait()
	return nil
}
