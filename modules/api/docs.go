package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// spec is what the page shows of the OpenAPI document.
type spec struct {
	Info struct {
		Title, Version, Description string
	}
	Tags []struct {
		Name, Description string
	}
	Paths      map[string]map[string]docOperation
	Components struct {
		Schemas map[string]docSchema
	}
}

type docOperation struct {
	OperationID string
	Summary     string
	Tags        []string
	Parameters  []struct {
		Name, In, Description string
		Required              bool
		Schema                docSchema
	}
	RequestBody *struct {
		Required bool
		Content  map[string]struct{ Schema docSchema }
	}
	Responses map[string]struct {
		Description string
		Content     map[string]struct{ Schema docSchema }
	}
	Security []map[string][]string

	Method, Path string `json:"-"`
}

// Public reports whether no token is asked for.
func (o docOperation) Public() bool { return len(o.Security) == 1 && len(o.Security[0]) == 0 }

// Takes is the name of the body's schema, "" for none.
func (o docOperation) Takes() string {
	if o.RequestBody == nil {
		return ""
	}
	return o.RequestBody.Content["application/json"].Schema.Name()
}

type docSchema struct {
	Ref                  string `json:"$ref"`
	Type                 any
	Title                string
	Description          string
	Format               string
	Pattern              string
	Enum                 []any
	Default              any
	Minimum, Maximum     *float64
	MinLength, MaxLength *int
	Items                *docSchema
	AdditionalProperties any
	Properties           map[string]docSchema
	Required             []string
	ReadOnly, WriteOnly  bool
	OneOf, AnyOf         []docSchema
	Examples             []json.RawMessage
}

// Name is that of the schema referred to, "" for none.
func (s docSchema) Name() string { return strings.TrimPrefix(s.Ref, schemaPrefix) }

// Kind is the type in words.
func (s docSchema) Kind() string {
	switch {
	case s.Ref != "":
		return s.Name()
	case len(s.AnyOf) > 0:
		kinds := make([]string, 0, len(s.AnyOf))
		for _, one := range s.AnyOf {
			kinds = append(kinds, one.Kind())
		}
		return strings.Join(kinds, " or ")
	case s.Items != nil:
		return "list of " + s.Items.Kind()
	}
	switch t := s.Type.(type) {
	case string:
		return t
	case []any:
		kinds := make([]string, 0, len(t))
		for _, one := range t {
			kinds = append(kinds, fmt.Sprint(one))
		}
		return strings.Join(kinds, " or ")
	}
	return "any"
}

// Notes is everything else that is said of it.
func (s docSchema) Notes() string {
	var notes []string
	add := func(format string, value any) { notes = append(notes, fmt.Sprintf(format, value)) }
	if s.Description != "" {
		add("%s", s.Description)
	}
	if len(s.Enum) > 0 {
		add("One of %s.", listed(s.Enum))
	}
	if s.Items != nil && len(s.Items.Enum) > 0 {
		add("Of %s.", listed(s.Items.Enum))
	}
	if s.Minimum != nil {
		add("At least %s.", number(*s.Minimum))
	}
	if s.Maximum != nil {
		add("At most %s.", number(*s.Maximum))
	}
	if s.MaxLength != nil {
		add("At most %d characters.", *s.MaxLength)
	}
	if s.Default != nil {
		if raw, err := json.Marshal(s.Default); err == nil && len(raw) < 200 {
			add("Default %s.", raw)
		}
	}
	if s.ReadOnly {
		add("%s", "Read only.")
	}
	if s.WriteOnly {
		add("%s", "A secret: reads as ********.")
	}
	return strings.Join(notes, " ")
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

func listed(values []any) string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		out = append(out, fmt.Sprint(v))
	}
	return strings.Join(out, ", ")
}

// Needs reports whether the property must be there.
func (s docSchema) Needs(name string) bool { return slices.Contains(s.Required, name) }

// Example is a body to begin with, indented; "" without one.
func (s docSchema) Example() string {
	if len(s.Examples) == 0 || len(s.Examples[0]) == 0 || s.Examples[0][0] != '{' {
		return ""
	}
	var out bytes.Buffer
	if json.Indent(&out, s.Examples[0], "", "  ") != nil {
		return ""
	}
	return out.String()
}

// docTag is a chapter of the page.
type docTag struct {
	Name, Description string
	Operations        []docOperation
}

// docsPage renders the page from the document; it is read without any script.
func docsPage(raw []byte) ([]byte, error) {
	var s spec
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("read openapi document: %w", err)
	}
	var tags []docTag
	for _, tag := range s.Tags {
		tags = append(tags, docTag{Name: tag.Name, Description: tag.Description, Operations: s.operations(tag.Name)})
	}
	page, err := template.New("docs.html").Funcs(template.FuncMap{"lower": strings.ToLower}).ParseFS(docsFiles, "docs/docs.html")
	if err != nil {
		return nil, fmt.Errorf("parse docs page: %w", err)
	}
	var out bytes.Buffer
	if err := page.Execute(&out, map[string]any{"Info": s.Info, "Tags": tags, "Schemas": s.Components.Schemas}); err != nil {
		return nil, fmt.Errorf("render docs page: %w", err)
	}
	return out.Bytes(), nil
}

// operations of a tag, in the order of the table.
func (s spec) operations(tag string) []docOperation {
	var list []docOperation
	for _, rt := range routes() {
		op, there := s.Paths[prefix+rt.path][strings.ToLower(rt.method)]
		if there && slices.Contains(op.Tags, tag) {
			op.Method, op.Path = rt.method, prefix+rt.path
			list = append(list, op)
		}
	}
	return list
}

// Statuses of the answers that are no errors, lowest first.
func (o docOperation) Statuses() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(o.Responses)), func(status string) bool { return status >= "400" })
}

// Errors are the statuses of the others.
func (o docOperation) Errors() string {
	list := slices.DeleteFunc(slices.Sorted(maps.Keys(o.Responses)), func(status string) bool { return status < "400" })
	return strings.Join(list, ", ")
}

// Gives is the name of the schema of an answer, or its media type.
func (o docOperation) Gives(status string) string {
	for media, content := range o.Responses[status].Content {
		if name := content.Schema.Name(); name != "" {
			return name
		}
		return media
	}
	return ""
}
