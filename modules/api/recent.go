package api

import (
	"context"
	"net/http"
	"strconv"

	"monitor/modules/uptime"
)

// safe methods change nothing.
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// readFresh lets a request that changes something, and whatever its actor asks
// for a while after, read what no replica may have yet.
func (s *server) readFresh(c *call) {
	if s.Recent == nil {
		return
	}
	ctx := c.r.Context()
	if !safe(c.r.Method) || c.route.gives == stream || s.Recent.DidWrite(ctx, keyOf(c.actor)) {
		// A stream tells of what has just changed: a replica may not know of it.
		c.r = c.r.WithContext(uptime.WithFresh(ctx))
	}
}

// wrote notes the change before its answer is sent. One that failed on our side
// may be there all the same; one that was refused is not.
func (s *server) wrote(ctx context.Context, c *call, status int) {
	refused := status >= http.StatusBadRequest && status < http.StatusInternalServerError
	if s.Recent == nil || refused || safe(c.r.Method) || c.actor.WorkspaceID == 0 {
		return
	}
	s.Recent.Wrote(ctx, keyOf(c.actor))
}

// wroteAs notes the change of somebody who was nobody when they asked.
func (s *server) wroteAs(ctx context.Context, userID int64) {
	if s.Recent != nil {
		s.Recent.Wrote(ctx, "user:"+strconv.FormatInt(userID, 10))
	}
}
