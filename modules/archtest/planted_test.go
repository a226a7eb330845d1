package archtest

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// house is a small tree that keeps the plan; each case plants files into it.
func house() fstest.MapFS {
	return tree(map[string]string{
		"go.mod":                           "module monitor\n",
		"main.go":                          importing("main", "monitor/app", "os"),
		"app/wire.go":                      importing("app", "monitor/config", "monitor/modules/store", "monitor/modules/worker", "github.com/spf13/cobra"),
		"app/run_test.go":                  importing("app", "monitor/modules/testenv", "github.com/redis/go-redis/v9"),
		"config/config.go":                 importing("config", "monitor/modules/worker", "monitor/modules/store", "github.com/spf13/viper"),
		"modules/uptime/monitor.go":        importing("uptime", "time", "encoding/json"),
		"modules/uptime/monitor_test.go":   importing("uptime_test", "testing", "pgregory.net/rapid", "monitor/modules/uptime"),
		"modules/queue/redis.go":           importing("queue", "monitor/modules/uptime", "monitor/modules/telemetry", "github.com/redis/go-redis/v9"),
		"modules/queue/redis_test.go":      importing("queue_test", "monitor/modules/queue/queuetest", "monitor/modules/testenv", "go.uber.org/goleak"),
		"modules/queue/queuetest/suite.go": importing("queuetest", "monitor/modules/uptime", "github.com/stretchr/testify/require"),
		"modules/manage/monitor.go":        importing("manage", "monitor/modules/uptime", "monitor/modules/form", "github.com/adhocore/gronx"),
		"modules/worker/worker.go":         importing("worker", "monitor/modules/uptime", "monitor/modules/service"),
		"modules/worker/worker_test.go":    importing("worker_test", "monitor/modules/queue", "monitor/modules/testenv"),
		"modules/web/page.go":              importing("web", "monitor/modules/manage", "monitor/templates", "github.com/labstack/echo/v4"),
		"modules/web/form/field.go":        importing("form", "monitor/modules/web/view"),
		"migrations/postgres/0001_a.sql":   "",
		"migrations/sqlite/0001_a.sql":     "",
		"tools/go.mod":                     "module monitor/tools\n",
		"tools/bench/main.go":              importing("main", "github.com/redis/go-redis/v9"),
		"modules/web/testdata/broken.go":   "not Go",
		"modules/worker/synctest_test.go":  "package worker\n\nimport (\n\t\"testing/synctest\"\n\t\"time\"\n)\n\nfunc wait() { synctest.Wait(); time.Sleep(1) }\n",
	})
}

func TestHouseThatKeepsThePlanHasNoBreach(t *testing.T) {
	t.Parallel()
	breaches, err := check(house(), nil)
	require.NoError(t, err)
	require.Empty(t, breaches)
}

func TestPlantedImportsAreCaught(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		file, imported, want string
	}{
		"UpwardToUseCase":         {"modules/queue/x.go", "monitor/modules/manage", "upward: modules/queue (engines) may not import modules/manage (use cases)"},
		"UpwardFromLanguage":      {"modules/uptime/x.go", "monitor/modules/form", "upward: modules/uptime (language) may not import modules/form (tools)"},
		"UpwardToApp":             {"modules/web/x.go", "monitor/app", "upward: modules/web (running parts) may not import app (roof)"},
		"UpwardInATest":           {"modules/store/x_test.go", "monitor/modules/recorder", "upward: modules/store (engines) may not import modules/recorder (running parts)"},
		"SidewaysEngines":         {"modules/probe/x.go", "monitor/modules/channel", "sideways: modules/probe (engines) may not import modules/channel, which stands on the same floor"},
		"SidewaysTools":           {"modules/form/x.go", "monitor/templates", "sideways: modules/form (tools) may not import templates, which stands on the same floor"},
		"SidewaysRunningParts":    {"modules/worker/x.go", "monitor/modules/recorder", "sideways: modules/worker (running parts) may not import modules/recorder, which stands on the same floor"},
		"SidewaysInATest":         {"modules/api/x_test.go", "monitor/modules/web", "sideways: modules/api (running parts) may not import modules/web, which stands on the same floor"},
		"SidewaysFromASubfolder":  {"modules/web/view/x.go", "monitor/modules/api", "sideways: modules/web (running parts) may not import modules/api, which stands on the same floor"},
		"PastTheContract":         {"modules/notifier/x.go", "monitor/modules/store", "modules/notifier (running parts) may reach modules/store (engines) only through contracts"},
		"ManagePastTheContract":   {"modules/manage/x.go", "monitor/modules/probe", "modules/manage (use cases) may reach modules/probe (engines) only through contracts"},
		"TestSupportInProduct":    {"modules/queue/x.go", "monitor/modules/testenv", "only tests and test support may import modules/testenv"},
		"SuiteInProduct":          {"app/x.go", "monitor/modules/store/storetest", "only tests and test support may import modules/store/storetest"},
		"SuiteUsesARunningPart":   {"modules/store/storetest/x.go", "monitor/modules/recorder", "modules/store/storetest (test support) may not import modules/recorder (running parts)"},
		"UnknownPackage":          {"modules/queue/x.go", "monitor/modules/util", "monitor/modules/util stands on no floor: add it to the plan in modules/archtest/floors.go"},
		"MainWithLogic":           {"x.go", "fmt", "main.go imports app and os and nothing else"},
		"MainPastApp":             {"x.go", "monitor/config", "may not import config (settings)"},
		"LibraryInTheLanguage":    {"modules/uptime/x.go", "github.com/google/uuid", "library github.com/google/uuid: the language uses the standard library only"},
		"GORMOutsideTheStore":     {"modules/manage/x.go", "gorm.io/gorm", "library gorm.io/gorm is walled in modules/store; modules/manage stands outside"},
		"RedisInAWorker":          {"modules/worker/x.go", "github.com/redis/go-redis/v9", "library github.com/redis/go-redis/v9 is walled in modules/redisconn, modules/queue, modules/lock, modules/bus, modules/limit, modules/fleet"},
		"PrometheusInAWorker":     {"modules/worker/x.go", "github.com/prometheus/client_golang/prometheus", "is walled in modules/telemetry; modules/worker stands outside"},
		"EchoInTheStore":          {"modules/store/x.go", "github.com/labstack/echo/v4", "is walled in modules/api, modules/web, modules/httpd; modules/store stands outside"},
		"CobraOutsideApp":         {"config/x.go", "github.com/spf13/cobra", "is walled in app; config stands outside"},
		"WalledLibraryInATest":    {"modules/worker/x_test.go", "github.com/jackc/pgx/v5", "is walled in modules/store"},
		"WalledLibraryInASuite":   {"modules/store/storetest/x.go", "gorm.io/gorm", "is walled in modules/store; modules/store/storetest stands outside"},
		"UnknownLibrary":          {"modules/probe/x.go", "github.com/unknown/thing", "library github.com/unknown/thing has no place in the house: name it in walls.go, with its wall"},
		"PrefixIsNotEnough":       {"modules/store/x.go", "gorm.iox/gorm", "library gorm.iox/gorm has no place in the house"},
		"TestLibraryInTheProduct": {"modules/probe/x.go", "github.com/stretchr/testify/require", "library github.com/stretchr/testify/require is for tests"},
		"Cgo":                     {"modules/store/x.go", "C", "cgo: the program is built without it"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := plant(t, map[string]string{c.file: importing("p", c.imported)})
			require.Len(t, got, 1)
			require.Equal(t, c.file, got[0].File)
			require.Equal(t, 4, got[0].Line, "the line of the import")
			require.Contains(t, got[0].Text, c.want)
		})
	}
}

func TestPlantedSourceIsCaught(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		file, text, want string
	}{
		"NoFloor":         {"modules/util/x.go", "package util\n", "modules/util/x.go: package modules/util stands on no floor: add it to the plan in modules/archtest/floors.go"},
		"Init":            {"modules/form/x.go", "package form\n\nfunc init() {}\n", "modules/form/x.go:3: init function: pass what it sets up as an argument"},
		"InitInTools":     {"tools/x.go", "package x\n\nfunc init() {}\n", "tools/x.go:3: init function: pass what it sets up as an argument"},
		"Sleep":           {"modules/form/x.go", calling("time", "time.Sleep(1)"), "modules/form/x.go:5: time.Sleep: wait on a timer and ctx.Done()"},
		"SleepRenamed":    {"modules/form/x.go", "package form\n\nimport clock \"time\"\n\nfunc f() { clock.Sleep(1) }\n", "modules/form/x.go:5: time.Sleep: wait on a timer and ctx.Done()"},
		"SleepInATest":    {"modules/form/x_test.go", calling("time", "time.Sleep(1)"), "modules/form/x_test.go:5: time.Sleep: wait for a signal, or move the clock of a synctest bubble"},
		"Tick":            {"modules/form/x.go", calling("time", "<-time.Tick(1)"), "modules/form/x.go:5: time.Tick: use a ticker that is stopped, and select on ctx.Done()"},
		"Skip":            {"modules/form/x_test.go", calling("testing", "var t *testing.T; t.Skip()"), "modules/form/x_test.go:5: t.Skip: what a test needs and lacks fails it"},
		"LongFile":        {"modules/form/x.go", "package form\n" + strings.Repeat("\n", 500), "modules/form/x.go: file has 501 lines, the cap is 500"},
		"LongFunction":    {"modules/form/x.go", "package form\n\nfunc long() {" + strings.Repeat("\n", 80) + "}\n", "modules/form/x.go:3: function long has 81 lines, the cap is 80"},
		"LongMethod":      {"modules/form/x.go", "package form\n\nfunc (s *Set[T]) Add() {" + strings.Repeat("\n", 80) + "}\n", "modules/form/x.go:3: function Set.Add has 81 lines, the cap is 80"},
		"LongFileInTests": {"modules/form/x_test.go", "package form\n" + strings.Repeat("\n", 500), "modules/form/x_test.go: file has 501 lines, the cap is 500"},
		"NoTwin":          {"migrations/postgres/0002_b.sql", "", "migrations/postgres/0002_b.sql: has no twin in migrations/sqlite"},
		"NoTwinInSQLite":  {"migrations/sqlite/0002_b.sql", "", "migrations/sqlite/0002_b.sql: has no twin in migrations/postgres"},
		"MigrationName":   {"migrations/sqlite/2_b.sql", "", "migrations/sqlite/2_b.sql: a migration is named NNNN_name.sql, in lower case"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := plant(t, map[string]string{c.file: c.text})
			require.Len(t, got, 1)
			require.Equal(t, c.want, got[0].String())
		})
	}
}

func TestMigrationNumberIsTakenOnce(t *testing.T) {
	t.Parallel()
	got := plant(t, map[string]string{"migrations/postgres/0001_z.sql": "", "migrations/sqlite/0001_z.sql": ""})
	require.Len(t, got, 2)
	require.Equal(t, "migrations/postgres/0001_z.sql: has the number of 0001_a.sql", got[0].String())
	require.Equal(t, "migrations/sqlite/0001_z.sql: has the number of 0001_a.sql", got[1].String())
}

func TestSizesUpToTheCapAreAllowed(t *testing.T) {
	t.Parallel()
	require.Empty(t, plant(t, map[string]string{
		"modules/form/x.go": "package form\n\nfunc full() {" + strings.Repeat("\n", 79) + "}\n" + strings.Repeat("\n", 418),
		"modules/form/y.go": "// Code generated by a program. DO NOT EDIT.\n\npackage form\n" + strings.Repeat("\n", 600),
	}))
}

func TestPlantedHandlersAreCaught(t *testing.T) {
	t.Parallel()
	const echo = "github.com/labstack/echo/v4"
	cases := map[string]struct {
		imported, before, want string
	}{
		"Receiver":      {`"net/http"`, "func (r *request) show() {", "5: handler request.show has 31 lines, the cap is 30: take out what has a name of its own"},
		"Parameter":     {`"net/http"`, "func (p *Page[T]) fill(n int, r *request) {", "5: handler Page.fill has 31 lines, the cap is 30: take out what has a name of its own"},
		"Function":      {`"net/http"`, "func draw(_, r *request) {", "5: handler draw has 31 lines, the cap is 30: take out what has a name of its own"},
		"Echo":          {`"` + echo + `"`, "func (w *Web) login(c echo.Context) error {", "5: handler Web.login has 31 lines, the cap is 30: take out what has a name of its own"},
		"EchoRenamed":   {`web "` + echo + `"`, "func login(c web.Context) error {", "5: handler login has 31 lines, the cap is 30: take out what has a name of its own"},
		"WithoutAName":  {`"` + echo + `"`, "var login = func(c echo.Context) error {", "5: handler of no name has 31 lines, the cap is 30: take out what has a name of its own"},
		"NoRequest":     {`"net/http"`, "func (s *scene) row(request int) {", ""},
		"OtherContext":  {`"context"`, "func (w *Web) Run(ctx context.Context) {", ""},
		"NoEcho":        {`"monitor/modules/uptime"`, "func (w *Web) Run(ctx echo.Context) {", ""},
		"OnlyAResult":   {`"net/http"`, "func (w *Web) in() *request {", ""},
		"RequestItself": {`"net/http"`, "func asPost(r *http.Request) {", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "package web\n\nimport " + c.imported + "\n\n" + c.before
			got := plant(t, map[string]string{"modules/web/x.go": text + strings.Repeat("\n", 30) + "}\n"})
			if c.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			require.Equal(t, "modules/web/x.go:"+c.want, got[0].String())
			require.Empty(t, plant(t, map[string]string{
				"modules/web/x.go":      text + strings.Repeat("\n", 29) + "}\n",
				"modules/web/x_test.go": text + strings.Repeat("\n", 30) + "}\n",
				"modules/httpd/x.go":    text + strings.Repeat("\n", 30) + "}\n",
			}), "up to the cap, in a test, and of others it is allowed")
		})
	}
}

func TestExceptions(t *testing.T) {
	t.Parallel()
	long := house()
	maps.Copy(long, tree(map[string]string{
		"modules/form/x.go": "package form\n\nfunc long() {" + strings.Repeat("\n", 80) + "}\n" + strings.Repeat("\n", 500),
	}))
	forFile := exception{file: "modules/form/x.go", reason: "a table"}
	forFunction := exception{file: "modules/form/x.go", function: "long", reason: "a table"}

	breaches, err := check(long, []exception{forFile, forFunction})
	require.NoError(t, err)
	require.Empty(t, breaches)

	breaches, err = check(long, []exception{forFile})
	require.NoError(t, err)
	require.Equal(t, "[modules/form/x.go:3: function long has 81 lines, the cap is 80]", fmt.Sprint(breaches))

	breaches, err = check(long, []exception{forFile, {file: forFile.file, function: "long"}})
	require.NoError(t, err)
	require.Equal(t, "[modules/form/x.go: exception for long has no reason]", fmt.Sprint(breaches))

	breaches, err = check(house(), []exception{forFile})
	require.NoError(t, err)
	require.Equal(t, "[modules/form/x.go: exception for the length of the file is no longer needed: "+
		"take it out of modules/archtest/exceptions.go]", fmt.Sprint(breaches))
}

func TestFileThatDoesNotParseIsAnError(t *testing.T) {
	t.Parallel()
	planted := house()
	planted["app/broken.go"] = &fstest.MapFile{Data: []byte("package")}
	_, err := check(planted, nil)
	require.ErrorContains(t, err, "parse app/broken.go")
}

// TestPlanNamesEachMemberOnce keeps a folder from standing on two floors.
func TestPlanNamesEachMemberOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, r := range plan() {
		for _, m := range r.members {
			require.NotContains(t, seen, m, "%s stands on two floors", m)
			seen[m] = r.name
		}
	}
	for _, w := range walls() {
		for _, m := range w.members {
			require.Contains(t, seen, m, "a wall names %s, which stands on no floor", m)
		}
	}
}

// plant checks the house with files added to it.
func plant(t *testing.T, files map[string]string) []Breach {
	t.Helper()
	planted := house()
	maps.Copy(planted, tree(files))
	breaches, err := check(planted, nil)
	require.NoError(t, err)
	return breaches
}

func tree(files map[string]string) fstest.MapFS {
	made := fstest.MapFS{}
	for name, text := range files {
		made[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return made
}

// importing is a file whose first import stands in line 4.
func importing(pkg string, imports ...string) string {
	return "package " + pkg + "\n\nimport (\n\t_ \"" + strings.Join(imports, "\"\n\t_ \"") + "\"\n)\n"
}

// calling is a file that calls something in line 5.
func calling(imported, call string) string {
	return "package form\n\nimport \"" + imported + "\"\n\nfunc f() { " + call + " }\n"
}
