package airpy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.opentelemetry.io/otel/propagation"
)

const (
	tokenLife = time.Minute
	// headerTimeout is longer than what answers at once may take (PY_TIMEOUT_S), and than the longest wait for a job.
	headerTimeout = 100 * time.Second
	firstPause    = 200 * time.Millisecond
	longestPause  = 5 * time.Second
)

// sender sends the generated client's requests: signs each, and tries again what may pass. Every operation may be
// tried again: it only reads, or carries an idempotency key, or leaves the same state behind.
type sender struct {
	http     *http.Client
	secret   []byte
	subject  string
	patience time.Duration
	log      *slog.Logger
}

func newSender(secret string) *sender {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = headerTimeout
	transport.MaxIdleConnsPerHost = 64 // one host is all there is
	return &sender{
		http:     &http.Client{Transport: transport},
		secret:   []byte(secret),
		subject:  "go-backend",
		patience: time.Minute,
		log:      slog.New(slog.DiscardHandler),
	}
}

// Do gives the answer, whatever its status, once trying again makes no sense or patience is at its end.
func (s *sender) Do(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	deadline := time.Now().Add(s.patience)
	for attempt := 0; ; attempt++ {
		response, err := s.once(request)
		if ctx.Err() != nil || !mayPass(response, err) {
			return response, err
		}
		pause := pauseBefore(attempt, response)
		if until := time.Now().Add(pause); until.After(deadline) || endsBefore(ctx, until) {
			return response, err
		}
		s.log.WarnContext(ctx, "airpy call is tried again", "path", request.URL.Path, "pause", pause, "because", cause(response, err))
		discard(response)
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
		if request.GetBody != nil {
			if request.Body, err = request.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

func (s *sender) once(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	token, err := s.token()
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if id := RequestID(ctx); id != "" {
		request.Header.Set("X-Request-Id", id)
	}
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(request.Header))
	response, err := s.http.Do(request)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return response, err
}

// token signs anew for every request, which takes microseconds; so none is ever sent that has expired.
func (s *sender) token() (string, error) {
	now := time.Now()
	claims := jwt.RegisteredClaims{
		Subject:   s.subject,
		IssuedAt:  jwt.NewNumericDate(now),
		ExpiresAt: jwt.NewNumericDate(now.Add(tokenLife)),
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(s.secret)
}

// mayPass says whether the same request may succeed in a while: no room, no Redis, a gateway's own failure, or no
// answer at all.
func mayPass(response *http.Response, err error) bool {
	if err != nil {
		return errors.Is(err, ErrUnreachable)
	}
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// pauseBefore doubles with every attempt and is never shorter than the service asked for; chance keeps callers that
// were refused together from coming back together.
func pauseBefore(attempt int, response *http.Response) time.Duration {
	pause := min(firstPause<<min(attempt, 10), longestPause)
	pause = pause/2 + rand.N(pause/2)
	asked := retryAfter(response)
	if asked == 0 {
		return pause
	}
	return max(asked, pause) + rand.N(firstPause)
}

func retryAfter(response *http.Response) time.Duration {
	if response == nil {
		return 0
	}
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

func cause(response *http.Response, err error) string {
	if err != nil {
		return err.Error()
	}
	return response.Status
}

// discard reads what is left, within reason, so that the connection can be used again.
func discard(response *http.Response) {
	if response != nil {
		_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
		_ = response.Body.Close()
	}
}

func endsBefore(ctx context.Context, then time.Time) bool {
	deadline, bounded := ctx.Deadline()
	return bounded && deadline.Before(then)
}

func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
