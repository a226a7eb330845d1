package lang

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root of the program's source, from here.
const root = "../.."

// TestEveryCatalogueIsComplete holds the catalogues to what the source says: no sentence
// is missing in one, none is there that nobody says, and gaps are the same.
func TestEveryCatalogueIsComplete(t *testing.T) {
	t.Parallel()
	said := sentencesOfSource(t)
	require.NotEmpty(t, said)
	for _, l := range All()[1:] {
		for _, key := range slices.Sorted(maps.Keys(said)) {
			f, ok := l.texts[key]
			if !ok {
				t.Errorf("%s: no translation of %q (%s)", l.Tag(), key, said[key])
				continue
			}
			for _, text := range f {
				if want, got := gapsOf(bare(key)), gapsOf(text); !slices.Equal(want, got) {
					t.Errorf("%s: the gaps of %q are %v in %q, must be %v", l.Tag(), key, got, text, want)
				}
			}
		}
		for _, key := range l.Keys() {
			if _, ok := said[key]; !ok {
				t.Errorf("%s: nobody says %q", l.Tag(), key)
			}
		}
	}
}

// gapsOf a sentence, each with its place; gaps of a count may be left out of a form.
func gapsOf(text string) []string {
	n, out := 0, []string{}
	for _, g := range gap.FindAllStringSubmatch(strings.ReplaceAll(text, "%%", ""), -1) {
		n++
		place := strconv.Itoa(n)
		if g[1] != "" {
			place = g[1]
		}
		out = append(out, place)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// sentencesOfSource finds every key of the catalogue in the program, with the file that
// says it.
func sentencesOfSource(t *testing.T) map[string]string {
	t.Helper()
	said := map[string]string{}
	walk := func(folder, ext string, read func(name, text string)) {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, folder), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(name) != ext || strings.HasSuffix(name, "_test.go") {
				return err
			}
			if slices.ContainsFunc(silent(), func(folder string) bool { return strings.HasPrefix(name, filepath.Join(root, folder)+"/") }) {
				return nil
			}
			raw, err := os.ReadFile(name)
			read(name, string(raw))
			return err
		}))
	}
	walk("modules", ".go", func(name, text string) {
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			for _, key := range saidBy(n) {
				said[key] = name
			}
			return true
		})
	})
	walk("templates", ".html", func(name, text string) {
		for _, found := range inTemplate.FindAllStringSubmatch(text, -1) {
			key, err := strconv.Unquote(found[1])
			require.NoError(t, err)
			said[key] = name
		}
	})
	walk("static/js", ".js", func(name, text string) {
		for _, found := range inScript.FindAllStringSubmatch(text, -1) {
			said[strings.ReplaceAll(found[1], `\'`, `'`)] = name
		}
	})
	delete(said, "")
	delete(said, "%s") // of a sentence that is made elsewhere
	return said
}

// silent are the folders whose texts no page shows.
func silent() []string {
	return []string{
		"modules/api", // programs read them, in English
		"modules/archtest", "modules/testenv",
		"modules/store/storetest", "modules/queue/queuetest", "modules/lock/locktest", "modules/bus/bustest",
		"modules/limit/limittest", "modules/fleet/fleettest", "modules/probe/probetest", "modules/channel/channeltest",
	}
}

var (
	inTemplate = regexp.MustCompile(`[{( |](?:th?|n [^"{}]+ "(?:[^"\\]|\\.)*") ("(?:[^"\\]|\\.)*")`)
	inScript   = regexp.MustCompile(`\b(?:t\(|n\([^,'"]+, '(?:[^'\\]|\\.)*', )'((?:[^'\\]|\\.)*)'`)
	labels     = regexp.MustCompile(`\b(?:label|help|placeholder):"`)
)

// saidBy a piece of Go: a sentence of T, t, N, Key, Say and the errors of use cases, a
// constant or a result that is a Sentence, a label or help of a setting.
func saidBy(n ast.Node) []string {
	switch n := n.(type) {
	case *ast.CallExpr:
		return saidByCall(n)
	case *ast.CompositeLit:
		return saidByLiteral(n)
	case *ast.FuncDecl:
		return saidByResults(n)
	case *ast.ValueSpec:
		return saidByConstants(n)
	case *ast.Field:
		if n.Tag == nil || !labels.MatchString(n.Tag.Value) {
			return nil
		}
		tag := reflect.StructTag(strings.Trim(n.Tag.Value, "`"))
		return []string{tag.Get("label"), tag.Get("help"), prose(tag.Get("placeholder"))}
	}
	return nil
}

// prose is a placeholder of words; an example is the same in every language.
func prose(text string) string {
	if strings.Contains(text, " ") {
		return text
	}
	return ""
}

func saidByCall(call *ast.CallExpr) []string {
	at, ok := map[string]int{"T": 0, "t": 0, "Key": 0, "N": 2, "n": 2, "Fail": 1, "fail": 1, "onOneLine": 0,
		"Say": 0, "Sentence": 0, "down": 1, "unusable": 0, "refused": 0}[nameOf(call.Fun)]
	if !ok || len(call.Args) <= at {
		return nil
	}
	if text, ok := constant(call.Args[at]); ok {
		return []string{text}
	}
	return nil
}

// saidByResults reads what functions return whose result is a Sentence.
func saidByResults(f *ast.FuncDecl) (out []string) {
	if f.Type.Results == nil {
		return nil
	}
	var at []int // of results
	n := 0
	for _, r := range f.Type.Results.List {
		for range max(len(r.Names), 1) {
			if nameOf(r.Type) == "Sentence" {
				at = append(at, n)
			}
			n++
		}
	}
	if len(at) == 0 {
		return nil
	}
	ast.Inspect(f.Body, func(node ast.Node) bool {
		if back, ok := node.(*ast.ReturnStmt); ok && len(back.Results) == n {
			for _, i := range at {
				if text, ok := constant(back.Results[i]); ok {
					out = append(out, text)
				}
			}
		}
		return true
	})
	return out
}

// saidByConstants reads sentences and words of the program.
func saidByConstants(spec *ast.ValueSpec) (out []string) {
	before, ok := map[string]string{
		"Sentence": "", "Action": "", "Role": "word|", "DeliveryStatus": "word|", "IncidentStatus": "word|",
	}[nameOf(spec.Type)]
	if !ok {
		return nil
	}
	for _, value := range spec.Values {
		if text, ok := constant(value); ok && text != "" {
			out = append(out, before+text)
		}
	}
	return out
}

// nameOf a type or function, without its package.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// saidByLiteral reads the words of forms and of errors.
func saidByLiteral(lit *ast.CompositeLit) (out []string) {
	of := nameOf(lit.Type)
	words := map[string][]string{
		"Field": {"Label", "Help", "Placeholder"}, "FieldView": {"Label", "Help", "Placeholder"}, "Kind": {"Label", "Help"},
		"FieldError": {"Message"}, "Error": {"Detail"}, "Expectation": {"Name", "Expected", "Actual"},
	}[of]
	if of == "" {
		words = []string{"Label", "Help", "Placeholder", "Message"} // of a list whose type says it
	}
	for _, element := range lit.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		key, ok := pair.Key.(*ast.Ident)
		if !ok || !slices.Contains(words, key.Name) {
			continue
		}
		text, ok := constant(pair.Value)
		if key.Name == "Placeholder" {
			text = prose(text)
		}
		if ok {
			out = append(out, text)
		}
	}
	return out
}

// constant gives the text of a literal, or of several joined by +.
func constant(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, e.Kind == token.STRING && err == nil
	case *ast.BinaryExpr:
		a, ok := constant(e.X)
		b, also := constant(e.Y)
		return a + b, ok && also && e.Op == token.ADD
	case *ast.ParenExpr:
		return constant(e.X)
	}
	return "", false
}
