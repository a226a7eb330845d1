package uptime

import (
	"slices"
	"strings"
)

// NoGroup as a filter chooses monitors without a group; no group has this path.
const NoGroup = "/"

// Facets count monitors by one thing at a time: a count is how many a list would
// have if this were asked for and its other conditions stayed as they are.
type Facets struct {
	Total    int64 // of the filter as it is
	Statuses StatusCounts
	Types    map[string]int64
	Groups   map[string]int64 // by the path that monitors have, "" for none; nil: there are too many
	Tags     []TagCount       // beside those that are asked for already, most used first
}

// TagCount is how many monitors have a tag.
type TagCount struct {
	Name, Value string
	N           int64
}

// FacetCell counts monitors that are alike.
type FacetCell struct {
	Status Status
	Type   string
	Group  string
	N      int64
}

// Add counts a cell of the monitors that the filter chooses without its statuses,
// types and group.
func (f *Facets) Add(c FacetCell, by MonitorFilter) {
	status, kind, group := by.hasStatus(c.Status), by.hasType(c.Type), by.hasGroup(c.Group)
	if status && kind && group {
		f.Total += c.N
	}
	if kind && group {
		f.Statuses[c.Status] += c.N
	}
	if status && group {
		f.Types[c.Type] += c.N
	}
	if status && kind && f.Groups != nil {
		f.Groups[c.Group] += c.N
	}
}

func (f MonitorFilter) hasStatus(s Status) bool {
	return len(f.Statuses) == 0 || slices.Contains(f.Statuses, s)
}

func (f MonitorFilter) hasType(t string) bool {
	return len(f.Types) == 0 || slices.Contains(f.Types, t)
}

func (f MonitorFilter) hasGroup(path string) bool {
	switch f.Group {
	case "", path:
		return true
	case NoGroup:
		return path == ""
	}
	return strings.HasPrefix(path, f.Group+"/")
}

// MonitorGroup is monitors of one group, without those below it.
type MonitorGroup struct {
	Path   string // "" of those without one
	Worst  Status
	Counts StatusCounts
	// Rows are the worst of them, then by name; not all where there are many.
	Rows []Monitor
}
