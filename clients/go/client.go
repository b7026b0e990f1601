package airpy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"airpy.internal/airpy/api"
)

// Client calls one service. It may be used by many goroutines at once; there is nothing to close.
type Client struct {
	api  *api.Client
	send *sender
}

// Option changes how a Client calls.
type Option func(*sender)

// WithHTTPClient has requests sent by a client of your own. It must not bound whole requests by a Timeout, which
// would cut downloads and streams; bound them by their context.
func WithHTTPClient(client *http.Client) Option {
	return func(s *sender) { s.http = client }
}

// WithPatience sets for how long a call is tried again while the service is away or has no room; a minute unless
// said otherwise. Zero tries once. A context that ends earlier ends the call.
func WithPatience(patience time.Duration) Option {
	return func(s *sender) { s.patience = patience }
}

// WithSubject names the caller in the tokens it signs; "go-backend" unless said otherwise.
func WithSubject(subject string) Option {
	return func(s *sender) { s.subject = subject }
}

// WithLogger has every further try of a call told to the logger, as a warning.
func WithLogger(logger *slog.Logger) Option {
	return func(s *sender) { s.log = logger }
}

// New gives a client of the service at serviceURL, as in "http://127.0.0.1:9001", that signs with the shared secret
// (PY_AUTH_SECRET). It calls nothing yet.
func New(serviceURL, secret string, options ...Option) (*Client, error) {
	parsed, err := url.Parse(serviceURL)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return nil, fmt.Errorf("the service's URL must be http://host:port or https://…; got %q", serviceURL)
	}
	if secret == "" {
		return nil, errors.New("the shared secret is empty; it is the service's PY_AUTH_SECRET")
	}
	send := newSender(secret)
	for _, option := range options {
		option(send)
	}
	generated, err := api.NewClient(strings.TrimSuffix(serviceURL, "/"), api.WithHTTPClient(send))
	if err != nil {
		return nil, err
	}
	return &Client{api: generated, send: send}, nil
}

// Health gives versions, memory, workers and the next token.
func (c *Client) Health(ctx context.Context) (*api.Health, error) {
	return decoded[api.Health](c.api.GetHealth(ctx))
}

// Limits gives the caps, the queue and what would be refused now.
func (c *Client) Limits(ctx context.Context) (*api.Limits, error) {
	return decoded[api.Limits](c.api.GetLimits(ctx))
}

// Preview gives the first rows of a data set, at once.
func (c *Client) Preview(ctx context.Context, request api.PreviewRequest) (*api.Preview, error) {
	return decoded[api.Preview](c.api.PreviewFile(ctx, request))
}

// decoded gives an answer's body by its type, or the refusal that it was.
func decoded[T any](response *http.Response, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	defer discard(response)
	if response.StatusCode/100 != 2 {
		return nil, refusal(response)
	}
	body := new(T)
	if err := exact(json.NewDecoder(response.Body)).Decode(body); err != nil {
		return nil, fmt.Errorf("the answer to %s cannot be read: %w", response.Request.URL.Path, err)
	}
	return body, nil
}

// exact has numbers of rows read as json.Number, since a float64 does not hold every 64-bit integer.
func exact(decoder *json.Decoder) *json.Decoder {
	decoder.UseNumber()
	return decoder
}
