package deploycheck

import (
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-systemd/v22/unit"
	"github.com/stretchr/testify/require"
)

// directives are those that our units use and systemd 247 (the oldest of the supported
// distributions) knows, by section. systemd ignores what it does not know, so that a
// misspelt one protects nothing.
func directives() map[string][]string {
	return map[string][]string{
		"Unit":    {"Description", "Wants", "After", "StartLimitIntervalSec"},
		"Install": {"WantedBy"},
		"Service": {
			"Type", "User", "Group", "StateDirectory", "StateDirectoryMode", "WorkingDirectory", "Environment", "EnvironmentFile",
			"ExecStart", "KillSignal", "TimeoutStopSec", "Restart", "RestartSec", "LimitNOFILE", "TasksMax", "UMask",
			"NoNewPrivileges", "CapabilityBoundingSet", "AmbientCapabilities", "ProtectSystem", "ProtectHome", "PrivateTmp",
			"PrivateDevices", "ProtectProc", "ProtectClock", "ProtectHostname", "ProtectKernelTunables", "ProtectKernelModules",
			"ProtectKernelLogs", "ProtectControlGroups", "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime",
			"RestrictSUIDSGID", "LockPersonality", "MemoryDenyWriteExecute", "RemoveIPC", "SystemCallArchitectures",
			"SystemCallFilter", "SystemCallErrorNumber",
		},
	}
}

// service reads a unit: the values of each directive in order.
func service(t *testing.T, name string) map[string][]string {
	t.Helper()
	options, err := unit.DeserializeOptions(strings.NewReader(read(t, "deploy", name)))
	require.NoError(t, err)
	values := map[string][]string{}
	for _, o := range options {
		require.Contains(t, directives()[o.Section], o.Name, "%s: [%s]", name, o.Section)
		values[o.Name] = append(values[o.Name], o.Value)
	}
	return values
}

func TestUnits(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"monitor.service", "monitor@.service"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := service(t, name)
			require.Equal(t, []string{"monitor"}, u["User"])
			require.Equal(t, []string{"always"}, u["Restart"])
			require.Equal(t, []string{"SIGTERM"}, u["KillSignal"])
			require.Equal(t, []string{"strict"}, u["ProtectSystem"])
			require.Equal(t, []string{""}, u["CapabilityBoundingSet"])
			for _, on := range []string{
				"NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "ProtectKernelTunables",
				"ProtectKernelModules", "ProtectControlGroups", "RestrictSUIDSGID", "LockPersonality", "MemoryDenyWriteExecute",
			} {
				require.Equal(t, []string{"yes"}, u[on], on)
			}
			// ProtectSystem leaves this folder alone to be written.
			require.Equal(t, []string{"monitor"}, u["StateDirectory"])
			require.Contains(t, u["Environment"][0], "MONITOR_DATA_DIR=/var/lib/monitor")
			for pair := range strings.FieldsSeq(u["Environment"][0]) {
				variable, _, _ := strings.Cut(pair, "=")
				requireSettings(t, name, []string{variable})
			}
		})
	}
}

func TestUnitsStartTheProgram(t *testing.T) {
	t.Parallel()
	all, one := service(t, "monitor.service"), service(t, "monitor@.service")
	require.Equal(t, []string{"/usr/local/bin/monitor serve"}, all["ExecStart"])
	require.Equal(t, []string{"/usr/local/bin/monitor serve --role=${ROLES}"}, one["ExecStart"])
	require.Contains(t, strings.Fields(one["Environment"][0]), "ROLES=%i")
	require.Equal(t, []string{"/etc/monitor/monitor.env", "-/etc/monitor/%i.env"}, one["EnvironmentFile"], "the instance's own comes last and wins")
	// What is not about the role is the same in both.
	for name, values := range all {
		if !slices.Contains([]string{"Description", "ExecStart", "Environment", "EnvironmentFile"}, name) {
			require.Equal(t, values, one[name], name)
		}
	}
	names := variables(read(t, "deploy", "monitor.env.example"))
	require.Subset(t, names, []string{"MONITOR_DATABASE_URL", "MONITOR_REDIS_URL", "MONITOR_AUTH_SECRET"})
	requireSettings(t, "monitor.env.example", names)
}
