package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"monitor/modules/auth"
	"monitor/modules/form"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (a App) secretsCommand() *cobra.Command {
	group := &cobra.Command{Use: "secrets", Short: "Replace the secret that seals passwords of monitors, channels and people", Args: noArgs, RunE: help}
	group.AddCommand(a.secretsRotate(), a.secretsReset())
	return group
}

func (a App) secretsRotate() *cobra.Command {
	cmd := &cobra.Command{
		Use: "rotate", Short: "Seal everything anew by the key of auth.secret", Args: noArgs,
		Long: "Opens everything that is sealed, by auth.secret or one of auth.previous_secrets, and seals it by auth.secret.\n" +
			"It may run beside the program, be broken off and run again. Afterwards the previous secret is not needed.\n" +
			"docs/operations.md tells how to replace the secret of many processes.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			dry, _ := cmd.Flags().GetBool("dry-run") // declared below
			return a.withKeys(cmd, func(ctx context.Context, p *process) error {
				if err := p.loadKeys(ctx); err != nil {
					return err
				}
				if err := p.wire(); err != nil {
					return err
				}
				if dry {
					return p.countSecrets(ctx)
				}
				return p.rotateSecrets(ctx)
			})
		},
	}
	cmd.Flags().Bool("dry-run", false, "only count what is sealed by which key")
	return cmd
}

func (p *process) countSecrets(ctx context.Context) error {
	report, err := p.manage.SurveySecrets(ctx)
	if err != nil {
		return err
	}
	if err := printSecrets(p.app.Out, report); err != nil {
		return err
	}
	if len(report.Lost) > 0 {
		return errors.New("some values cannot be opened; they are listed above")
	}
	return nil
}

func (p *process) rotateSecrets(ctx context.Context) error {
	if err := p.holdKeys(ctx, false); err != nil {
		return err
	}
	report, err := p.manage.RotateSecrets(ctx)
	if len(report.Tables) > 0 {
		err = errors.Join(printSecrets(p.app.Out, report), err)
	}
	if err != nil {
		return fmt.Errorf("%w\nwhat is done stays done: run the command again", err)
	}
	switch {
	case len(report.Lost) > 0:
		return errors.New("some values cannot be opened; they are listed above: enter them again, or put the secret that sealed them into auth.previous_secrets")
	case report.Busy:
		return errors.New("values were changed all the time: run the command again")
	case len(report.Laggards) > 0:
		return fmt.Errorf("everything is sealed anew, but %s goes on to seal by an older key: restart it with the new auth.secret, and run the command again",
			members(report.Laggards))
	}
	_, err = fmt.Fprintf(p.app.Out, "Everything is sealed by key %s, that of auth.secret. Access tokens that a previous secret signed last %s;\n"+
		"after that auth.previous_secrets is not needed.\n", report.Current, form.FormatDuration(p.cfg.Auth.AccessTTL))
	return err
}

func members(holders []uptime.KeyHolder) string {
	var names []string
	for _, h := range holders {
		names = append(names, "process "+h.Member)
	}
	return strings.Join(names, ", ")
}

func (a App) secretsReset() *cobra.Command {
	cmd := &cobra.Command{
		Use: "reset", Short: "Go on without a secret that is lost", Args: noArgs,
		Long: "Says what cannot be opened any more and, with --yes-forget-sealed, lets the program start without it: second\n" +
			"factors are turned off; monitors and channels say which of their secrets is to be entered again.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			sure, _ := cmd.Flags().GetBool("yes-forget-sealed") // declared below
			return a.withKeys(cmd, func(ctx context.Context, p *process) error {
				if err := p.loadAnyKeys(sure); err != nil {
					return err
				}
				if err := p.wire(); err != nil {
					return err
				}
				if !sure {
					return p.askToForget(ctx)
				}
				return p.forgetSecrets(ctx)
			})
		},
	}
	cmd.Flags().Bool("yes-forget-sealed", false, "give up what cannot be opened")
	return cmd
}

// loadAnyKeys is loadKeys where a lost secret may be replaced. Nothing is made unless
// keep says so.
func (p *process) loadAnyKeys(keep bool) (err error) {
	secret := p.cfg.Auth.Secret.Reveal()
	if secret == "" && !keep && auth.KeptKey(p.cfg.Data.Dir) == "" {
		secret = auth.ID() + auth.ID() // it opens nothing and seals nothing
	}
	p.keys, err = auth.LoadSecret(p.cfg.Data.Dir, secret, p.cfg.Auth.PreviousSecrets, nil)
	return err
}

func (p *process) askToForget(ctx context.Context) error {
	report, err := p.manage.SurveySecrets(ctx)
	if err != nil {
		return err
	}
	if err := printSecrets(p.app.Out, report); err != nil {
		return err
	}
	wrong, ok := errors.AsType[*manage.WrongKeyError](p.manage.CheckKeys(ctx))
	switch {
	case ok:
		return usage("what is sealed by key %s cannot be opened by the secrets of the settings; if that is final, say so by --yes-forget-sealed",
			strings.Join(wrong.Missing, ", "))
	case len(report.Lost) > 0:
		return usage("what cannot be opened is listed above; if that is final, say so by --yes-forget-sealed")
	}
	_, err = fmt.Fprintln(p.app.Out, "Everything can be opened: there is nothing to forget.")
	return err
}

func (p *process) forgetSecrets(ctx context.Context) error {
	ws, err := p.store.EnsureWorkspace(ctx, defaultWorkspace)
	if err != nil {
		return err
	}
	report, err := p.manage.ForgetSecrets(ctx, manage.Program(ws.ID), p.member)
	if len(report.Tables) > 0 {
		err = errors.Join(printSecrets(p.app.Out, report), err)
	}
	if err != nil {
		return p.wrongKey(err)
	}
	again := slices.ContainsFunc(report.Lost, func(l manage.LostSecret) bool {
		return l.Table == uptime.SealedMonitors || l.Table == uptime.SealedChannels
	})
	text := "The program can be started."
	if again {
		text += " Enter the secrets of the monitors and channels above again: until then such monitors are unknown,\nand messages of such channels are dead."
	}
	_, err = fmt.Fprintln(p.app.Out, text)
	return err
}

// withKeys runs a command on an up-to-date database. It loads no keys.
func (a App) withKeys(cmd *cobra.Command, do func(context.Context, *process) error) error {
	return a.withProcess(cmd, func(ctx context.Context, p *process) error {
		if err := p.migrate(ctx); err != nil {
			return err
		}
		return do(ctx, p)
	})
}

// sealedNames are the tables of sealed values, for people.
func sealedNames() map[uptime.SealedTable]string {
	return map[uptime.SealedTable]string{
		uptime.SealedMonitors: "secrets of monitors", uptime.SealedChannels: "secrets of channels",
		uptime.SealedFactors: "second factors", uptime.SealedAnswers: "kept answers",
	}
}

// printSecrets lists how many values are sealed by which key, and those that cannot be
// opened. It prints no value.
func printSecrets(out io.Writer, report manage.SecretsReport) error {
	var text strings.Builder
	names := sealedNames()
	for _, t := range report.Tables {
		var parts []string
		for _, id := range slices.Sorted(maps.Keys(t.ByKey)) {
			current := ""
			if id == report.Current {
				current = " (auth.secret)"
			}
			parts = append(parts, fmt.Sprintf("%d sealed by key %s%s", t.ByKey[id], id, current))
		}
		if t.Clear > 0 {
			parts = append(parts, fmt.Sprintf("%d not sealed", t.Clear))
		}
		if t.Anew > 0 {
			parts = append(parts, fmt.Sprintf("rows sealed anew: %d", t.Anew))
		}
		if len(parts) == 0 {
			parts = []string{"none"}
		}
		fmt.Fprintf(&text, "%-20s %s\n", names[t.Table]+":", strings.Join(parts, ", "))
	}
	for _, lost := range report.Lost {
		fmt.Fprintf(&text, "cannot be opened:    %s, %s: %v\n", subject(lost), lost.Field, lost.Err)
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// subject names what a value that cannot be opened belongs to.
func subject(lost manage.LostSecret) string {
	switch lost.Table {
	case uptime.SealedMonitors:
		return fmt.Sprintf("monitor %d %q", lost.ID, lost.Name)
	case uptime.SealedChannels:
		return fmt.Sprintf("channel %d %q", lost.ID, lost.Name)
	case uptime.SealedFactors:
		return "user " + lost.Name
	case uptime.SealedAnswers:
	}
	return "a kept answer"
}
