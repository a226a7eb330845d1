package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"monitor/modules/manage"
	"monitor/modules/replay"
	"monitor/modules/uptime"
)

// prefix stands before every path of the table.
const prefix = "/api/v1"

// answers keeps the answers of requests that must be done once. Its errors are
// those of the store: CodeConflict while the first request with a key still
// runs, CodeKeyReused for a key that came with another request.
type answers interface {
	BeginIdempotent(ctx context.Context, k uptime.IdempotencyKey, ttl time.Duration) (*uptime.StoredAnswer, error)
	FinishIdempotent(ctx context.Context, k uptime.IdempotencyKey, a uptime.StoredAnswer) error
	AbandonIdempotent(ctx context.Context, k uptime.IdempotencyKey) error
}

// Params is what New needs; all of it but PublicURL, PerMinute, OlderDigests and Recent is
// required.
type Params struct {
	Manage  *manage.Manage
	Answers answers
	// Sealer seals stored answers that show a secret.
	Sealer uptime.Sealer
	// Digest recognises a body that came before, without keeping what would let
	// it be guessed: a keyed hash in hex.
	Digest func([]byte) string
	// OlderDigests are those by keys before the one in use; nil: there are none.
	OlderDigests func([]byte) []string

	Limiter uptime.Limiter
	Bus     uptime.Bus
	// PerMinute is how many requests a token, or an address without one, may
	// make in a minute; 0 is no limit.
	PerMinute int
	// PublicURL is the address of the pages without a slash at its end, for
	// invitations; "" is that of the request.
	PublicURL string
	Version   string
	Log       *slog.Logger
	Clock     uptime.Clock
	Random    func() string // 26 unguessable base32 characters
	// Recent remembers who wrote, so that they read no replica that is behind;
	// nil where there are none.
	Recent uptime.Recent
}

// server is the API behind its handler.
type server struct {
	Params
	notices *replay.Log
}

// API answers everything under /api.
type API struct {
	http.Handler
	server *server
}

// Run hears what event streams tell until ctx ends; it always returns nil. It is
// a service to be ready before the first request comes.
func (a *API) Run(ctx context.Context, ready func()) error {
	a.server.notices.Run(ctx, a.server.Bus, append(eventTypes(), uptime.TopicAccess), a.server.Log, ready)
	return nil
}

// New gives the API. Its handler expects an uptime.Request in the context of
// each request. Event streams end with their requests.
func New(p Params) (*API, error) {
	if p.Manage == nil || p.Answers == nil || p.Sealer == nil || p.Digest == nil || p.Limiter == nil || p.Bus == nil ||
		p.Log == nil || p.Clock == nil || p.Random == nil {
		return nil, errors.New("make api: a dependency is missing")
	}
	s := &server{Params: p, notices: replay.New(p.Random())}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Logger.SetOutput(io.Discard) // its own words; ours go to Log
	e.IPExtractor = func(r *http.Request) string { return uptime.RequestOf(r.Context()).Address }
	e.HTTPErrorHandler = s.routingError
	api := humaecho.New(e, huma.Config{
		OpenAPI: newOpenAPI(p.Version, p.Manage.MonitorKinds(), p.Manage.ChannelKinds()),
		Formats: huma.DefaultFormats, DefaultFormat: "application/json",
	})
	for _, rt := range routes() {
		s.register(api, rt)
	}
	s.document(e, api.OpenAPI())
	return &API{Handler: e, server: s}, nil
}

// register adds the route to the router and to the document; GET answers HEAD,
// too.
func (s *server) register(api huma.API, rt route) {
	op := rt.operation()
	api.OpenAPI().AddOperation(op)
	handle := func(ctx huma.Context) {
		c := humaecho.Unwrap(ctx)
		s.serve(rt, c.Response(), c.Request(), c.Param)
	}
	api.Adapter().Handle(op, handle)
	if rt.method == http.MethodGet {
		head := *op
		head.Method = http.MethodHead
		api.Adapter().Handle(&head, handle)
	}
}

// routingError answers what the router itself refuses.
func (s *server) routingError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status := http.StatusInternalServerError
	if refused, ok := errors.AsType[*echo.HTTPError](err); ok {
		status = refused.Code
	}
	switch status {
	case http.StatusNotFound:
		err = uptime.Fail(uptime.CodeNotFound, "Nothing is at this address.")
	case http.StatusMethodNotAllowed:
		err = uptime.Fail(codeMethod, "This address takes %s.", c.Response().Header().Get(echo.HeaderAllow))
	}
	s.fail(c.Response(), c.Request(), err)
}
