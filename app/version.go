package app

import (
	"fmt"

	"github.com/spf13/cobra"

	"monitor/modules/telemetry"
)

func (a App) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print version, commit and Go version",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			b := telemetry.BuildInfo()
			_, err := fmt.Fprintf(a.Out, "monitor %s\ncommit  %s\ngo      %s\n", b.Version, b.Commit, b.GoVersion)
			return err
		},
	}
}
