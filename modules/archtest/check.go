package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Breach is one place that breaks the plan.
type Breach struct {
	File string // from the module's root
	Line int    // 0 where the whole file or folder is meant
	Text string
}

func (b Breach) String() string {
	if b.Line == 0 {
		return b.File + ": " + b.Text
	}
	return fmt.Sprintf("%s:%d: %s", b.File, b.Line, b.Text)
}

// Check judges the tree under root, which is the module's root: every Go file of
// it whatever its build tags, and the migrations. Modules inside it (tools) are
// judged by size and source only: they drive the built program and stand on no
// floor. The breaches come sorted by file and line. An error means that the tree
// could not be read or parsed.
func Check(root fs.FS) ([]Breach, error) {
	return check(root, exceptions())
}

func check(root fs.FS, allowed []exception) ([]Breach, error) {
	c := &checker{root: root, fset: token.NewFileSet(), allowed: allowed, used: make([]bool, len(allowed))}
	if err := fs.WalkDir(root, ".", c.visit); err != nil {
		return nil, err
	}
	if err := c.checkMigrations(); err != nil {
		return nil, err
	}
	c.checkExceptions()
	slices.SortStableFunc(c.breaches, func(a, b Breach) int {
		if n := strings.Compare(a.File, b.File); n != 0 {
			return n
		}
		return a.Line - b.Line
	})
	return c.breaches, nil
}

type checker struct {
	root     fs.FS
	fset     *token.FileSet
	nested   []string // folders of modules inside this one
	allowed  []exception
	used     []bool // by index of allowed
	breaches []Breach
}

// source is one parsed file.
type source struct {
	path   string
	inTest bool
	ast    *ast.File
	lines  int
}

func (c *checker) visit(name string, d fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	if d.IsDir() {
		return c.enter(name)
	}
	if !strings.HasSuffix(name, ".go") {
		return nil
	}
	return c.checkFile(name)
}

// enter passes over what the Go command passes over, and notes nested modules.
func (c *checker) enter(folder string) error {
	base := path.Base(folder)
	if folder != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "vendor") {
		return fs.SkipDir
	}
	if folder == "." {
		return nil
	}
	if _, err := fs.Stat(c.root, path.Join(folder, "go.mod")); err == nil {
		c.nested = append(c.nested, folder)
	}
	return nil
}

func (c *checker) checkFile(name string) error {
	text, err := fs.ReadFile(c.root, name)
	if err != nil {
		return err
	}
	parsed, err := parser.ParseFile(c.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("parse %s: %w", name, err)
	}
	f := source{
		path: name, inTest: strings.HasSuffix(name, "_test.go"), ast: parsed,
		lines: strings.Count(string(text), "\n"),
	}
	c.checkSize(f)
	c.checkHandlers(f)
	c.checkSource(f)
	if !slices.ContainsFunc(c.nested, func(m string) bool { return strings.HasPrefix(name, m+"/") }) {
		return c.checkImports(f)
	}
	return nil
}

func (c *checker) checkImports(f source) error {
	folder := path.Dir(f.path)
	from, ok := locate(folder)
	if !ok {
		c.add(f.path, 0, "package "+folder+" stands on no floor: add it to the plan in modules/archtest/floors.go")
		return nil
	}
	for _, spec := range f.ast.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return fmt.Errorf("import of %s: %w", f.path, err)
		}
		if text := judgeImport(from, imported, f.inTest); text != "" {
			c.add(f.path, c.line(spec.Pos()), text)
		}
	}
	return nil
}

func judgeImport(from place, imported string, inTest bool) string {
	first, _, _ := strings.Cut(imported, "/")
	switch {
	case imported == "C":
		return "cgo: the program is built without it"
	case first == modulePath:
		folder := strings.TrimPrefix(strings.TrimPrefix(imported, modulePath), "/")
		to, ok := locate(folder)
		if !ok {
			return imported + " stands on no floor: add it to the plan in modules/archtest/floors.go"
		}
		return judge(from, to, inTest)
	case strings.Contains(first, "."):
		return judgeLibrary(from, imported, inTest)
	case from.floor == entrance && imported != "os": // os.Exit(app.Main()) is all it says
		return "main.go imports app and os and nothing else"
	default:
		return ""
	}
}

func (c *checker) line(p token.Pos) int { return c.fset.Position(p).Line }

func (c *checker) add(file string, line int, text string) {
	c.breaches = append(c.breaches, Breach{File: file, Line: line, Text: text})
}
