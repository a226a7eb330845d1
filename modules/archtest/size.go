package archtest

import (
	"fmt"
	"go/ast"
)

// checkSize holds the caps. Generated files are nobody's to shorten.
func (c *checker) checkSize(f source) {
	if ast.IsGenerated(f.ast) {
		return
	}
	if f.lines > maxFileLines && !c.isAllowed(f.path, "") {
		c.add(f.path, 0, fmt.Sprintf("file has %d lines, the cap is %d", f.lines, maxFileLines))
	}
	for _, decl := range f.ast.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		lines := c.line(fn.End()) - c.line(fn.Pos()) + 1
		if lines > maxFunctionLines && !c.isAllowed(f.path, functionName(fn)) {
			c.add(f.path, c.line(fn.Pos()),
				fmt.Sprintf("function %s has %d lines, the cap is %d", functionName(fn), lines, maxFunctionLines))
		}
	}
}

func (c *checker) isAllowed(file, function string) bool {
	for i, e := range c.allowed {
		if e.file == file && e.function == function {
			c.used[i] = true
			return true
		}
	}
	return false
}

// checkExceptions is called when all files were seen.
func (c *checker) checkExceptions() {
	for i, e := range c.allowed {
		what := "exception for the length of the file"
		if e.function != "" {
			what = "exception for " + e.function
		}
		switch {
		case !c.used[i]:
			c.add(e.file, 0, what+" is no longer needed: take it out of modules/archtest/exceptions.go")
		case e.reason == "":
			c.add(e.file, 0, what+" has no reason")
		}
	}
}

// functionName gives Name, or Type.Name for a method.
func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	receiver := fn.Recv.List[0].Type
	for {
		switch t := receiver.(type) {
		case *ast.StarExpr:
			receiver = t.X
		case *ast.IndexExpr:
			receiver = t.X
		case *ast.IndexListExpr:
			receiver = t.X
		case *ast.Ident:
			return t.Name + "." + fn.Name.Name
		default:
			return fn.Name.Name
		}
	}
}
