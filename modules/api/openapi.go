package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"monitor/modules/uptime"
)

const (
	schemaPrefix = "#/components/schemas/"
	// stream in place of a schema: the answer is server-sent events.
	stream = "text/event-stream"
)

// newOpenAPI gives the document without its operations.
func newOpenAPI(version string, monitors, channels []uptime.Kind) *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Monitor", Version: version,
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			Description: "Times are RFC 3339 in UTC. Durations are strings: \"90s\" and \"5m\" are taken, whole seconds (\"300s\") or, below one, " +
				"milliseconds are answered. Lists take limit and cursor and answer next_cursor, null on the last page. PATCH is JSON Merge Patch " +
				"(RFC 7396). Objects answer an ETag; an If-Match that fails is 412. Secrets read as ********; writing exactly that leaves them as they were. " +
				"Errors are application/problem+json (RFC 9457).",
		},
		Servers: []*huma.Server{{URL: "/"}},
		Tags: []*huma.Tag{
			{Name: "Access", Description: "Setting up, logging in and out."},
			{Name: "People", Description: "Users, your profile and API tokens."},
			{Name: "Monitors", Description: "What is checked, its results and statistics."},
			{Name: "Incidents", Description: "Outages, and incidents made by hand."},
			{Name: "Channels", Description: "How people and programs are told, and what was sent."},
			{Name: "Instance", Description: "How everything is doing, and what changes."},
		},
		Components: &huma.Components{
			Schemas: schemas(monitors, channels),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"bearer": {Type: "http", Scheme: "bearer", Description: "An access token or an API token."},
				"apiKey": {Type: "apiKey", In: "header", Name: "X-API-Key", Description: "An API token."},
			},
		},
	}
}

// operation describes the route.
func (rt route) operation() *huma.Operation {
	op := &huma.Operation{
		Method: rt.method, Path: prefix + rt.path, OperationID: rt.id(), Summary: rt.title, Tags: []string{rt.tag},
		DefaultStatus: rt.status, Parameters: rt.parameters(), RequestBody: rt.requestBody(), Responses: rt.responses(),
		Security: []map[string][]string{{"bearer": {}}, {"apiKey": {}}},
	}
	if rt.access.has(anyone) {
		op.Security = []map[string][]string{{}}
	}
	return op
}

// id is the title as one name without its small words: createMonitor.
func (rt route) id() string {
	var id strings.Builder
	for word := range strings.FieldsSeq(rt.title) {
		switch {
		case slices.Contains([]string{"a", "an", "the", "your", "its"}, word):
		case id.Len() == 0:
			id.WriteString(strings.ToLower(word))
		default:
			id.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return id.String()
}

func reference(name string) *huma.Schema { return &huma.Schema{Ref: schemaPrefix + name} }

func (rt route) parameters() []*huma.Param {
	var list []*huma.Param
	for part := range strings.SplitSeq(rt.path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			p := &huma.Param{Name: strings.TrimSuffix(name, "}"), In: "path", Required: true, Schema: &huma.Schema{Type: "string"}}
			if p.Name == "id" || p.Name == "update_id" {
				p.Schema = &huma.Schema{Type: "integer", Format: "int64"}
			}
			list = append(list, p)
		}
	}
	for _, p := range rt.query {
		list = append(list, p.describe())
	}
	header := func(name, about string) {
		list = append(list, &huma.Param{Name: name, In: "header", Description: about, Schema: &huma.Schema{Type: "string"}})
	}
	if rt.method == http.MethodPost && !rt.access.has(anyone) {
		header("Idempotency-Key", "A repeat with the same key within 24 hours gets the same answer and does nothing; 1 to 255 printable characters.")
	}
	if rt.conditional() {
		header("If-Match", "Do it only if this is still the ETag of the object; else 412.")
	}
	if rt.gives == stream {
		header("Last-Event-ID", "The id of the last event that was received: the stream goes on after it. An event of type resync tells that others may have been missed since.")
	}
	return list
}

func (p param) describe() *huma.Param {
	s := &huma.Schema{Type: "string"}
	switch p.kind {
	case whole:
		least, most := float64(p.least), float64(p.most)
		s = &huma.Schema{Type: "integer", Minimum: &least, Maximum: &most}
	case ident:
		s = &huma.Schema{Type: "integer", Format: "int64"}
	case moment:
		s.Format = "date-time"
	case truth:
		s = &huma.Schema{Type: "boolean"}
	case choice:
		s.Enum = anys(p.options)
	case text:
	}
	if p.many {
		s = &huma.Schema{Type: "array", Items: s}
	}
	return &huma.Param{Name: p.name, In: "query", Description: p.about, Schema: s}
}

// tagged: the answer is one object with an ETag.
func (rt route) tagged() bool {
	switch rt.gives {
	case "Monitor", "Incident", "Channel", "User", "NewUser":
		return true
	}
	return false
}

// conditional: If-Match counts.
func (rt route) conditional() bool {
	switch rt.method {
	case http.MethodPut, http.MethodPatch:
		return true
	case http.MethodDelete:
		return rt.tag == "Monitors" || rt.tag == "Channels" || rt.tag == "Incidents"
	}
	return false
}

func (rt route) requestBody() *huma.RequestBody {
	if rt.takes == "" {
		return nil
	}
	content := &huma.MediaType{Schema: reference(strings.TrimSuffix(rt.takes, "?"))}
	body := &huma.RequestBody{Required: !rt.bodyOptional(), Content: map[string]*huma.MediaType{"application/json": content}}
	if rt.method == http.MethodPatch {
		body.Content["application/merge-patch+json"] = content
	}
	return body
}

func (rt route) responses() map[string]*huma.Response {
	all := map[string]*huma.Response{strconv.Itoa(rt.status): rt.success()}
	if strings.HasPrefix(rt.path, "/monitors/by-key/") {
		made := rt.success()
		made.Description = http.StatusText(http.StatusCreated)
		made.Headers["Location"] = headerOf("string", "The address of the object.")
		all["201"] = made
	}
	for _, status := range rt.errors() {
		r := &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: reference("Problem")}},
		}
		switch status {
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			r.Headers = map[string]*huma.Header{"Retry-After": headerOf("integer", "Seconds to wait.")}
		case http.StatusUnauthorized:
			r.Headers = map[string]*huma.Header{"WWW-Authenticate": headerOf("string", "")}
		}
		all[strconv.Itoa(status)] = r
	}
	return all
}

func headerOf(kind, about string) *huma.Header {
	return &huma.Header{Description: about, Schema: &huma.Schema{Type: kind}}
}

func (rt route) success() *huma.Response {
	r := &huma.Response{Description: http.StatusText(rt.status), Headers: map[string]*huma.Header{
		"RateLimit-Limit":     headerOf("integer", "Requests that may come at once."),
		"RateLimit-Remaining": headerOf("integer", "Requests that are left."),
		"RateLimit-Reset":     headerOf("integer", "Seconds until all are there again."),
	}}
	switch rt.gives {
	case "":
	case stream:
		r.Description = "Events of the types status, incident, delivery, result and resync; their data is JSON."
		r.Content = map[string]*huma.MediaType{stream: {Schema: &huma.Schema{Type: "string"}}}
	default:
		r.Content = map[string]*huma.MediaType{"application/json": {Schema: reference(rt.gives)}}
	}
	if rt.tagged() {
		r.Headers["ETag"] = headerOf("string", "The version of what can be changed, for If-Match; status and times change without it.")
	}
	if rt.status == http.StatusCreated {
		r.Headers["Location"] = headerOf("string", "The address of the object.")
	}
	return r
}

// errors are the statuses of the errors that the route may answer.
func (rt route) errors() []int {
	list := []int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}
	if !rt.access.has(anyone) || rt.tag == "Access" {
		list = append(list, http.StatusUnauthorized, http.StatusForbidden)
	}
	if strings.Contains(rt.path, "{id}") || rt.gives == stream {
		list = append(list, http.StatusNotFound)
	}
	if rt.method != http.MethodGet {
		list = append(list, http.StatusConflict)
	}
	if rt.conditional() {
		list = append(list, http.StatusPreconditionFailed)
	}
	if rt.takes != "" || rt.method == http.MethodPost {
		list = append(list, http.StatusRequestEntityTooLarge)
	}
	if rt.takes != "" {
		list = append(list, http.StatusUnsupportedMediaType)
	}
	return list
}

func anys[T any](list []T) []any {
	out := make([]any, 0, len(list))
	for _, v := range list {
		out = append(out, v)
	}
	return out
}
