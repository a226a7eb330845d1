package deploycheck

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// instruction is one of a Dockerfile, its lines joined.
type instruction struct{ name, rest string }

// dockerfile gives the instructions of each stage.
func dockerfile(t *testing.T) [][]instruction {
	t.Helper()
	var lines []string
	for line := range strings.Lines(read(t, "Dockerfile")) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	text := strings.ReplaceAll(strings.Join(lines, ""), "\\\n", " ")
	known := []string{
		"FROM", "WORKDIR", "COPY", "RUN", "ARG", "USER", "ENV", "VOLUME", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT", "CMD",
	}
	var stages [][]instruction
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "" {
			continue
		}
		require.Contains(t, known, name)
		if name == "FROM" {
			stages = append(stages, nil)
		}
		require.NotEmpty(t, stages, line)
		last := len(stages) - 1
		stages[last] = append(stages[last], instruction{name, strings.TrimSpace(rest)})
	}
	return stages
}

// image is what the last stage says.
type image struct {
	from, user  string
	env         map[string]string
	entrypoint  []string
	cmd         []string
	healthcheck []string
	exposed     []string
}

func theImage(t *testing.T) image {
	t.Helper()
	stages := dockerfile(t)
	im := image{env: map[string]string{}}
	list := func(text string) (out []string) {
		require.NoError(t, json.Unmarshal([]byte(text), &out), text)
		return out
	}
	for _, i := range stages[len(stages)-1] {
		switch i.name {
		case "FROM":
			im.from = i.rest
		case "USER":
			im.user = i.rest
		case "EXPOSE":
			im.exposed = strings.Fields(i.rest)
		case "ENV":
			for pair := range strings.FieldsSeq(i.rest) {
				name, value, _ := strings.Cut(pair, "=")
				im.env[name] = value
			}
		case "ENTRYPOINT":
			im.entrypoint = list(i.rest)
		case "CMD":
			im.cmd = list(i.rest)
		case "HEALTHCHECK":
			_, command, ok := strings.Cut(i.rest, "CMD ")
			require.True(t, ok, i.rest)
			im.healthcheck = list(command)
		}
	}
	return im
}

func TestImage(t *testing.T) {
	t.Parallel()
	im := theImage(t)
	require.Equal(t, "scratch", im.from)
	require.Regexp(t, `^[1-9]\d*:[1-9]\d*$`, im.user, "a number, or Kubernetes cannot see that it is not root")
	require.Equal(t, []string{"/monitor"}, im.entrypoint)
	require.Equal(t, []string{"serve"}, im.cmd)
	var names []string
	for name := range im.env {
		names = append(names, name)
	}
	requireSettings(t, "Dockerfile", names)
}

// TestImageHealthcheck: its flags exist, and it asks the port that the image sets. The
// topology runs it.
func TestImageHealthcheck(t *testing.T) {
	t.Parallel()
	im := theImage(t)
	require.Equal(t, []string{"/monitor", "check"}, im.healthcheck[:2])
	require.Equal(t, "http://127.0.0.1"+im.env["MONITOR_HTTP_ADMIN_ADDR"]+"/healthz", im.healthcheck[len(im.healthcheck)-1])
	require.Contains(t, im.exposed, strings.TrimPrefix(im.env["MONITOR_HTTP_ADMIN_ADDR"], ":"))
	keys := map[string]bool{}
	for _, key := range settings(t) {
		keys[key] = true
	}
	for _, flag := range im.healthcheck[2 : len(im.healthcheck)-1] {
		name, _, _ := strings.Cut(strings.TrimPrefix(flag, "--"), "=")
		require.True(t, keys[name], flag)
	}
}

func TestImageIsBuiltByTheVersionOfTheModule(t *testing.T) {
	t.Parallel()
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+\.\d+)$`).FindStringSubmatch(read(t, "go.mod"))
	require.NotNil(t, version)
	require.Equal(t, "--platform=$BUILDPLATFORM golang:"+version[1]+" AS build", dockerfile(t)[0][0].rest)
	require.Subset(t, strings.Fields(read(t, ".dockerignore")), []string{".git", "deploy", "data", "config.yaml"}, "secrets of this machine")
}
