package telemetry

import (
	"cmp"
	"runtime"
	"runtime/debug"
	"strings"
)

// The linker sets these for a release (-ldflags "-X …"), and nothing else does;
// without it the values come from what the Go command noted in the binary.
var (
	version string
	commit  string
	date    string
)

// Build says what the running program was made from.
type Build struct {
	Version   string // v1.2.3, or "development"
	Commit    string // the revision, with "-dirty" when files were changed; may be empty
	Date      string // RFC 3339, of the commit or the build; may be empty
	GoVersion string
}

// BuildInfo describes the running binary.
func BuildInfo() Build {
	made := Build{Version: version, Commit: commit, Date: date, GoVersion: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		made = made.completedBy(info)
	}
	made.Version = cmp.Or(made.Version, "development")
	return made
}

// completedBy fills what the linker left empty.
func (b Build) completedBy(info *debug.BuildInfo) Build {
	noted := make(map[string]string, len(info.Settings))
	for _, s := range info.Settings {
		noted[s.Key] = s.Value
	}
	if b.Commit == "" && noted["vcs.revision"] != "" {
		b.Commit = noted["vcs.revision"]
		if noted["vcs.modified"] == "true" {
			b.Commit += "-dirty"
		}
	}
	b.Date = cmp.Or(b.Date, noted["vcs.time"])
	if strings.HasPrefix(info.Main.Version, "v") { // else "(devel)"
		b.Version = cmp.Or(b.Version, info.Main.Version)
	}
	return b
}
