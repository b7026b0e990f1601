// Command bench downloads a large result through the client, beside curl in the same run, and tells the throughput of
// both and the client's peak of memory.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"airpy.internal/airpy"
	"airpy.internal/airpy/api"
	"airpy.internal/airpy/internal/livetest"
)

// makeData writes hourly figures like those of the sample data, with a whole number, a text, a time and two floats.
const makeData = `
import sys
import polars as pl
rows = int(sys.argv[1])
n = pl.int_range(rows, eager=True).alias("n")
frame = pl.LazyFrame({"n": n}).with_columns(
    site_id=pl.format("site_{}", pl.col("n") % 1000),
    timestamp=pl.datetime(2025, 1, 1, time_zone="UTC") + pl.duration(seconds=pl.col("n")),
    kwh=pl.col("n").sin() * 100,
    cost=pl.col("n").cos() * 10,
)
frame.collect().write_parquet(sys.argv[2])
`

func main() {
	rows := flag.Int64("rows", 10_000_000, "rows of the result")
	times := flag.Int("times", 3, "downloads by each, in turns; the fastest counts")
	flag.Parse()
	if err := run(*rows, *times); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(rows int64, times int) error {
	state, err := os.MkdirTemp("", "airpy-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(state) }()
	if err := livetest.Python(makeData, fmt.Sprint(rows), filepath.Join(state, "large.parquet")); err != nil {
		return err
	}
	url, secret, stop, err := livetest.Up(state, state)
	if err != nil {
		return err
	}
	defer stop()
	client, err := airpy.New(url, secret)
	if err != nil {
		return err
	}
	ctx := context.Background()
	job, err := client.Query(ctx, api.QueryRequest{
		DatasourceID: "bench", Plan: api.Plan{Dataset: "large.parquet"}, Output: api.OutputFormatArrow,
	})
	if err != nil {
		return err
	}
	// Not job.Wait, which reads the first 50,000 rows from the record's JSON: they would be what is measured.
	if _, err := client.Wait(ctx, job.Token, nil); err != nil {
		return err
	}
	file, err := client.Open(ctx, job.Token, api.FrameFormatArrow)
	if err != nil {
		return err
	}
	_ = file.Close()
	megabytes := float64(file.Bytes) / 1e6
	fmt.Printf("%d rows, %.0f MB as an Arrow stream\n", file.Rows, megabytes)

	var curls, clients []time.Duration
	for range times {
		took, err := timed(func() error { return curl(fmt.Sprintf("%s/v1/py/jobs/%d/download", url, job.Token), secret) })
		if err != nil {
			return err
		}
		curls = append(curls, took)
		took, err = timed(func() error { return download(ctx, client, job.Token, rows) })
		if err != nil {
			return err
		}
		clients = append(clients, took)
	}
	curlRate, clientRate := megabytes/slices.Min(curls).Seconds(), megabytes/slices.Min(clients).Seconds()
	peak, err := peakMemory()
	if err != nil {
		return err
	}
	fmt.Printf("curl        %7.0f MB/s\n", curlRate)
	fmt.Printf("the client  %7.0f MB/s, %.2f of curl's\n", clientRate, clientRate/curlRate)
	fmt.Printf("peak memory of the Go process (VmHWM): %s\n", peak)
	return nil
}

func download(ctx context.Context, client *airpy.Client, token, wanted int64) error {
	records, err := client.Download(ctx, token)
	if err != nil {
		return err
	}
	defer func() { _ = records.Close() }()
	rows := int64(0)
	for batch, err := range records.All() {
		if err != nil {
			return err
		}
		rows += batch.NumRows()
	}
	if rows != wanted {
		return fmt.Errorf("%d rows came of %d", rows, wanted)
	}
	return nil
}

func curl(url, secret string) error {
	claims := jwt.RegisteredClaims{ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Minute))}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	if err != nil {
		return err
	}
	return exec.Command("curl", "-sSf", "-o", os.DevNull, "-H", "Authorization: Bearer "+token, url).Run()
}

func timed(work func() error) (time.Duration, error) {
	begun := time.Now()
	err := work()
	return time.Since(begun), err
}

// peakMemory gives the most memory that this process has had, as the kernel counts it.
func peakMemory() (string, error) {
	status, err := os.Open("/proc/self/status")
	if err != nil {
		return "", err
	}
	defer func() { _ = status.Close() }()
	lines := bufio.NewScanner(status)
	for lines.Scan() {
		if peak, found := strings.CutPrefix(lines.Text(), "VmHWM:"); found {
			return strings.TrimSpace(peak), nil
		}
	}
	return "", fmt.Errorf("the kernel does not tell VmHWM: %w", lines.Err())
}
