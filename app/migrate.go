package app

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"monitor/modules/store"
)

func (a App) migrateCommand() *cobra.Command {
	group := &cobra.Command{Use: "migrate", Short: "Bring the database schema up or down", Args: noArgs, RunE: help}
	group.AddCommand(
		a.migrateStep("up", "Apply every migration that is pending", func(ctx context.Context, s *store.Store) error {
			return s.Migrate(ctx)
		}),
		a.migrateStep("down", "Take back the newest migration, with the data that it holds", func(ctx context.Context, s *store.Store) error {
			return s.MigrateDown(ctx)
		}),
		a.migrateStep("status", "List the migrations", func(context.Context, *store.Store) error { return nil }),
	)
	return group
}

// migrateStep does one step and then shows where the schema stands.
func (a App) migrateStep(name, short string, step func(context.Context, *store.Store) error) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd, func(ctx context.Context, s *store.Store) error {
				if err := step(ctx, s); err != nil {
					return err
				}
				return a.printMigrations(ctx, s)
			})
		},
	}
}

func (a App) printMigrations(ctx context.Context, s *store.Store) error {
	steps, err := s.MigrationStatus(ctx)
	if err != nil {
		return err
	}
	for _, m := range steps {
		applied := "pending"
		if !m.AppliedAt.IsZero() {
			applied = m.AppliedAt.UTC().Format("2006-01-02 15:04:05 UTC")
		}
		if _, err := fmt.Fprintf(a.Out, "%04d %-24s %s\n", m.Version, m.Name, applied); err != nil {
			return err
		}
	}
	return nil
}
