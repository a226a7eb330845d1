package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// call is one request on its way to its handler.
type call struct {
	s       *server
	route   route
	w       *echo.Response
	r       *http.Request
	request uptime.Request
	actor   uptime.Actor // of a route that needs a token
	query   query
	body    json.RawMessage // valid JSON, or empty where that may be
	param   func(name string) string
}

// reply is what a handler answers.
type reply struct {
	body     any    // nil: none
	etag     string // with its quotes, "" none
	location string
	status   int  // 0: that of the route
	streamed bool // the handler has written everything itself
}

// id is the {id} of the path; what is no id is not there.
func (c *call) id() (int64, error) { return c.idOf("id") }

// idOf is the id that the path holds under a name.
func (c *call) idOf(name string) (int64, error) {
	id, err := strconv.ParseInt(c.param(name), 10, 64)
	if err != nil || id < 1 {
		return 0, fmt.Errorf("id of the path: %w", uptime.ErrNotFound)
	}
	return id, nil
}

// text is a path parameter in clear.
func (c *call) text(name string) (string, error) {
	value := c.param(name)
	if c.r.URL.RawPath == "" {
		return value, nil // the router saw the path in clear
	}
	plain, err := url.PathUnescape(value)
	if err != nil {
		return "", uptime.Fail(uptime.CodeMalformed, "The path is not escaped as it should be.")
	}
	return plain, nil
}

func (c *call) ifMatch() string { return strings.Join(c.r.Header.Values("If-Match"), ",") }

func (c *call) client() manage.Client {
	return manage.Client{Address: c.request.Address, UserAgent: uptime.CleanLine(c.r.UserAgent(), 512)}
}

// baseURL is the address of the pages.
func (c *call) baseURL() string {
	if c.s.PublicURL != "" {
		return strings.TrimSuffix(c.s.PublicURL, "/")
	}
	return c.request.BaseURL()
}

// unhurried lifts the deadline for writing the answer, for work that may
// take longer.
func (c *call) unhurried() {
	if err := http.NewResponseController(c.w).SetWriteDeadline(time.Time{}); err != nil {
		c.s.Log.DebugContext(c.r.Context(), "request keeps its write deadline", "error", err)
	}
}

// page is what the query asks of a list.
func (c *call) page() uptime.Page {
	return uptime.Page{Limit: int(c.query.whole("limit")), Cursor: c.query.text("cursor")}
}

// listOf is the shape of every list.
type listOf[T any] struct {
	Data []T     `json:"data"`
	Next *string `json:"next_cursor"`
}

func newList[T any](list uptime.List[T]) listOf[T] {
	out := listOf[T]{Data: list.Items}
	if out.Data == nil {
		out.Data = []T{}
	}
	if list.Next != "" {
		out.Next = &list.Next
	}
	return out
}

// replyList answers a list.
func replyList[T any](list uptime.List[T], err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return reply{body: newList(list)}, nil
}

// place is the address of an object.
func place(collection string, id int64) string {
	return prefix + "/" + collection + "/" + strconv.FormatInt(id, 10)
}
