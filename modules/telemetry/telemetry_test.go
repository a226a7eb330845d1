package telemetry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLogger(t *testing.T) {
	t.Parallel()

	t.Run("Text", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		log, err := NewLogger(&out, Config{Level: "info", Format: "text"})
		require.NoError(t, err)
		log.Info("started", "port", 8080)
		log.Debug("hidden")
		require.Regexp(t, `^time=\d{4}-\d\d-\d\dT[0-9:.]+Z level=INFO msg=started port=8080\n$`, out.String())
	})

	t.Run("JSON", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		log, err := NewLogger(&out, Config{Level: "debug", Format: "json"})
		require.NoError(t, err)
		log.Debug("shown", "time", "an attribute of that name stays")
		require.Regexp(t, `^\{"time":"[^"]+Z","level":"DEBUG","msg":"shown","time":"an attribute of that name stays"\}\n$`, out.String())
	})

	t.Run("NoFormatIsJSONOffATerminal", func(t *testing.T) {
		t.Parallel()
		file, err := os.CreateTemp(t.TempDir(), "log")
		require.NoError(t, err)
		log, err := NewLogger(file, DefaultConfig())
		require.NoError(t, err)
		require.IsType(t, &slog.JSONHandler{}, log.Handler())
		require.NoError(t, file.Close())
	})

	t.Run("NoFormatIsTextOnATerminal", func(t *testing.T) {
		t.Parallel()
		device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device, as a terminal is
		require.NoError(t, err)
		log, err := NewLogger(device, DefaultConfig())
		require.NoError(t, err)
		require.IsType(t, &slog.TextHandler{}, log.Handler())
		require.NoError(t, device.Close())
	})
}

func TestLevels(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	} {
		log, err := NewLogger(&bytes.Buffer{}, Config{Level: name, Format: "json"})
		require.NoError(t, err)
		require.True(t, log.Enabled(context.Background(), want), name)
		require.False(t, log.Enabled(context.Background(), want-1), name)
	}
}

func TestBadConfigSaysAllAtOnce(t *testing.T) {
	t.Parallel()
	_, err := NewLogger(&bytes.Buffer{}, Config{Level: "loud", Format: "xml"})
	require.EqualError(t, err, "log.level is \"loud\": use debug, info, warn or error\nlog.format is \"xml\": use text or json")
	require.NoError(t, DefaultConfig().Validate())
}

func TestBuildInfo(t *testing.T) {
	t.Parallel()
	noted := &debug.BuildInfo{
		Main: debug.Module{Version: "(devel)"},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-11-24T00:00:00Z"}, {Key: "vcs.modified", Value: "true"},
		},
	}
	require.Equal(t, Build{Commit: "abc-dirty", Date: "2026-11-24T00:00:00Z"}, Build{}.completedBy(noted))

	released := Build{Version: "v1.2.3", Commit: "def", Date: "today"}
	require.Equal(t, released, released.completedBy(noted), "the linker's word goes first")

	noted.Main.Version = "v0.9.0"
	require.Equal(t, "v0.9.0", Build{}.completedBy(noted).Version)

	require.Equal(t, runtime.Version(), BuildInfo().GoVersion)
	require.NotEmpty(t, BuildInfo().Version)
}

// scrape returns the metrics page and what was logged meanwhile.
func scrape(t *testing.T, r *Registry) (page, logged string) {
	t.Helper()
	var out bytes.Buffer
	answer := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
	r.Handler(slog.New(slog.NewTextHandler(&out, nil))).ServeHTTP(answer, request)
	require.Equal(t, http.StatusOK, answer.Code)
	return answer.Body.String(), out.String()
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	r := NewRegistry(Build{Version: "v1", Commit: "abc", Date: "today", GoVersion: "go1"})
	jobs := r.Counter("monitor_jobs_total", "Jobs.", "status")
	r.Counter("monitor_ticks_total", "Ticks.")
	flying := r.Gauge("monitor_flying", "In flight.", "queue")
	took := r.Histogram("monitor_took_seconds", "Time.", []float64{0.1, 1})
	r.Sampled("monitor_depth", "Depth.", []string{"queue"}, func() ([]Sample, error) {
		return []Sample{{Value: 7, Labels: []string{"checks"}}}, nil
	})
	jobs.Inc("up")
	jobs.Add(2, "up")
	flying.Set(3, "checks")
	flying.Add(-1, "checks")
	flying.Set(1, "gone")
	flying.Delete("gone")
	took.Observe(0.5)

	page, logged := scrape(t, r)
	for _, want := range []string{
		`monitor_build_info{commit="abc",date="today",go_version="go1",version="v1"} 1`,
		"go_goroutines ", "process_start_time_seconds ",
		`monitor_jobs_total{status="up"} 3`,
		"monitor_ticks_total 0",
		`monitor_flying{queue="checks"} 2`,
		`monitor_took_seconds_bucket{le="0.1"} 0`,
		`monitor_took_seconds_bucket{le="1"} 1`,
		`monitor_depth{queue="checks"} 7`,
	} {
		require.Contains(t, page, want)
	}
	require.NotContains(t, page, "gone")
	require.Empty(t, logged)
}

func TestRegistriesShareNothing(t *testing.T) {
	t.Parallel()
	one, other := NewRegistry(Build{}), NewRegistry(Build{})
	one.Counter("monitor_jobs_total", "Jobs.").Inc()
	page, _ := scrape(t, other)
	require.NotContains(t, page, "monitor_jobs_total")
	require.Panics(t, func() { one.Counter("monitor_jobs_total", "Jobs.") }, "a name is declared once")
}

func TestSampleThatFailsHidesNoOther(t *testing.T) {
	t.Parallel()
	r := NewRegistry(Build{})
	r.Sampled("monitor_broken", "Broken.", nil, func() ([]Sample, error) { return nil, errors.New("queue is away") })
	r.Sampled("monitor_crooked", "Wrong labels.", []string{"a"}, func() ([]Sample, error) { return []Sample{{Value: 1}}, nil })
	page, logged := scrape(t, r)
	require.Contains(t, page, "monitor_build_info")
	require.NotContains(t, page, "monitor_broken")
	require.Contains(t, logged, "queue is away")
	require.Contains(t, logged, "inconsistent label cardinality")
}
