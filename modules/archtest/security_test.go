package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// goFiles calls each with every Go file of the repository, by its path from the root.
func goFiles(t *testing.T, each func(name string, text []byte)) {
	t.Helper()
	files := os.DirFS(moduleRoot(t))
	require.NoError(t, fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && name != "." || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := fs.ReadFile(files, name)
		if err == nil {
			each(name, text)
		}
		return err
	}))
}

func securityText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(moduleRoot(t), "docs", "security.md"))
	require.NoError(t, err)
	return string(text)
}

// TestNamedTestsExist: docs/security.md names tests as package.TestName; each is there.
func TestNamedTestsExist(t *testing.T) {
	t.Parallel()
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	known := map[string]bool{}
	goFiles(t, func(name string, text []byte) {
		if strings.HasSuffix(name, "_test.go") {
			for _, found := range declared.FindAllSubmatch(text, -1) {
				known[path.Base(path.Dir(name))+"."+string(found[1])] = true
			}
		}
	})
	text := securityText(t)
	named := regexp.MustCompile("`([a-z]+\\.(?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(text, -1)
	require.Greater(t, len(named), 100)
	for _, one := range named {
		require.True(t, known[one[1]], "docs/security.md names %s, which is nowhere", one[1])
	}
	require.NotRegexp(t, "(?:^|[^.\\w])(?:Test|Fuzz)[A-Z]\\w+", text, "a test is named without its package")
}

// TestRequirementsAreNamedOnce: each requirement of ASVS has one line, and each of its
// chapters a heading.
func TestRequirementsAreNamedOnce(t *testing.T) {
	t.Parallel()
	_, section, found := strings.Cut(securityText(t), "\n## OWASP ASVS 5\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	seen := map[string]bool{}
	for _, id := range regexp.MustCompile(`\bV\d+\.\d+\.\d+\b`).FindAllString(section, -1) {
		require.False(t, seen[id], id)
		seen[id] = true
	}
	for chapter := 1; chapter <= 17; chapter++ {
		require.Regexp(t, `(?m)^\*\*V`+strconv.Itoa(chapter)+` `, section)
	}
}

// TestProgramRunsNothing: no part of the program starts another or loads code. Only
// what tests and the folder tools need does.
func TestProgramRunsNothing(t *testing.T) {
	t.Parallel()
	never := map[string]bool{"os/exec": true, "plugin": true, "unsafe": true, "C": true, "net/rpc": true, "encoding/gob": true, "encoding/xml": true, "expvar": true}
	goFiles(t, func(name string, text []byte) {
		place, _ := locate(path.Dir(name))
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "tools/") || place.floor == testSupport {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
		require.NoError(t, err)
		for _, imported := range file.Imports {
			what, err := strconv.Unquote(imported.Path.Value)
			require.NoError(t, err)
			require.False(t, never[what], "%s imports %s", name, what)
		}
		require.NotContains(t, string(text), "syscall.Exec(", name)
		require.NotContains(t, string(text), "os.StartProcess(", name)
	})
}
