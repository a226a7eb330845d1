package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (a App) userCommand() *cobra.Command {
	group := &cobra.Command{Use: "user", Short: "Manage the people who may log in", Args: noArgs, RunE: help}
	group.AddCommand(a.userCreate(), a.userList(), a.userDelete(), a.userReset(), a.userUnlink())
	return group
}

func (a App) userCreate() *cobra.Command {
	cmd := &cobra.Command{
		Use: "create", Short: "Add a user; the password is asked for, or read with --password-stdin", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			email, role, name := flagText(cmd, "email"), flagText(cmd, "role"), flagText(cmd, "name")
			if email == "" {
				return usage("--email is required")
			}
			if !uptime.Role(role).Valid() {
				return usage("--role %q must be one of owner, admin, editor, viewer", role)
			}
			password, err := a.password(cmd)
			if err != nil {
				return err
			}
			return a.withManage(cmd, func(ctx context.Context, m *manage.Manage, actor uptime.Actor) error {
				body, err := json.Marshal(map[string]string{"email": email, "role": role, "name": name, "password": password})
				if err != nil {
					return err
				}
				u, _, err := m.CreateUser(ctx, actor, body)
				if err != nil {
					return plain(err)
				}
				_, err = fmt.Fprintf(a.Out, "created user %d: %s, %s\n", u.ID, u.Email, u.Role)
				return err
			})
		},
	}
	cmd.Flags().String("email", "", "address to log in with")
	cmd.Flags().String("role", string(uptime.RoleViewer), "owner, admin, editor or viewer")
	cmd.Flags().String("name", "", "name for people")
	cmd.Flags().Bool("password-stdin", false, "read the password from standard input")
	return cmd
}

func (a App) userList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the users of every workspace", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withManage(cmd, func(ctx context.Context, m *manage.Manage, actor uptime.Actor) error {
				return eachUser(ctx, m, actor, func(in member) error {
					more := ""
					if in.user.Disabled {
						more = "  disabled"
					}
					if in.ofSeveral {
						more += "  in " + in.workspace.Name
					}
					_, err := fmt.Fprintf(a.Out, "%-4d %-8s %s%s\n", in.user.ID, in.user.Role, in.user.Email, more)
					return err
				})
			})
		},
	}
}

// member is a user in one workspace.
type member struct {
	user      manage.UserView
	workspace uptime.Workspace
	ofSeveral bool // there are others
}

// eachUser walks over the users of every workspace.
func eachUser(ctx context.Context, m *manage.Manage, actor uptime.Actor, do func(member) error) error {
	all, err := m.AllWorkspaces(ctx, actor)
	if err != nil {
		return err
	}
	for _, ws := range all {
		page := uptime.Page{Limit: 200}
		for more := true; more; more = page.Cursor != "" {
			list, err := m.Users(ctx, manage.Program(ws.ID), page)
			if err != nil {
				return err
			}
			for _, u := range list.Items {
				if err := do(member{u, ws, len(all) > 1}); err != nil {
					return err
				}
			}
			page.Cursor = list.Next
		}
	}
	return nil
}

func (a App) userDelete() *cobra.Command {
	cmd := &cobra.Command{
		Use: "delete EMAIL", Short: "Remove a user from every workspace", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			email, err := whom(cmd, args)
			if err != nil {
				return err
			}
			return a.withManage(cmd, func(ctx context.Context, m *manage.Manage, actor uptime.Actor) error {
				var found []member
				err := eachUser(ctx, m, actor, func(in member) error {
					if strings.EqualFold(in.user.Email, email) {
						found = append(found, in)
					}
					return nil
				})
				if err != nil {
					return err
				}
				if len(found) == 0 {
					return fmt.Errorf("there is no user %s; `monitor user list` shows all", email)
				}
				for _, in := range found {
					if err := m.DeleteUser(ctx, manage.Program(in.workspace.ID), in.user.ID); err != nil {
						return fmt.Errorf("in the workspace %s: %w", in.workspace.Name, plain(err))
					}
				}
				_, err = fmt.Fprintf(a.Out, "deleted %s\n", email)
				return err
			})
		},
	}
	cmd.Flags().String("email", "", "whom to remove")
	return cmd
}

func (a App) userReset() *cobra.Command {
	cmd := &cobra.Command{
		Use: "reset-password EMAIL", Short: "Set a user's password; ends their sessions", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			email, err := whom(cmd, args)
			if err != nil {
				return err
			}
			password, err := a.password(cmd)
			if err != nil {
				return err
			}
			dropFactor, _ := cmd.Flags().GetBool("without-totp") // declared below
			return a.withManage(cmd, func(ctx context.Context, m *manage.Manage, actor uptime.Actor) error {
				if err := m.ResetPassword(ctx, actor, email, password, dropFactor); err != nil {
					if errors.Is(err, uptime.ErrNotFound) || uptime.CodeOf(err) == uptime.CodeNotFound {
						return fmt.Errorf("there is no user %s; `monitor user list` shows all", email)
					}
					return plain(err)
				}
				_, err = fmt.Fprintf(a.Out, "the password of %s was set\n", email)
				return err
			})
		},
	}
	cmd.Flags().String("email", "", "whose password to set")
	cmd.Flags().Bool("without-totp", false, "turn their second factor off, too: for who has lost their device and their recovery codes")
	cmd.Flags().Bool("password-stdin", false, "read the password from standard input")
	return cmd
}

// whom is the address given as argument or as --email.
func whom(cmd *cobra.Command, args []string) (string, error) {
	email := flagText(cmd, "email")
	if email == "" && len(args) == 1 {
		email = strings.TrimSpace(args[0])
	}
	if email == "" {
		return "", usage("say whose: `%s EMAIL`", cmd.CommandPath())
	}
	return email, nil
}

func flagText(cmd *cobra.Command, name string) string {
	text, _ := cmd.Flags().GetString(name) // declared right beside its use
	return strings.TrimSpace(text)
}

// password comes from standard input, or is asked for twice at a terminal.
func (a App) password(cmd *cobra.Command) (string, error) {
	if piped, _ := cmd.Flags().GetBool("password-stdin"); piped {
		line, err := bufio.NewReader(a.In).ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			return "", usage("--password-stdin: no password came on standard input (%w)", err)
		}
		return line, nil
	}
	file, ok := a.In.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return "", usage("standard input is no terminal: use --password-stdin")
	}
	first, err := a.ask(file, "Password (at least 12 characters): ")
	if err != nil {
		return "", err
	}
	second, err := a.ask(file, "Again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", usage("the two passwords differ")
	}
	return first, nil
}

func (a App) ask(terminal *os.File, prompt string) (string, error) {
	if _, err := fmt.Fprint(a.Err, prompt); err != nil {
		return "", err
	}
	secret, err := term.ReadPassword(int(terminal.Fd()))
	_, _ = fmt.Fprintln(a.Err)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return string(secret), nil
}
