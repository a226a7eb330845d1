package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (a App) userUnlink() *cobra.Command {
	cmd := &cobra.Command{
		Use: "unlink-oidc EMAIL", Short: "Part a user from the person at the provider of OpenID Connect; ends their sessions", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			email, err := whom(cmd, args)
			if err != nil {
				return err
			}
			return a.withManage(cmd, func(ctx context.Context, m *manage.Manage, actor uptime.Actor) error {
				err := m.UnlinkOIDC(ctx, actor, email)
				if errors.Is(err, uptime.ErrNotFound) {
					return fmt.Errorf("there is no user %s who logs in by a provider; `monitor user list` shows all", email)
				}
				if err != nil {
					return plain(err)
				}
				_, err = fmt.Fprintf(a.Out, "%s is linked to nobody any more; the next log-in with this address links anew\n", email)
				return err
			})
		},
	}
	cmd.Flags().String("email", "", "whom to part")
	return cmd
}
