package web

import (
	"cmp"
	"fmt"
	"html/template"
	"strconv"
	"text/template/parse"

	"monitor/modules/lang"
)

// folding makes what templates say in a language a text of theirs, once they are parsed:
// of {{t "Delete %s" .Name}} it is Delete {{.Name}}. So a page costs no more than one that
// is in no catalogue, and html/template escapes a gap for what stands around it: that of
// {{th "<a href=\"%s\">there</a>" .URL}} for an address.
type folding struct {
	lang *lang.Language
	err  error // the first
}

// fold changes those templates that came from a file, or all for "".
func fold(l *lang.Language, set *template.Template, file string) error {
	f := &folding{lang: l}
	for _, t := range set.Templates() {
		if t.Tree != nil && (file == "" || t.Tree.ParseName == file) {
			f.list(t.Tree.Root)
		}
	}
	return f.err
}

func (f *folding) list(list *parse.ListNode) {
	if list == nil {
		return
	}
	nodes := make([]parse.Node, 0, len(list.Nodes))
	for _, node := range list.Nodes {
		switch node := node.(type) {
		case *parse.ActionNode:
			f.pipe(node.Pipe)
			nodes = append(nodes, f.action(node)...)
			continue
		case *parse.IfNode:
			f.branch(&node.BranchNode)
		case *parse.RangeNode:
			f.branch(&node.BranchNode)
		case *parse.WithNode:
			f.branch(&node.BranchNode)
		case *parse.TemplateNode:
			f.pipe(node.Pipe)
		}
		nodes = append(nodes, node)
	}
	list.Nodes = nodes
}

func (f *folding) branch(b *parse.BranchNode) {
	f.pipe(b.Pipe)
	f.list(b.List)
	f.list(b.ElseList)
}

// pipe folds sentences without gaps that are an argument: (t "Rename").
func (f *folding) pipe(p *parse.PipeNode) {
	if p == nil {
		return
	}
	for _, cmd := range p.Cmds {
		for i, arg := range cmd.Args {
			inner, ok := arg.(*parse.PipeNode)
			if !ok {
				continue
			}
			f.pipe(inner)
			if name, key, args := saying(inner); name == "t" && len(args) == 0 {
				text := f.lang.T(key)
				cmd.Args[i] = &parse.StringNode{NodeType: parse.NodeString, Pos: inner.Pos, Quoted: strconv.Quote(text), Text: text}
			}
		}
	}
}

// saying gives what an action says by t or th; the name is "" where it does neither.
func saying(p *parse.PipeNode) (name, key string, args []parse.Node) {
	if len(p.Decl) > 0 || len(p.Cmds) != 1 || len(p.Cmds[0].Args) < 2 {
		return "", "", nil
	}
	all := p.Cmds[0].Args
	of, isName := all[0].(*parse.IdentifierNode)
	text, isText := all[1].(*parse.StringNode)
	if !isName || !isText || of.Ident != "t" && of.Ident != "th" {
		return "", "", nil
	}
	return of.Ident, text.Text, all[2:]
}

// action gives what stands in place of an action.
func (f *folding) action(node *parse.ActionNode) []parse.Node {
	name, key, args := saying(node.Pipe)
	if name == "" {
		return []parse.Node{node}
	}
	parts, of, ok := f.lang.Parts(key, len(args))
	if !ok {
		f.err = cmp.Or(f.err, fmt.Errorf("%q has other gaps in %s than a template can fill with %d arguments", key, f.lang.Tag(), len(args)))
		return []parse.Node{node}
	}
	var out []parse.Node
	for i, text := range parts {
		if name == "t" {
			text = template.HTMLEscapeString(text)
		}
		if text != "" {
			out = append(out, &parse.TextNode{NodeType: parse.NodeText, Pos: node.Pos, Text: []byte(text)})
		}
		if i < len(of) {
			out = append(out, gapOf(node, args[of[i]]))
		}
	}
	return out
}

// gapOf an action writes one of its arguments.
func gapOf(node *parse.ActionNode, arg parse.Node) parse.Node {
	one := node.Copy().(*parse.ActionNode) //nolint:forcetypeassert // a copy is of the same type
	one.Pipe.Cmds[0].Args = []parse.Node{arg.Copy()}
	return one
}
