package airpy_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"airpy.internal/airpy"
	"airpy.internal/airpy/api"
)

// connect gives a client of the service that the environment names.
func connect() (context.Context, *airpy.Client) {
	client, err := airpy.New(os.Getenv("AIRPY_URL"), os.Getenv("PY_AUTH_SECRET"))
	if err != nil {
		log.Fatal(err)
	}
	return context.Background(), client
}

func Example() {
	ctx, client := connect()
	job, err := client.Query(ctx, api.QueryRequest{
		DatasourceID: "energy-files",
		Plan: api.Plan{
			Dataset: "energy_parquet",
			Filters: []api.Filter{{Col: "timestamp", Op: api.FilterOperatorGe, Val: "2025-09-01T00:00:00Z"}},
			Groupby: []api.ColumnName{"site_id"},
			Aggs:    []api.Aggregation{{Fn: api.AggregateFunctionCount, As: "hours"}},
			Limit:   2,
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	result, err := job.Wait(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, row := range result.Rows {
		fmt.Println(row["site_id"], row["hours"])
	}
	// Output:
	// site_001 720
	// site_002 720
}

func ExampleNew() {
	client, err := airpy.New("http://127.0.0.1:9001", "the secret of PY_AUTH_SECRET", airpy.WithPatience(10*time.Second))
	fmt.Println(client != nil, err)
	// Output: true <nil>
}

func ExampleClient_Preview() {
	ctx, client := connect()
	preview, err := client.Preview(ctx, api.PreviewRequest{DatasourceID: "energy-files", Path: "sites.csv", Limit: 2})
	if err != nil {
		log.Fatal(err)
	}
	for _, row := range preview.Rows {
		fmt.Println(row["site_id"], row["region"])
	}
	// Output:
	// site_001 north
	// site_002 south
}

func ExampleJob_Wait() {
	ctx, client := connect()
	job, err := client.Discover(ctx, api.DiscoverRequest{DatasourceID: "energy-files", URI: "energy"})
	if err != nil {
		log.Fatal(err)
	}
	told := 0
	found, err := job.Wait(ctx, func(p airpy.Progress) {
		if p.Steps > told { // and not only a little further
			told = p.Steps
			fmt.Println(p.Step.Step)
		}
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.TotalFiles, "files")
	// Output:
	// scanning_directory
	// files_found
	// discovery_complete
	// 3 files
}

func ExampleClient_Download() {
	ctx, client := connect()
	job, err := client.Query(ctx, api.QueryRequest{
		DatasourceID: "energy-files",
		Plan:         api.Plan{Dataset: "energy_parquet"},
		Output:       api.OutputFormatArrow,
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := job.Wait(ctx, nil); err != nil {
		log.Fatal(err)
	}
	records, err := client.Download(ctx, job.Token)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = records.Close() }()
	rows := int64(0)
	for batch, err := range records.All() {
		if err != nil {
			log.Fatal(err)
		}
		rows += batch.NumRows()
	}
	fmt.Println(rows, "rows")
	// Output: 55200 rows
}

func ExampleClient_Jobs() {
	ctx, client := connect()
	for job, err := range client.Jobs(ctx, airpy.JobFilter{Status: api.JobStatusRunning}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(job.Token, job.JobType)
	}
}

func ExampleError() {
	ctx, client := connect()
	_, err := client.Preview(ctx, api.PreviewRequest{DatasourceID: "energy-files", Path: "site.csv"})
	var refused *airpy.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Reason, refused.Suggestion)
	}
	fmt.Println(errors.Is(err, airpy.ErrFileMissing))
	// Output:
	// FILE_MISSING [sites.csv]
	// true
}
