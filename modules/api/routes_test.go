package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestEveryRouteNeedsAToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	open := []string{"POST /setup", "POST /auth/login", "POST /auth/refresh"}
	for _, rt := range routes() {
		line := rt.method + " " + rt.path
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			path := prefix + strings.NewReplacer("{id}", "1", "{external_key}", "k", "{update_id}", "1").Replace(rt.path)
			a := b.ask(t, rt.method, path, "{}", anonymous)
			if slices.Contains(open, line) {
				require.True(t, rt.access.has(anyone))
				require.NotEqual(t, "Send a token: Authorization: Bearer TOKEN.", a.text("detail"))
				return
			}
			require.False(t, rt.access.has(anyone))
			require.Equal(t, http.StatusUnauthorized, a.status, a.body)
			require.Equal(t, "unauthorized", a.text("code"))
			require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
			require.Equal(t, `Bearer realm="monitor"`, a.header.Get("WWW-Authenticate"))
		})
	}
}

// TestOperations holds the list of operations: what is public does not go by
// accident.
func TestOperations(t *testing.T) {
	t.Parallel()
	var list strings.Builder
	ids := map[string]bool{}
	for _, rt := range routes() {
		op := rt.operation()
		require.False(t, ids[op.OperationID], op.OperationID)
		ids[op.OperationID] = true
		who := "token"
		if rt.access.has(anyone) {
			who = "anyone"
		}
		fmt.Fprintf(&list, "%-6s %-48s %-6s %-32s %s -> %d %s\n", rt.method, op.Path, who, op.OperationID, or(rt.takes, "-"), rt.status, or(rt.gives, "-"))
	}
	const file = "testdata/operations.golden"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(list.String()), 0o600))
	}
	golden, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(golden), list.String())
}

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	b := bare(t)
	a := b.ask(t, "GET", "/api/openapi.json", "", anonymous)
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, "application/json", a.header.Get("Content-Type"))
	require.Equal(t, http.StatusNotModified, b.ask(t, "GET", "/api/openapi.json", "", with("If-None-Match", a.header.Get("ETag"))).status)

	doc := a.object()
	require.Equal(t, "3.1.0", doc["openapi"])
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	walk(doc, func(path string, node map[string]any) {
		if ref, ok := node["$ref"].(string); ok {
			require.Contains(t, schemas, strings.TrimPrefix(ref, schemaPrefix), path)
		}
	})
	operations := 0
	for path, item := range doc["paths"].(map[string]any) {
		for method, value := range item.(map[string]any) {
			operations++
			checkOperation(t, method+" "+path, value.(map[string]any))
		}
	}
	require.Equal(t, len(routes()), operations)
	for _, rt := range routes() {
		require.Contains(t, doc["paths"].(map[string]any)[prefix+rt.path], strings.ToLower(rt.method))
	}
}

func checkOperation(t *testing.T, name string, op map[string]any) {
	t.Helper()
	require.NotEmpty(t, op["summary"], name)
	require.NotEmpty(t, op["tags"], name)
	require.NotEmpty(t, op["operationId"], name)
	require.NotEmpty(t, op["security"], name)
	responses := op["responses"].(map[string]any)
	good, bad := 0, 0
	for status, value := range responses {
		response := value.(map[string]any)
		require.NotEmpty(t, response["description"], name+" "+status)
		if status < "400" {
			good++
			continue
		}
		bad++
		require.Contains(t, response["content"], "application/problem+json", name+" "+status)
	}
	require.Positive(t, good, name)
	require.GreaterOrEqual(t, bad, 5, name)
	declared := map[string]bool{}
	parameters, _ := op["parameters"].([]any)
	for _, value := range parameters {
		p := value.(map[string]any)
		require.NotEmpty(t, p["schema"], name)
		declared[p["in"].(string)+" "+p["name"].(string)] = true
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, "{") {
			require.True(t, declared["path "+strings.Trim(part, "{}")], name)
		}
	}
}

// walk calls visit for every object of a JSON document.
func walk(node any, visit func(path string, node map[string]any)) {
	var step func(path string, node any)
	step = func(path string, node any) {
		switch n := node.(type) {
		case map[string]any:
			visit(path, n)
			for name, child := range n {
				step(path+"/"+name, child)
			}
		case []any:
			for _, child := range n {
				step(path, child)
			}
		}
	}
	step("", node)
}

func TestOpenAPIDescribesTypes(t *testing.T) {
	t.Parallel()
	b := bare(t)
	doc := b.ask(t, "GET", "/api/openapi.json", "").object()
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	properties := func(name string) map[string]any {
		require.Contains(t, schemas, name)
		return schemas[name].(map[string]any)["properties"].(map[string]any)
	}
	require.Contains(t, properties("MonitorSettings-http"), "expected_status")
	require.Equal(t, true, properties("ChannelSettings-webhook")["secret"].(map[string]any)["writeOnly"])
	require.Len(t, schemas["MonitorInput"].(map[string]any)["oneOf"], len(properties("Monitor")["type"].(map[string]any)["enum"].([]any)))
	require.Equal(t, []any{"name", "type"}, schemas["MonitorInput"].(map[string]any)["required"])
	require.Equal(t, "array", properties("Monitor")["regions"].(map[string]any)["type"])
	require.Equal(t, "string", properties("Monitor")["interval"].(map[string]any)["type"])
	require.Equal(t, true, properties("Monitor")["status"].(map[string]any)["readOnly"])
	require.Equal(t, []any{"auto", "en", "de"}, properties("Preferences")["language"].(map[string]any)["enum"])
}

// TestAnswersHaveTheirSchemas: what the document says of an object is what is
// answered.
func TestAnswersHaveTheirSchemas(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := b.ask(t, "GET", "/api/openapi.json", "").object()["components"].(map[string]any)["schemas"].(map[string]any)
	check := func(name string, a got) {
		t.Helper()
		schema := all[name].(map[string]any)
		for field := range a.object() {
			if field != "http" {
				require.Contains(t, schema["properties"], field, name)
			}
		}
		required, _ := schema["required"].([]any)
		for _, field := range required {
			require.Contains(t, a.object(), field, name)
		}
	}
	check("Monitor", b.made(t, "/monitors", leastMonitor))
	check("MonitorList", b.ask(t, "GET", "/api/v1/monitors", ""))
	check("Channel", b.made(t, "/channels", `{"name":"Ops","type":"webhook","settings":{"url":"https://example.com"}}`))
	check("Incident", b.made(t, "/incidents", `{"title":"Slow"}`))
	check("NewUser", b.made(t, "/users", `{"email":"g@example.com","role":"viewer"}`))
	check("Token", b.made(t, "/tokens", `{"name":"ci"}`))
	check("User", b.ask(t, "GET", "/api/v1/me", ""))
	check("Stats", b.ask(t, "GET", "/api/v1/monitors/1/stats", ""))
	check("ResultList", b.ask(t, "GET", "/api/v1/monitors/1/results?include=gaps", ""))
	check("Overview", b.ask(t, "GET", "/api/v1/overview", ""))
	check("Problem", b.ask(t, "GET", "/api/v1/monitors/99", ""))
}

func TestDocsPage(t *testing.T) {
	t.Parallel()
	b := bare(t)
	a := b.ask(t, "GET", "/api/docs", "", anonymous)
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, policy, a.header.Get("Content-Security-Policy"))
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := io.WriteString(z, a.body)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.Less(t, packed.Len(), 150<<10, "as it is sent")
	for _, rt := range routes() {
		require.Contains(t, a.body, rt.title)
	}
	for _, forbidden := range []string{"<script>", "style=", "onclick", "http://", "//cdn"} {
		require.NotContains(t, a.body, forbidden)
	}
	// Every link within the page leads to one place.
	for _, part := range strings.Split(a.body, `href="#`)[1:] {
		id, _, _ := strings.Cut(part, `"`)
		require.Equal(t, 1, strings.Count(a.body, ` id="`+id+`"`), id)
	}
	for _, name := range []string{"docs.css", "docs.js"} {
		file := b.ask(t, "GET", "/api/docs/"+name, "", anonymous)
		require.Equal(t, http.StatusOK, file.status)
		require.Less(t, len(file.body), 20<<10)
	}
	require.Equal(t, http.StatusOK, b.ask(t, "HEAD", "/api/docs", "", anonymous).status)
	require.True(t, json.Valid([]byte(b.ask(t, "GET", "/api/openapi.json", "").body)))
}
