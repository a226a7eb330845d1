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
	"golang.org/x/text/feature/plural"
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
				t.Errorf("%s: no translation of %q (%s)", l.Tag(), key, said[key].file)
				continue
			}
			if have := slices.Sorted(maps.Keys(f)); len(f) > 1 && !slices.Equal(have, l.counts()) || said[key].counts && len(f) != len(l.counts()) {
				t.Errorf("%s: the plural forms of %q are %v, must be %v", l.Tag(), key, have, l.counts())
			}
			for _, text := range f {
				if want, got := gapsOf(t, bare(key)), gapsOf(t, text); !maps.Equal(want, got) {
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

// counts are the plural forms that whole numbers have.
func (l *Language) counts() []plural.Form {
	forms := map[plural.Form]bool{plural.Other: true}
	for n := range int64(1000) {
		forms[l.form(n)], forms[l.form(n*1_000_000)] = true, true // "many" of French
	}
	return slices.Sorted(maps.Keys(forms))
}

// gapsOf a sentence by their place, and whether each is of a number.
func gapsOf(t *testing.T, text string) map[int]bool {
	t.Helper()
	out := map[int]bool{}
	_, gaps := apart(text)
	for _, g := range gaps {
		out[g.arg] = g.verb == "d"
	}
	placed := strings.Count(text, "%[")
	require.True(t, placed == 0 || placed == len(gaps), "%q: either every gap says its place or none does", text)
	return out
}

// sentence of the source: the file that says it, and whether it counts.
type sentence struct {
	file   string
	counts bool
}

// sentencesOfSource finds every key of the catalogue in the program.
func sentencesOfSource(t *testing.T) map[string]sentence {
	t.Helper()
	said := map[string]sentence{}
	add := func(key, file string, counts bool) { said[key] = sentence{file, counts || said[key].counts} }
	inspect(t, func(name string, n ast.Node) {
		for _, key := range saidBy(n) {
			call, _ := n.(*ast.CallExpr)
			add(key, name, call != nil && strings.EqualFold(nameOf(call.Fun), "n"))
		}
	})
	walk(t, "templates", ".html", func(name, text string) {
		for _, found := range inTemplate.FindAllStringSubmatch(text, -1) {
			key, err := strconv.Unquote(found[1])
			require.NoError(t, err)
			add(key, name, found[0][1] == 'n')
		}
	})
	walk(t, "static/js", ".js", func(name, text string) {
		for _, found := range inScript.FindAllStringSubmatch(text, -1) {
			add(strings.ReplaceAll(found[1], `\'`, `'`), name, found[0][0] == 'n')
		}
	})
	delete(said, "")
	delete(said, "%s") // of a sentence that is made elsewhere
	return said
}

// walk reads the files of a folder of the program that are no tests.
func walk(t *testing.T, folder, ext string, read func(name, text string)) {
	t.Helper()
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

// inspect looks at every node of the program's Go.
func inspect(t *testing.T, look func(name string, n ast.Node)) {
	t.Helper()
	walk(t, "modules", ".go", func(name, text string) {
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			look(name, n)
			return true
		})
	})
}

// TestEveryGapIsFilled holds what T and N are given against the gaps of the sentence, as
// go vet does with Say.
func TestEveryGapIsFilled(t *testing.T) {
	t.Parallel()
	looked := 0
	inspect(t, func(name string, n ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok || call.Ellipsis.IsValid() {
			return
		}
		at, ok := map[string]int{"T": 0, "t": 0, "N": 2}[nameOf(call.Fun)]
		if !ok || len(call.Args) <= at {
			return
		}
		key, ok := constant(call.Args[at])
		if !ok {
			return
		}
		given := len(call.Args) - 1 - at
		if at == 2 {
			given++ // the number itself
			one, _ := constant(call.Args[1])
			require.Equal(t, gapsOf(t, one), gapsOf(t, key), "%s: %q", name, key)
		}
		require.Len(t, gapsOf(t, bare(key)), given, "%s: %q", name, key)
		looked++
	})
	require.Greater(t, looked, 300)
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
	at, ok := map[string]int{
		"T": 0, "t": 0, "Key": 0, "N": 2, "n": 2, "Fail": 1, "fail": 1, "onOneLine": 0, "Say": 0, "Sentence": 0, "down": 1, "unusable": 0, "refused": 0,
	}[nameOf(call.Fun)]
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
