package api

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

const (
	// keepAnswers is how long the answer to an Idempotency-Key is given again.
	keepAnswers = 24 * time.Hour
	// maxKey is the length of an Idempotency-Key.
	maxKey = 255
	// settleWithin bounds the end of a request whose client may be gone.
	settleWithin = 10 * time.Second
)

// idempotencyKey reads the header; false when there is none or the route has no
// actor to keep it for.
func (s *server) idempotencyKey(c *call) (uptime.IdempotencyKey, bool, error) {
	given := c.r.Header.Values("Idempotency-Key")
	if len(given) == 0 || c.r.Method != http.MethodPost || c.route.access.has(anyone) {
		return uptime.IdempotencyKey{}, false, nil
	}
	key := given[0]
	printable := !strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' })
	if len(given) > 1 || key == "" || len(key) > maxKey || !printable {
		return uptime.IdempotencyKey{}, false, &uptime.Error{
			Code: uptime.CodeMalformed, Detail: "The Idempotency-Key cannot be used.",
			Fields: []uptime.FieldError{{Field: "Idempotency-Key", Message: fmt.Sprintf("must be 1 to %d printable ASCII characters", maxKey)}},
		}
	}
	// A body may hold a password: what is stored of it must not let it be guessed.
	// The same request in another workspace of the same person is another one.
	request := fmt.Appendf(nil, "%d %s %s\n%s", c.actor.WorkspaceID, c.r.Method, c.r.URL.EscapedPath(), c.body)
	id := uptime.IdempotencyKey{Actor: c.actor.Key(), Key: key, BodyHash: s.Digest(request)}
	if s.OlderDigests != nil {
		id.Older = s.OlderDigests(request)
	}
	return id, true, nil
}

// runOnce runs the handler unless the same request was answered before. Only
// answers that did something are kept.
func (s *server) runOnce(c *call, key uptime.IdempotencyKey) (*encoded, error) {
	ctx := c.r.Context()
	kept, err := s.Answers.BeginIdempotent(ctx, key, keepAnswers)
	if err != nil {
		return nil, err
	}
	if kept != nil {
		return s.replay(c, key, *kept)
	}
	finished := false
	settle := context.WithoutCancel(ctx) // the client may go before the end
	defer func() {
		if !finished { // an error or a panic
			s.abandon(settle, key)
		}
	}()
	answer, err := c.handle()
	if err != nil || answer == nil || answer.status >= http.StatusBadRequest {
		return answer, err
	}
	finished = true
	s.keep(settle, c, key, *answer)
	return answer, nil
}

func (s *server) abandon(ctx context.Context, key uptime.IdempotencyKey) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	if err := s.Answers.AbandonIdempotent(ctx, key); err != nil {
		s.Log.WarnContext(ctx, "free idempotency key", "error", err)
	}
}

// keep stores the answer. It is given even when that fails: what it speaks of is
// done.
func (s *server) keep(ctx context.Context, c *call, key uptime.IdempotencyKey, answer encoded) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	stored := uptime.StoredAnswer{Status: answer.status, Header: answer.header, Body: answer.body}
	if c.route.access.has(secret) {
		sealed, err := s.Sealer.Seal(manage.AnswerPlace(key), string(answer.body))
		if err != nil {
			s.Log.ErrorContext(ctx, "seal answer", "error", err)
			s.abandon(ctx, key)
			return
		}
		stored.Body = []byte(sealed)
	}
	if err := s.Answers.FinishIdempotent(ctx, key, stored); err != nil {
		s.Log.WarnContext(ctx, "keep answer for its idempotency key", "error", err)
	}
}

func (s *server) replay(c *call, key uptime.IdempotencyKey, kept uptime.StoredAnswer) (*encoded, error) {
	answer := &encoded{status: kept.Status, header: map[string]string{"Idempotency-Replayed": "true"}, body: kept.Body}
	maps.Copy(answer.header, kept.Header)
	if c.route.access.has(secret) {
		key.BodyHash = kept.BodyHash // that of another key, perhaps
		opened, err := s.Sealer.Open(manage.AnswerPlace(key), string(kept.Body))
		if err != nil {
			return nil, fmt.Errorf("open stored answer: %w", err)
		}
		answer.body = []byte(opened)
	}
	return answer, nil
}
