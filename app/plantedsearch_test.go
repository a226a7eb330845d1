package app_test

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "github.com/ncruces/go-sqlite3/driver"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"monitor/modules/store"
	"monitor/modules/testenv"
)

// formsOf are the ways in which a secret may be written.
func formsOf(secret string) []string {
	quoted, _ := json.Marshal(secret)
	var unescaped bytes.Buffer
	encoder := json.NewEncoder(&unescaped)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(secret)
	forms := []string{
		secret, strings.Trim(string(quoted), `"`), strings.Trim(strings.TrimSpace(unescaped.String()), `"`), html.EscapeString(secret),
		url.QueryEscape(secret), url.PathEscape(secret), strings.TrimPrefix(url.UserPassword("", secret).String(), ":"),
		hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
	// In base64 a secret looks in three ways, by how many bytes stand before it.
	for before := range 3 {
		padded := append(make([]byte, before), secret...)
		from, to := (before*8+5)/6, len(padded)*8/6
		forms = append(forms, base64.RawStdEncoding.EncodeToString(padded)[from:to], base64.RawURLEncoding.EncodeToString(padded)[from:to])
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// TestFormsOfSecrets: a search that finds nothing must be one that could.
func TestFormsOfSecrets(t *testing.T) {
	t.Parallel()
	for _, written := range []string{
		plantedURL, base64.StdEncoding.EncodeToString([]byte("user:" + plantedURL)), base64.URLEncoding.EncodeToString([]byte("x" + plantedURL + "yz")),
		url.UserPassword("u", plantedURL).String(), fmt.Sprintf("%x", plantedURL), url.Values{"p": {plantedURL}}.Encode(),
	} {
		require.True(t, slices.ContainsFunc(formsOf(plantedURL), func(form string) bool { return strings.Contains(written, form) }), written)
	}
}

// read asks for everything that can be read.
func (g *garden) read() {
	get := http.MethodGet
	for _, path := range []string{
		"/api/v1/me", "/api/v1/me/sessions", "/api/v1/users", "/api/v1/tokens", "/api/v1/monitors", "/api/v1/monitors/1", "/api/v1/monitors/2",
		"/api/v1/monitors/3", "/api/v1/monitors/1/results", "/api/v1/incidents", "/api/v1/incidents/1", "/api/v1/channels", "/api/v1/channels/1",
		"/api/v1/channels/2", "/api/v1/deliveries", "/api/v1/audit-log?limit=200", "/api/v1/overview", "/readyz", "/api/openapi.json",
	} {
		g.places["GET "+path] = string(g.must(http.StatusOK, get, path, nil).raw)
	}
	metrics := client{t: g.t, base: g.base, token: plantedMetrics}
	g.places["/metrics"] = string(metrics.must(http.StatusOK, get, "/metrics", nil).raw)
	for _, path := range []string{
		"/", "/monitors", "/monitors/1", "/monitors/1/edit", "/monitors/2/edit", "/monitors/3/edit", "/incidents", "/incidents/1", "/channels",
		"/channels/1/edit", "/channels/2/edit", "/channels/1/log", "/channels/2/log", "/settings/profile", "/settings/security", "/settings/audit",
		"/settings/audit.csv", "/monitors.csv", "/monitors.json", "/monitors?view=grouped",
	} {
		g.page(http.StatusOK, path, nil, "monitor_session", g.secrets["cookie of the session"])
	}
}

// search looks through all that was gathered, and through what commands and the log say.
func (g *garden) search(dir string) {
	g.t.Helper()
	settings := append([]string{"--data.dir", dir}, g.args...)
	wrong := slices.Clone(settings)
	wrong[slices.Index(wrong, "--auth.previous_secrets")+1] = "too short"
	wrong[slices.Index(wrong, "--auth.secret")+1] = strings.ToUpper(plantedSecret)
	for name, args := range map[string][]string{
		"version": {"version"}, "config print": append([]string{"config", "print"}, settings...),
		"config print with mistakes": append([]string{"config", "print", "--worker.concurrency", "x"}, wrong...),
		"secrets rotate --dry-run":   append([]string{"secrets", "rotate", "--dry-run"}, settings...),
		"secrets rotate":             append([]string{"secrets", "rotate"}, settings...),
		"user list":                  append([]string{"user", "list"}, settings...),
	} {
		got := command(g.t, "", nil, args...)
		g.places["output of "+name] = got.out + got.err
	}
	wrong[slices.Index(wrong, "--auth.previous_secrets")+1] = strings.ToUpper(plantedPrevious)
	for _, name := range []string{"serve", "secrets reset"} {
		got := command(g.t, "", nil, append(strings.Fields(name), wrong...)...)
		require.Equal(g.t, 2, got.code, "%s by a wrong secret: %s%s", name, got.out, got.err)
		g.places["output of "+name+" by a wrong secret"] = got.out + got.err
	}
	g.places["log"] = g.program.lines.String()
	require.Contains(g.t, g.places["log"], `"level":"DEBUG"`)
	require.GreaterOrEqual(g.t, len(g.secrets), 12)
	for name, secret := range g.secrets {
		for _, place := range slices.Sorted(maps.Keys(g.places)) {
			for _, form := range formsOf(secret) {
				if at := strings.Index(g.places[place], form); at >= 0 {
					g.t.Errorf("%s is in %s: …%q…", name, place, around(g.places[place], at, len(form)))
					break
				}
			}
		}
	}
}

func around(text string, at, length int) string {
	return text[max(at-60, 0):min(at+length+20, len(text))]
}

// searchFiles takes every file of the data folder but the secret itself, which no
// setting gave.
func (g *garden) searchFiles(dir, when string) {
	g.t.Helper()
	require.NoError(g.t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		g.places["file "+filepath.Base(path)+" "+when] = string(text)
		return err
	}))
	require.NotEmpty(g.t, g.places["file "+store.FileName+" "+when])
}

// searchSQLite takes every column of every table.
func (g *garden) searchSQLite(dir string) {
	g.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, store.FileName)+"?mode=ro")
	require.NoError(g.t, err)
	defer func() { _ = db.Close() }()
	names, err := db.QueryContext(g.t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table'`)
	require.NoError(g.t, err)
	defer func() { _ = names.Close() }()
	var tables []string
	for names.Next() {
		var name string
		require.NoError(g.t, names.Scan(&name))
		tables = append(tables, name)
	}
	require.NoError(g.t, names.Err())
	require.Greater(g.t, len(tables), 20)
	for _, table := range tables {
		g.places["table "+table] = sqliteRows(g.t, db, table)
	}
	require.NotEmpty(g.t, g.places["table audit_log"])
}

func sqliteRows(t *testing.T, db *sql.DB, table string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT * FROM "`+table+`"`)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var text strings.Builder
	for rows.Next() {
		values := make([]sql.RawBytes, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		for _, v := range values {
			text.Write(append(slices.Clone(v), '\n'))
		}
	}
	require.NoError(t, rows.Err())
	return text.String()
}

// searchPostgres takes every column of every table; what is binary as its bytes.
func (g *garden) searchPostgres(address string) {
	g.t.Helper()
	conn, err := pgx.Connect(g.t.Context(), address)
	require.NoError(g.t, err)
	defer func() { _ = conn.Close(g.t.Context()) }()
	rows, err := conn.Query(g.t.Context(), `SELECT quote_ident(table_name) FROM information_schema.tables
		WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`)
	require.NoError(g.t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(g.t, err)
	require.Greater(g.t, len(tables), 20)
	for _, table := range tables {
		rows, err := conn.Query(g.t.Context(), "SELECT * FROM "+table)
		require.NoError(g.t, err)
		var text strings.Builder
		for rows.Next() {
			for _, raw := range rows.RawValues() {
				text.Write(append(slices.Clone(raw), '\n'))
			}
		}
		require.NoError(g.t, rows.Err())
		g.places["table "+table] = text.String()
	}
	require.NotEmpty(g.t, g.places["table audit_log"])
}

// spiedRedis is a server with a password. spied gives every command that it got.
func spiedRedis(t *testing.T) (address string, spied func() string) {
	t.Helper()
	plain, _ := testenv.RedisServer(t)
	at, err := url.Parse(plain)
	require.NoError(t, err)
	open := redis.NewClient(&redis.Options{Addr: at.Host})
	require.NoError(t, open.ConfigSet(t.Context(), "requirepass", plantedRedis).Err())
	require.NoError(t, open.Close())
	at.User = url.UserPassword("", plantedRedis)

	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", at.Host)
	require.NoError(t, err)
	_, err = fmt.Fprintf(conn, "AUTH %s\r\nMONITOR\r\n", plantedRedis)
	require.NoError(t, err)
	heard := &output{}
	var listening sync.WaitGroup
	listening.Go(func() {
		buffer := make([]byte, 64<<10)
		for {
			n, err := conn.Read(buffer)
			_, _ = heard.Write(buffer[:n])
			if err != nil {
				return
			}
		}
	})
	stop := sync.OnceFunc(func() {
		_ = conn.Close()
		listening.Wait()
	})
	t.Cleanup(stop)
	return at.String(), func() string {
		stop()
		require.Contains(t, heard.String(), "shop", "jobs are among what was heard")
		return heard.String()
	}
}

// redisKeys dumps every key.
func redisKeys(t *testing.T, address string) string {
	t.Helper()
	options, err := redis.ParseURL(address)
	require.NoError(t, err)
	db := redis.NewClient(options)
	defer func() { _ = db.Close() }()
	keys, err := db.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	require.NotEmpty(t, keys)
	var text strings.Builder
	for _, key := range keys {
		kind, err := db.Type(t.Context(), key).Result()
		require.NoError(t, err)
		var value any
		switch kind {
		case "string":
			value = db.Get(t.Context(), key).Val()
		case "hash":
			value = db.HGetAll(t.Context(), key).Val()
		case "stream":
			value = db.XRange(t.Context(), key, "-", "+").Val()
		case "zset":
			value = db.ZRange(t.Context(), key, 0, -1).Val()
		case "set":
			value = db.SMembers(t.Context(), key).Val()
		case "list":
			value = db.LRange(t.Context(), key, 0, -1).Val()
		}
		fmt.Fprintf(&text, "%s %v\n", key, value)
	}
	return text.String()
}
