package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	_ "modernc.org/sqlite" // the driver

	"airpy.internal/airpy/api"
)

const tables = `
CREATE TABLE IF NOT EXISTS schema_notes (
	datasource_id TEXT, uri TEXT, markdown TEXT, rows INTEGER, learned_at TEXT, PRIMARY KEY (datasource_id, uri));
CREATE TABLE IF NOT EXISTS queries (
	token INTEGER PRIMARY KEY, datasource_id TEXT, plan TEXT, columns TEXT, rows INTEGER, bytes INTEGER, asked_at TEXT);
CREATE TABLE IF NOT EXISTS samples (token INTEGER, position INTEGER, row TEXT, PRIMARY KEY (token, position));
CREATE TABLE IF NOT EXISTS analyses (
	token INTEGER PRIMARY KEY, sql TEXT, verdict TEXT, issues TEXT, metrics TEXT, made_at TEXT);
CREATE TABLE IF NOT EXISTS jobs (
	token INTEGER PRIMARY KEY, datasource_id TEXT, status TEXT, result TEXT, submitted_at TEXT);
CREATE TABLE IF NOT EXISTS files (
	datasource_id TEXT, path TEXT, format TEXT, size_bytes INTEGER, rows INTEGER, PRIMARY KEY (datasource_id, path));

-- Business data of the backend's own, so that there is something to ask in SQL.
CREATE TABLE IF NOT EXISTS bills (site_id TEXT, month TEXT, amount REAL);
INSERT INTO bills SELECT printf('site_%03d', 1 + n % 25), printf('2025-%02d', 1 + n / 25),
	CASE WHEN n = 77 THEN 90000.0 WHEN n % 10 = 3 THEN NULL ELSE 1000.0 + n % 7 * 10 END
	FROM (WITH RECURSIVE c(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM c WHERE n < 199) SELECT n FROM c)
	WHERE NOT EXISTS (SELECT 1 FROM bills);
`

// store keeps what the backend learns, in SQLite.
type store struct {
	write *sql.DB
	read  *sql.DB // cannot write: for SQL that comes from outside
}

func openStore(ctx context.Context, path string) (*store, error) {
	write, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1) // SQLite has one writer
	if _, err := write.ExecContext(ctx, tables); err != nil {
		_ = write.Close()
		return nil, fmt.Errorf("the database %s cannot be used: %w", path, err)
	}
	read, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)&_pragma=query_only(1)")
	if err != nil {
		_ = write.Close()
		return nil, err
	}
	return &store{write: write, read: read}, nil
}

func (s *store) close() {
	_ = s.read.Close()
	_ = s.write.Close()
}

// keepNotes stores what was learnt of a data set.
func (s *store) keepNotes(ctx context.Context, datasource, uri, markdown string, rows int64) error {
	_, err := s.write.ExecContext(ctx, `INSERT OR REPLACE INTO schema_notes VALUES (?, ?, ?, ?, ?)`, datasource, uri, markdown, rows, now())
	return err
}

// notes gives what is known of a data source, data set by data set.
func (s *store) notes(ctx context.Context, datasource string) ([]string, error) {
	return column[string](ctx, s.write, `SELECT markdown FROM schema_notes WHERE datasource_id = ? ORDER BY uri`, datasource)
}

// keepQuery stores a query's metadata and the first rows of its answer, all or nothing.
func (s *store) keepQuery(ctx context.Context, token int64, request api.QueryRequest, result *api.QueryResult) error {
	transaction, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = transaction.Rollback() }()
	_, err = transaction.ExecContext(ctx, `INSERT OR REPLACE INTO queries VALUES (?, ?, ?, ?, ?, ?, ?)`, token, request.DatasourceID,
		asJSON(request.Plan), asJSON(result.Schema.Fields), result.Metrics.Rows, result.Metrics.Bytes, now())
	if err != nil {
		return err
	}
	for position, row := range result.Rows[:min(len(result.Rows), sampleRows)] {
		if _, err := transaction.ExecContext(ctx, `INSERT OR REPLACE INTO samples VALUES (?, ?, ?)`, token, position, asJSON(row)); err != nil {
			return err
		}
	}
	return transaction.Commit()
}

// keepAnalysis stores the verdict on the answer of an SQL query.
func (s *store) keepAnalysis(ctx context.Context, token int64, query, verdict string, result *api.AnalyzeResult) error {
	_, err := s.write.ExecContext(ctx, `INSERT OR REPLACE INTO analyses VALUES (?, ?, ?, ?, ?, ?)`, token, query, verdict,
		asJSON(result.Issues), asJSON(result.Metrics), now())
	return err
}

// keepJob stores how a long job stands; result is empty while it is at work.
func (s *store) keepJob(ctx context.Context, token int64, datasource string, status api.JobStatus, result string) error {
	_, err := s.write.ExecContext(ctx, `INSERT INTO jobs VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (token) DO UPDATE SET status = excluded.status, result = excluded.result`, token, datasource, status, result, now())
	return err
}

// job gives how a long job stands.
func (s *store) job(ctx context.Context, token int64) (status api.JobStatus, result string, err error) {
	row := s.write.QueryRowContext(ctx, `SELECT status, result FROM jobs WHERE token = ?`, token)
	return status, result, row.Scan(&status, &result)
}

// unfinished gives the long jobs that were at work when the backend last stopped.
func (s *store) unfinished(ctx context.Context) ([]int64, error) {
	return column[int64](ctx, s.write, `SELECT token FROM jobs WHERE status = ? ORDER BY token`, api.JobStatusStarted)
}

// keepFiles stores the files of a data source in place of those that were known.
func (s *store) keepFiles(ctx context.Context, datasource string, files []api.DatasetFile) error {
	transaction, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = transaction.Rollback() }()
	if _, err := transaction.ExecContext(ctx, `DELETE FROM files WHERE datasource_id = ?`, datasource); err != nil {
		return err
	}
	for _, file := range files {
		_, err := transaction.ExecContext(ctx, `INSERT INTO files VALUES (?, ?, ?, ?, ?)`,
			datasource, file.Path, file.Format, file.SizeBytes, file.EstimatedRows)
		if err != nil {
			return err
		}
	}
	return transaction.Commit()
}

// column gives the first column of an answer.
func column[T any](ctx context.Context, database *sql.DB, query string, arguments ...any) ([]T, error) {
	rows, err := database.QueryContext(ctx, query, arguments...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	values := []T{}
	for rows.Next() {
		var value T
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, rows.Err()
}

// asJSON writes what came from JSON, and so can be written.
func asJSON(value any) string {
	text, _ := json.Marshal(value)
	return string(text)
}

func now() string { return time.Now().UTC().Format(time.RFC3339) }
