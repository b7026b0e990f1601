package airpy

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"airpy.internal/airpy/api"
)

// mediaTypes are those of the formats that a result comes in.
var mediaTypes = map[api.FrameFormat]string{
	api.FrameFormatArrow:   "application/vnd.apache.arrow.stream",
	api.FrameFormatParquet: "application/vnd.apache.parquet",
}

// mostBreaks is how often a download may break without a byte in between.
const mostBreaks = 5

// Records is the stream of a result's record batches, one in memory at a time.
type Records struct {
	file   *File
	reader *ipc.Reader
}

// Download streams the result frame of a query that has completed. A connection that breaks is taken up where it
// broke. Close it in the end.
func (c *Client) Download(ctx context.Context, token int64) (*Records, error) {
	file, err := c.Open(ctx, token, api.FrameFormatArrow)
	if err != nil {
		return nil, err
	}
	reader, err := ipc.NewReader(file)
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("the result of job %d cannot be read: %w", token, err)
	}
	return &Records{file: file, reader: reader}, nil
}

// Schema gives the frame's columns.
func (r *Records) Schema() *arrow.Schema { return r.reader.Schema() }

// Rows gives how many rows the whole frame has.
func (r *Records) Rows() int64 { return r.file.Rows }

// All goes through the record batches, once. A batch is released when the next one is asked for: Retain one that is
// to be kept. An error ends the stream.
func (r *Records) All() iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for r.reader.Next() {
			if !yield(r.reader.RecordBatch(), nil) {
				return
			}
		}
		if err := r.reader.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// Close lets go of the connection and of the last batch.
func (r *Records) Close() error {
	r.reader.Release()
	return r.file.Close()
}

// File is a result as the service keeps it: an Arrow IPC stream or a Parquet file. Reading goes on, after a connection
// broke, where it broke.
type File struct {
	// Rows is how many rows the whole frame has.
	Rows int64
	// Bytes is how long the whole file is.
	Bytes int64

	client *Client
	ctx    context.Context
	token  int64
	accept string
	etag   string
	body   io.ReadCloser
	read   int64
	breaks int
}

// Open gives the result of a query that has completed, as a file of the format. Close it in the end.
func (c *Client) Open(ctx context.Context, token int64, format api.FrameFormat) (*File, error) {
	accept, known := mediaTypes[format]
	if !known {
		return nil, fmt.Errorf("a result comes as %q or %q; got %q", api.FrameFormatArrow, api.FrameFormatParquet, format)
	}
	file := &File{client: c, ctx: ctx, token: token, accept: accept}
	response, err := file.ask("")
	if err != nil {
		return nil, err
	}
	file.body = response.Body
	file.etag = response.Header.Get("ETag")
	file.Bytes = response.ContentLength
	if file.Rows, err = strconv.ParseInt(response.Header.Get("X-Arrow-Rows"), 10, 64); err != nil || file.Bytes < 0 {
		_ = file.Close()
		return nil, fmt.Errorf("the answer of job %d does not say how long its result is", token)
	}
	return file, nil
}

// Read gives the file's next bytes.
func (f *File) Read(into []byte) (int, error) {
	for {
		n, err := f.body.Read(into)
		f.read += int64(n)
		if n > 0 {
			f.breaks = 0
			return n, nil
		}
		switch {
		case f.read >= f.Bytes:
			return 0, io.EOF
		case err == nil:
			continue
		case f.ctx.Err() != nil:
			return 0, f.ctx.Err()
		case f.breaks >= mostBreaks:
			return 0, fmt.Errorf("the download of job %d broke at byte %d of %d: %w", f.token, f.read, f.Bytes, err)
		}
		f.breaks++
		if err := f.resume(); err != nil {
			return 0, err
		}
	}
}

// Close lets go of the connection.
func (f *File) Close() error { return f.body.Close() }

func (f *File) resume() error {
	_ = f.body.Close()
	response, err := f.ask(fmt.Sprintf("bytes=%d-", f.read))
	if err != nil {
		return err
	}
	f.body = response.Body
	if response.StatusCode != http.StatusPartialContent {
		return fmt.Errorf("the result of job %d changed under its download", f.token)
	}
	return nil
}

// ask gives the answer to a request for the file, or for a range of it.
func (f *File) ask(byteRange string) (*http.Response, error) {
	response, err := f.client.api.DownloadJob(f.ctx, f.token, uncompressed, func(_ context.Context, request *http.Request) error {
		request.Header.Set("Accept", f.accept)
		if byteRange != "" {
			request.Header.Set("Range", byteRange)
			request.Header.Set("If-Range", f.etag)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 != 2 {
		defer func() { _ = response.Body.Close() }()
		return nil, refusal(response)
	}
	return response, nil
}
