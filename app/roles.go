package app

import "monitor/modules/service"

const (
	// allRoles stands for every role on the command line.
	allRoles = "all"
	// defaultWorkspace is the name of an instance until set-up gives another.
	defaultWorkspace = "monitor"
)

// role is one line of THE table: a name for --role, and the parts that it adds
// to a process, in the order of their start. What parts of several roles need
// is opened by wire.go, whatever the roles.
type role struct {
	name  string
	parts func(*process) ([]service.Service, error)
}

// roleTable lists the roles. web and api have no part of their own: they are
// handlers that the listener serves where their role is named.
func roleTable() []role {
	none := func(*process) ([]service.Service, error) { return nil, nil }
	return []role{
		{"web", none},
		{"api", none},
		{"scheduler", (*process).schedulerParts},
		{"worker", (*process).workerParts},
		{"notifier", (*process).notifierParts},
	}
}

func roleNames() []string {
	var names []string
	for _, r := range roleTable() {
		names = append(names, r.name)
	}
	return names
}
