package archtest

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// checkSource finds what has no place in any source of ours: init functions,
// waiting by the clock instead of for a signal, and tests that do not run.
//
// A test may sleep in one place only, a synctest bubble, where that moves the
// bubble's clock and takes no time.
func (c *checker) checkSource(f source) {
	clock := importName(f.ast, "time")
	inBubble := f.inTest && importName(f.ast, "testing/synctest") != ""
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name == "init" && n.Recv == nil {
				c.add(f.path, c.line(n.Pos()), "init function: pass what it sets up as an argument")
			}
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if !ok {
				return true
			}
			if text := judgeCall(x.Name, n.Sel.Name, clock, f.inTest, inBubble); text != "" {
				c.add(f.path, c.line(n.Pos()), text)
			}
		}
		return true
	})
}

// judgeCall judges receiver.name; clock is what the file calls package time.
func judgeCall(receiver, name, clock string, inTest, inBubble bool) string {
	switch {
	case clock != "" && receiver == clock && name == "Sleep" && !inBubble:
		if inTest {
			return "time.Sleep: wait for a signal, or move the clock of a synctest bubble"
		}
		return "time.Sleep: wait on a timer and ctx.Done()"
	case clock != "" && receiver == clock && name == "Tick" && !inTest:
		return "time.Tick: use a ticker that is stopped, and select on ctx.Done()"
	case inTest && slices.Contains([]string{"t", "b", "f", "tb"}, receiver) &&
		slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, name):
		return receiver + "." + name + ": what a test needs and lacks fails it"
	default:
		return ""
	}
}

// majorVersion ends the path of a library, and is no part of its name.
var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// importName gives the name by which the file knows a package, empty where it
// does not import it.
func importName(f *ast.File, imported string) string {
	for _, spec := range f.Imports {
		if value, err := strconv.Unquote(spec.Path.Value); err != nil || value != imported {
			continue
		}
		if spec.Name != nil {
			return strings.Trim(spec.Name.Name, "_.")
		}
		if base := path.Base(imported); !majorVersion.MatchString(base) {
			return base
		}
		return path.Base(path.Dir(imported))
	}
	return ""
}
