package archtest

import (
	"slices"
	"strings"
)

// modulePath is the prefix of the program's own imports.
const modulePath = "monitor"

// floor is a height in the house. A package imports lower floors only, and of
// those only what its rule names.
type floor int

const (
	language floor = iota
	tools
	engines
	useCases
	runningParts
	settings
	roof
	entrance
	// testSupport stands beside the house: only tests and other test support may
	// import it.
	testSupport
)

// rule is what the plan says of the packages of one floor.
type rule struct {
	floor   floor
	name    string
	members []string // folders from the module's root; what lies inside one belongs to it
	below   []floor  // the floors it may import
}

// plan is the house, lowest floor first. "." is main.go.
func plan() []rule {
	return []rule{
		{
			floor: language, name: "language",
			members: []string{"modules/uptime"},
		},
		{
			floor: tools, name: "tools",
			members: []string{
				"modules/service", "modules/form", "modules/outbound", "modules/telemetry",
				"modules/lang", "modules/redisconn", "modules/failpoint", "modules/replay",
				"templates", "static", "migrations",
			},
			below: []floor{language},
		},
		{
			floor: engines, name: "engines",
			members: []string{
				"modules/store", "modules/queue", "modules/lock", "modules/bus",
				"modules/limit", "modules/fleet", "modules/probe", "modules/channel", "modules/auth",
			},
			below: []floor{language, tools},
		},
		{
			floor: useCases, name: "use cases",
			members: []string{"modules/manage"},
			below:   []floor{language, tools}, // engines only through contracts
		},
		{
			floor: runningParts, name: "running parts",
			members: []string{
				"modules/scheduler", "modules/worker", "modules/recorder", "modules/notifier",
				"modules/housekeeper", "modules/api", "modules/web", "modules/httpd",
			},
			below: []floor{language, tools, useCases}, // engines only through contracts
		},
		{
			floor: settings, name: "settings",
			members: []string{"config"},
			below:   []floor{language, tools, engines, useCases, runningParts},
		},
		{
			floor: roof, name: "roof",
			members: []string{"app"},
			below:   []floor{language, tools, engines, useCases, runningParts, settings},
		},
		{
			floor: entrance, name: "main.go",
			members: []string{"."},
			below:   []floor{roof},
		},
		{
			floor: testSupport, name: "test support",
			members: []string{
				"modules/archtest", "modules/testenv",
				"modules/store/storetest", "modules/queue/queuetest", "modules/lock/locktest",
				"modules/bus/bustest", "modules/limit/limittest", "modules/fleet/fleettest",
				"modules/probe/probetest", "modules/channel/channeltest",
			},
			below: []floor{language, tools, engines, testSupport},
		},
	}
}

// place is where a package stands.
type place struct {
	rule
	member string // the folder of the plan that it belongs to
}

// locate finds the place of a package's folder: the longest member that holds it,
// so that store/storetest is test support and store/anything-else is store.
func locate(folder string) (place, bool) {
	var found place
	for _, r := range plan() {
		for _, m := range r.members {
			if (folder == m || strings.HasPrefix(folder, m+"/")) && len(m) > len(found.member) {
				found = place{rule: r, member: m}
			}
		}
	}
	return found, found.member != ""
}

// judge says what is wrong with from importing to, in words; empty is allowed.
// A test may besides import test support, and engines where its package reaches
// them through contracts: it has to put something real behind those.
func judge(from, to place, inTest bool) string {
	switch {
	case from.member == to.member:
		return ""
	case to.floor == testSupport && from.floor != testSupport:
		if inTest {
			return ""
		}
		return "only tests and test support may import " + to.member
	case slices.Contains(from.below, to.floor):
		return ""
	case from.floor == to.floor:
		return "sideways: " + from.describe() + " may not import " + to.member + ", which stands on the same floor"
	case from.floor < to.floor:
		return "upward: " + from.describe() + " may not import " + to.describe()
	case inTest && to.floor == engines && from.floor < entrance:
		return ""
	case to.floor == engines:
		return from.describe() + " may reach " + to.describe() + " only through contracts"
	default:
		return from.describe() + " may not import " + to.describe()
	}
}

func (p place) describe() string { return p.member + " (" + p.name + ")" }
