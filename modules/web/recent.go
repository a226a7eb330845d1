package web

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"monitor/modules/uptime"
)

// safe methods change nothing.
func safe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

func who(userID int64) string { return "user:" + strconv.FormatInt(userID, 10) }

// readFresh lets a request that changes something, and whatever its actor asks
// for a while after, read what no replica may have yet. The change is noted
// before its answer is sent.
func (w *Web) readFresh(c echo.Context, actor uptime.Actor) {
	if w.deps.Recent == nil {
		return
	}
	ctx := c.Request().Context()
	changes := !safe(c.Request().Method)
	if changes || w.deps.Recent.DidWrite(ctx, who(actor.UserID)) {
		c.SetRequest(c.Request().WithContext(uptime.WithFresh(ctx)))
	}
	if changes {
		w.noteWrite(c, actor.UserID)
	}
}

// noteWrite notes the change when its answer begins. One that failed on our side
// may be there all the same; one that was refused is not.
func (w *Web) noteWrite(c echo.Context, userID int64) {
	if w.deps.Recent == nil {
		return
	}
	ctx := c.Request().Context()
	c.Response().Before(func() {
		if s := c.Response().Status; s < http.StatusBadRequest || s >= http.StatusInternalServerError {
			w.deps.Recent.Wrote(ctx, who(userID))
		}
	})
}
