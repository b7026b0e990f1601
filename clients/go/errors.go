package airpy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"airpy.internal/airpy/api"
)

// Error is what the service refused a call with, or what a job failed with. It matches, by errors.Is, the sentinel of
// its code and that of its reason.
type Error struct {
	// Status is the HTTP status; of a failed job, the one that its work would have had.
	Status int
	// Code is one of six.
	Code api.ErrorCode
	// Reason is the exact case, made for programs.
	Reason api.ErrorReason
	// Message is for a person to read.
	Message string
	// Field is the part of the request that is meant, as in "plan.filters[0].op"; empty when none is.
	Field string
	// Constraint is what it had to be; empty when there is none.
	Constraint string
	// Suggestion holds the nearest right answers, best first; or those that Repair puts in place.
	Suggestion []string
	// Repair is a change of the request, as a JSON Patch, that was tried and works.
	Repair api.JSONPatch
	// Fault is the place in a file where something is wrong.
	Fault *api.Fault
	// Violations is everything that breaks the contract, when that is more than one thing.
	Violations []api.Violation
	// PostMortem is what was last known of a job that died.
	PostMortem *api.PostMortem
	// RequestID finds the request in the service's logs.
	RequestID string
	// Retryable says whether the same request may succeed later.
	Retryable bool
	// RetryAfter is how long the service asks to be left alone; zero when it does not say.
	RetryAfter time.Duration
}

// Error gives the message with its reason and request id.
func (e *Error) Error() string {
	return fmt.Sprintf("airpy: %s (%s, request %s)", e.Message, e.Reason, e.RequestID)
}

// Is says whether target is the sentinel of the error's code or of its reason.
func (e *Error) Is(target error) bool {
	switch target := target.(type) {
	case codeError:
		return e.Code == api.ErrorCode(target)
	case reasonError:
		return e.Reason == api.ErrorReason(target)
	}
	return false
}

// Sentinels by code, for errors.Is.
var (
	// ErrValidation is a request that is wrong.
	ErrValidation error = codeError(api.ErrorCodeValidationError)
	// ErrIO is a file, or the queue, that cannot be reached or read.
	ErrIO error = codeError(api.ErrorCodeIOError)
	// ErrTimeout is work that took too long.
	ErrTimeout error = codeError(api.ErrorCodeTimeout)
	// ErrResourceCap is a limit of memory, rows, size or queue.
	ErrResourceCap error = codeError(api.ErrorCodeResourceCap)
	// ErrUnauthorized is a token that the service does not take; the two do not share a secret, or a clock.
	ErrUnauthorized error = codeError(api.ErrorCodeAuthError)
	// ErrInternal is a fault of the service's.
	ErrInternal error = codeError(api.ErrorCodeInternalError)
)

// Sentinels by reason, for errors.Is; Because gives that of any other reason.
var (
	// ErrQueueFull is a queue that has no room; 429.
	ErrQueueFull = Because(api.ErrorReasonQueueFull)
	// ErrQueueUnavailable is a service that does not reach its Redis; 503.
	ErrQueueUnavailable = Because(api.ErrorReasonQueueUnavailable)
	// ErrJobNotFound is a token that was never given out.
	ErrJobNotFound = Because(api.ErrorReasonJobNotFound)
	// ErrJobExpired is a job whose record, or whose result, is no longer kept.
	ErrJobExpired = Because(api.ErrorReasonJobExpired)
	// ErrResultNotReady is a job that has not ended.
	ErrResultNotReady = Because(api.ErrorReasonResultNotReady)
	// ErrNoResultFrame is a job that has no frame to download.
	ErrNoResultFrame = Because(api.ErrorReasonNoResultFrame)
	// ErrNoDeadLetter is a token of which there is no dead letter, or none any more.
	ErrNoDeadLetter = Because(api.ErrorReasonNoDeadLetter)
	// ErrIdempotencyKeyReused is a key that came with another request before; 409.
	ErrIdempotencyKeyReused = Because(api.ErrorReasonIdempotencyKeyReused)
	// ErrFileMissing is a data set that is not there; Suggestion has the nearest names.
	ErrFileMissing = Because(api.ErrorReasonFileMissing)
	// ErrPathRefused is a path outside the base path.
	ErrPathRefused = Because(api.ErrorReasonPathRefused)
	// ErrUnknownColumn is a column that the data set does not have; Suggestion has the nearest names.
	ErrUnknownColumn = Because(api.ErrorReasonUnknownColumn)
	// ErrMemoryCap is a job that needed more memory than it may use.
	ErrMemoryCap = Because(api.ErrorReasonMemoryCap)
)

// Errors that the service does not send.
var (
	// ErrUnreachable is a call that got no answer.
	ErrUnreachable = errors.New("the service cannot be reached")
	// ErrCancelled is a job that was cancelled, and so has no result.
	ErrCancelled = errors.New("the job was cancelled")
)

// Because gives the sentinel of a reason, as in errors.Is(err, airpy.Because(api.ErrorReasonCastFailed)).
func Because(reason api.ErrorReason) error { return reasonError(reason) }

type (
	codeError   api.ErrorCode
	reasonError api.ErrorReason
)

func (c codeError) Error() string   { return "airpy: " + string(c) }
func (r reasonError) Error() string { return "airpy: " + string(r) }

// longestRefusal bounds what is read of an answer that reports an error.
const longestRefusal = 1 << 20

// refusal reads the error envelope of an answer. Something else than the service may have answered, as a gateway does.
func refusal(response *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(response.Body, longestRefusal))
	var envelope api.ErrorEnvelope
	if json.Unmarshal(body, &envelope) != nil || envelope.Error.Code == "" {
		told := strings.TrimSpace(string(body[:min(len(body), 200)]))
		return fmt.Errorf("%s is no AIR-Py: it answered %s: %s", response.Request.URL.Host, response.Status, told)
	}
	refused := newError(response.StatusCode, envelope.Error)
	refused.RetryAfter = retryAfter(response)
	return refused
}

// suggested gives the nearest right answers, and the change that puts one of them in place where that was tried.
func suggested(told api.Suggestion) (nearest []string, repair api.JSONPatch) {
	if answers, err := told.AsNearestAnswers(); err == nil {
		return answers, nil
	}
	repair, err := told.AsJSONPatch()
	if err != nil {
		return nil, nil
	}
	for _, operation := range repair {
		if answer, isText := operation.Value.(string); isText {
			nearest = append(nearest, answer)
		}
	}
	return nearest, repair
}

func newError(status int, told api.Error) *Error {
	suggestion, repair := suggested(told.Details.Suggestion)
	return &Error{
		Status:     status,
		Code:       told.Code,
		Reason:     told.Details.Reason,
		Message:    told.Message,
		Field:      deref(told.Details.Field),
		Constraint: deref(told.Details.Constraint),
		Suggestion: suggestion,
		Repair:     repair,
		Fault:      told.Details.Fault,
		Violations: told.Details.Violations,
		PostMortem: told.Details.PostMortem,
		RequestID:  told.RequestID,
		Retryable:  told.Details.Retryable,
	}
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
