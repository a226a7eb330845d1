package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the generated files")

// load reads settings from a file's text, an environment and flags.
func load(t *testing.T, file string, env map[string]string, args ...string) (*Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	AddFlags(flags)
	require.NoError(t, flags.Parse(args))
	return Load(Options{File: path, Flags: flags, Getenv: func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}})
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, err := load(t, "", nil)
	require.NoError(t, err)
	require.Equal(t, ":8080", c.HTTP.Addr)
	require.Equal(t, 30*24*time.Hour, c.Retention.Results)
	require.Equal(t, 512, c.Worker.Concurrency)
	require.True(t, c.Network.AllowPrivate)
	require.Contains(t, c.Network.Deny, "169.254.169.254/32")
	require.Equal(t, "starttls", c.SMTP.TLS)
	for key, source := range c.Sources {
		require.Equal(t, FromDefault, source, key)
	}
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := "http:\n  addr: \":1\"\nworker:\n  concurrency: 7\n  canaries: [\"a:1\", \"b:2\"]\nlog:\n  level: warn\n"
	env := map[string]string{"MONITOR_WORKER_CONCURRENCY": "8", "MONITOR_LOG_LEVEL": "error"}
	c, err := load(t, file, env, "--log.level=debug")
	require.NoError(t, err)
	require.Equal(t, ":1", c.HTTP.Addr)
	require.Equal(t, 8, c.Worker.Concurrency)
	require.Equal(t, "debug", c.Log.Level)
	require.Equal(t, []string{"a:1", "b:2"}, c.Worker.Canaries)
	require.Equal(t, FromFile, c.Sources["http.addr"])
	require.Equal(t, FromEnv, c.Sources["worker.concurrency"])
	require.Equal(t, FromFlag, c.Sources["log.level"])
}

func TestRefused(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, file, want string }{
		{"UnknownKey", "http:\n  adr: \":1\"", `http.adr (file): there is no such setting`},
		{"UnknownGroup", "colour: red", `colour (file): there is no such setting`},
		{"Number", "worker:\n  concurrency: many", `worker.concurrency = "many" (file): must be a whole number, from 1 to 100000`},
		{"NumberTooSmall", "worker:\n  concurrency: 0", `worker.concurrency = "0" (file): must be from 1 to 100000`},
		{"Bool", "database:\n  auto_migrate: perhaps", `must be true or false`},
		{"Duration", "scheduler:\n  tick: 5", `scheduler.tick = "5" (file): must be a duration such as "90s", "5m" or "30d", from 100ms to 10s`},
		{"DurationTooLong", "scheduler:\n  tick: 1h", `must be from 100ms to 10s`},
		{"Retention", "retention:\n  incidents: 5m", `must be 0s (for ever) or from 1d`},
		{"Addr", "http:\n  addr: 8080", `must be host:port or :port`},
		{"AddrPort", "http:\n  addr: \":99999\"", `must be host:port or :port`},
		{"PublicURL", "http:\n  public_url: status.example.com", `must be empty or an absolute address`},
		{"CIDR", "network:\n  deny: [\"10.0.0.0/33\"]", `network.deny = "[10.0.0.0/33]" (file): must be addresses or CIDRs`},
		{"ListOfNumbers", "network:\n  deny: [1]", `must be a list of texts`},
		{"Database", "database:\n  url: mysql://root:hunter2hunter2@db/x", `database.url = "********" (file): must be empty, postgres://`},
		{"Redis", "redis:\n  url: localhost:6379", `must be empty or an address that starts with redis://`},
		{"Secret", "auth:\n  secret: short", `auth.secret = "********" (file): must be at least 32 characters`},
		{"TLS", "smtp:\n  tls: ssl", `must be one of starttls, tls, none`},
		{"LogFormat", "log:\n  format: xml", `must be empty or one of text, json`},
		{"Region", "worker:\n  region: \"eu west\"", `must be 1 to 63 letters, digits`},
		{"Canary", "worker:\n  canaries: [\"example.com\"]", `must be host:port addresses`},
		{"HalfAnAdmin", "auth:\n  admin_email: a@example.com", `must be set together with auth.admin_password`},
		{"ShortPassword", "auth:\n  admin_email: a@example.com\n  admin_password: short", `at least 12 characters`},
		{"MailWithoutSender", "smtp:\n  host: mail.example.com", `smtp.from: must be set when smtp.host is`},
		{"PostgresWithoutSecret", "database:\n  url: postgres://u:p@h/d", `auth.secret: must be set when database.url names PostgreSQL`},
		{"MapForText", "http:\n  addr:\n    host: x", `http.addr.host (file): there is no such setting`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, c.file, nil)
			var problems ProblemsError
			require.ErrorAs(t, err, &problems)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestAllErrorsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := load(t, "http:\n  addr: x\nworker:\n  spool: 1\nnope: 1\n", nil)
	var problems ProblemsError
	require.ErrorAs(t, err, &problems)
	require.Len(t, problems, 3)
}

func TestBrokenFile(t *testing.T) {
	t.Parallel()
	_, err := load(t, "http: [", nil)
	require.ErrorContains(t, err, "read the configuration file")
	_, err = Load(Options{File: filepath.Join(t.TempDir(), "gone.yaml")})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestPrintMasks(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("s3cret", 8)
	c, err := load(t, "", map[string]string{
		"MONITOR_AUTH_SECRET": secret, "MONITOR_SMTP_PASSWORD": "x://hunter2", "MONITOR_HTTP_METRICS_TOKEN": "https://hunter2/",
		"MONITOR_AUTH_PREVIOUS_SECRETS": secret + "x",
	})
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, c.Print(&b))
	require.Contains(t, b.String(), `auth.secret: "********"`)
	require.NotContains(t, b.String(), "s3cret")
	require.NotContains(t, b.String(), "hunter2")
	require.Contains(t, b.String(), "# env")
	for text, want := range map[string]string{
		"sqlite:///srv/monitor.db":           "sqlite:///srv/monitor.db",
		"postgres://u:hunter2@db:5432/m?x=1": "postgres://u:********@db:5432/m?x=1",
		"postgres://u@db/m?password=hunter2": "********",
		"redis+sentinel://:hunter2@a:1,b:2/": "********",
		"hunter2":                            "********",

		"redis+sentinel://a:1/m/0?sentinel_password=hunter2": "********",
	} {
		require.Equal(t, want, mask(text))
	}
}

func TestGeneratedFiles(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"config.example.yaml":                           Example(),
		filepath.Join("..", "docs", "configuration.md"): Markdown(),
	} {
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
		}
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, want, string(got), "out of date: go generate ./config")
	}
}

func TestExampleIsTheDefaults(t *testing.T) {
	t.Parallel()
	c, err := load(t, Example(), nil)
	require.NoError(t, err)
	d, err := load(t, "", nil)
	require.NoError(t, err)
	c.Sources, d.Sources, c.File, d.File = nil, nil, "", ""
	require.Equal(t, d, c)
}
