package deploycheck

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

const root = "../.."

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	require.NoError(t, err)
	return string(text)
}

// decode is strict: unknown and double keys fail.
func decode(t *testing.T, name, text string, into any) {
	t.Helper()
	require.NoError(t, yaml.UnmarshalStrict([]byte(text), into), name)
}

var settingLine = regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\| `(MONITOR_[A-Z_]+)` \\|")

// settings gives the documented keys by their environment variables.
func settings(t *testing.T) map[string]string {
	t.Helper()
	keys := map[string]string{}
	for _, m := range settingLine.FindAllStringSubmatch(read(t, "docs", "configuration.md"), -1) {
		keys[m[2]] = m[1]
	}
	require.Greater(t, len(keys), 30, "docs/configuration.md is not read as it is written")
	return keys
}

// requireSettings finds fault with variables that the program does not know: a
// misspelt one is ignored by it.
func requireSettings(t *testing.T, where string, names []string) {
	t.Helper()
	known := settings(t)
	for _, name := range names {
		if strings.HasPrefix(name, "MONITOR_") {
			require.Contains(t, known, name, where)
		}
	}
}

// variables gives the names that a file of NAME=value lines sets, those of lines
// that are commented out included.
func variables(text string) []string {
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^#?([A-Z][A-Z0-9_]*)=`).FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return names
}

// metrics gives the names that the program declares: the texts in package app that
// look like one.
func metrics(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "app", "*.go"))
	require.NoError(t, err)
	names := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
				if name, err := strconv.Unquote(text.Value); err == nil && strings.HasPrefix(name, "monitor_") {
					names[name] = true
				}
			}
			return true
		})
	}
	require.Greater(t, len(names), 20, "the metrics are declared elsewhere")
	return names
}

// rolesOf gives the roles that the arguments of a process name.
func rolesOf(t *testing.T, args []string) string {
	t.Helper()
	require.Len(t, args, 2)
	require.Equal(t, "serve", args[0])
	roles, ok := strings.CutPrefix(args[1], "--role=")
	require.True(t, ok, args[1])
	for role := range strings.SplitSeq(roles, ",") {
		require.Contains(t, []string{"web", "api", "scheduler", "worker", "notifier", "all"}, role)
	}
	return roles
}

// topology is how many processes of each kind there have to be.
func topology() map[string]int {
	return map[string]int{"web,api": 2, "scheduler": 2, "worker": 5, "notifier": 2}
}
