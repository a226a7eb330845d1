package archtest

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
)

// maxHandlerLines is the cap of what answers for pages: one that parses, calls a use case
// and answers is short, and what it draws has names of its own. Nothing is excepted.
const maxHandlerLines = 30

// The pages, what they call a request of somebody who is logged in, and the library whose
// Context is any other.
const (
	pagesFolder = "modules/web"
	pageRequest = "request"
	echoLibrary = "github.com/labstack/echo/v4"
)

// checkHandlers holds the functions of the pages that have a request in their hands:
// as receiver or as parameter, *request or echo.Context.
func (c *checker) checkHandlers(f source) {
	if f.inTest || path.Dir(f.path) != pagesFolder {
		return
	}
	echo := importName(f.ast, echoLibrary)
	ast.Inspect(f.ast, func(n ast.Node) bool {
		name, handles := "of no name", false
		switch n := n.(type) {
		case *ast.FuncDecl:
			name, handles = functionName(n), takesRequest(n.Recv, echo) || takesRequest(n.Type.Params, echo)
		case *ast.FuncLit:
			handles = takesRequest(n.Type.Params, echo)
		}
		if !handles {
			return true
		}
		if lines := c.line(n.End()) - c.line(n.Pos()) + 1; lines > maxHandlerLines {
			c.add(f.path, c.line(n.Pos()), fmt.Sprintf(
				"handler %s has %d lines, the cap is %d: take out what has a name of its own", name, lines, maxHandlerLines))
		}
		return true
	})
}

// takesRequest reports a *request or, where the file calls echo's package so, an
// echo.Context among parameters.
func takesRequest(fields *ast.FieldList, echo string) bool {
	return fields != nil && slices.ContainsFunc(fields.List, func(field *ast.Field) bool {
		switch t := field.Type.(type) {
		case *ast.StarExpr:
			x, ok := t.X.(*ast.Ident)
			return ok && x.Name == pageRequest
		case *ast.SelectorExpr:
			x, ok := t.X.(*ast.Ident)
			return ok && echo != "" && x.Name == echo && t.Sel.Name == "Context"
		}
		return false
	})
}
