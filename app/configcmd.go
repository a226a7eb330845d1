package app

import "github.com/spf13/cobra"

func (a App) configCommand() *cobra.Command {
	group := &cobra.Command{Use: "config", Short: "Look at the settings", Args: noArgs, RunE: help}
	group.AddCommand(&cobra.Command{
		Use:   "print",
		Short: "Print the effective settings with their source, secrets masked",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.settings(cmd)
			if err != nil {
				return err
			}
			return c.Print(a.Out)
		},
	})
	return group
}

func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }
