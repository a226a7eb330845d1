package uptime

// Preferences are how somebody wants the pages to be, wherever they log in. As JSON
// they are stored; a member that is absent there is as in DefaultPreferences.
type Preferences struct {
	// Columns of the list of monitors that can be left out and are not, in the order
	// of MonitorColumns.
	Columns  []string `json:"columns"`
	Density  string   `json:"density"`   // of Densities
	PageSize int      `json:"page_size"` // of PageSizes: rows of a list
	View     string   `json:"view"`      // of MonitorViews
	// Shortcuts: single letters are commands.
	Shortcuts bool `json:"shortcuts"`
	// Started: the list of first steps is not shown any more.
	Started bool `json:"getting_started_done"`
}

// MonitorColumns are the columns of the list of monitors that can be left out, in
// the order in which they stand.
func MonitorColumns() []string {
	return []string{"type", "group", "tags", "bar", "uptime", "p95", "checked"}
}

// Densities of lists, the usual one first.
func Densities() []string { return []string{"comfortable", "compact"} }

// PageSizes are how many rows a page of a list may have.
func PageSizes() []int { return []int{25, 50, 100, 200} }

// MonitorViews are how the list of monitors may be laid out, the usual one first.
func MonitorViews() []string { return []string{"list", "grouped"} }

// DefaultPreferences are those of who never set any.
func DefaultPreferences() Preferences {
	return Preferences{
		Columns: []string{"tags", "bar", "uptime", "p95", "checked"},
		Density: "comfortable", PageSize: 50, View: "list", Shortcuts: true,
	}
}
