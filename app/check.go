package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"monitor/modules/form"
	"monitor/modules/outbound"
	"monitor/modules/probe"
	"monitor/modules/telemetry"
	"monitor/modules/uptime"
)

// checkCommand makes one probe without any database. Its flags are drawn from
// the settings of the monitor types.
func (a App) checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check URL",
		Short: "Check a target once, now, and show what was found",
		Long: "Checks once with the options of a monitor and shows phases, status and certificate.\n\n" +
			"Exit codes: 0 up, 1 down, 2 bad usage, 3 could not check (our side).",
		Example: "  monitor check https://example.com --expect-status 200-299,404 --keyword welcome",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("check takes one URL, such as `monitor check https://example.com`")
			}
			return nil
		},
		RunE: a.check,
	}
	flags := cmd.Flags()
	flags.String("type", "http", "type of the monitor")
	flags.String("timeout", "10s", "how long the whole check may take")
	flags.Bool("json", false, "answer as JSON")
	flags.SortFlags = false
	for _, kind := range checkKinds() {
		for _, f := range form.Fields(kind.New()) {
			addFieldFlag(flags, f)
		}
	}
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "expect-status" {
			name = "expected-status"
		}
		return pflag.NormalizedName(name)
	})
	return cmd
}

// checkKinds are the types of monitors, from a registry that will never probe.
func checkKinds() []uptime.Kind {
	registry, err := probe.New(probe.Deps{})
	if err != nil {
		return nil // a mistake in the table, which every test of probe finds
	}
	return registry.Kinds()
}

func flagName(field string) string { return strings.ReplaceAll(field, "_", "-") }

func addFieldFlag(flags *pflag.FlagSet, f form.Field) {
	name := flagName(f.Name)
	help := f.Label
	if f.Help != "" {
		help += ": " + f.Help
	}
	if flags.Lookup(name) != nil || f.Required {
		return // the argument, or shared with another type
	}
	switch f.Kind {
	case "bool":
		on, _ := f.Default.(bool)
		flags.Bool(name, on, help)
	case "list", "map":
		flags.StringSlice(name, nil, help)
	default:
		flags.String(name, "", help)
	}
}

func (a App) check(cmd *cobra.Command, args []string) error {
	cfg, err := a.settings(cmd)
	if err != nil {
		return err
	}
	spec, err := checkSpec(cmd.Flags(), args[0])
	if err != nil {
		return err
	}
	guard, err := outbound.New(outboundConfig(cfg))
	if err != nil {
		return exitError{exitUsage, err}
	}
	registry, err := probe.New(probe.Deps{Guard: guard, Clock: a.Clock, Version: telemetry.BuildInfo().Version})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), spec.Timeout+time.Second)
	defer cancel()
	out, err := registry.Probe(ctx, spec, true)
	if err != nil {
		return exitError{exitCannotCheck, fmt.Errorf("could not check: %w", err)}
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		err = a.printJSON(withoutPassword(args[0]), out)
	} else {
		err = a.printOutcome(withoutPassword(args[0]), out)
	}
	if err != nil {
		return err
	}
	switch out.Status {
	case uptime.Down:
		return exitError{code: exitFailed}
	case uptime.Unknown:
		return exitError{code: exitCannotCheck}
	default:
		return nil
	}
}

// checkSpec turns flags into what a worker would get.
func checkSpec(flags *pflag.FlagSet, target string) (uptime.Spec, error) {
	name, _ := flags.GetString("type")
	text, _ := flags.GetString("timeout")
	timeout, err := form.ParseDuration(text)
	if err != nil || timeout <= 0 {
		return uptime.Spec{}, usage("--timeout %q must be a duration above zero, such as \"10s\"", text)
	}
	var names []string
	for _, kind := range checkKinds() {
		if kind.Name == name {
			return kindSpec(kind, flags, target, timeout)
		}
		names = append(names, kind.Name)
	}
	return uptime.Spec{}, usage("--type %q is not known; there are %s", name, strings.Join(names, ", "))
}

func kindSpec(kind uptime.Kind, flags *pflag.FlagSet, target string, timeout time.Duration) (uptime.Spec, error) {
	settings := kind.New()
	block := map[string]any{}
	for _, f := range form.Fields(settings) {
		name := flagName(f.Name)
		switch {
		case f.Required:
			if _, taken := block[""]; !taken {
				block[f.Name] = target
			}
		case flags.Changed(name):
			value, err := fieldValue(flags, f, name)
			if err != nil {
				return uptime.Spec{}, err
			}
			block[f.Name] = value
		}
	}
	raw, err := json.Marshal(block)
	if err != nil {
		return uptime.Spec{}, err
	}
	if err := form.Decode(kind.Name, raw, settings); err != nil {
		return uptime.Spec{}, exitError{exitUsage, plain(err)}
	}
	if kind.Check != nil {
		if wrong := kind.Check(settings); len(wrong) > 0 {
			return uptime.Spec{}, exitError{exitUsage, plain(uptime.Invalid(wrong...))}
		}
	}
	return uptime.Spec{
		Type: kind.Name, Interval: max(timeout, time.Minute), Timeout: timeout, Settings: form.Encode(settings),
	}, nil
}

// fieldValue is the flag's value as the JSON of the settings block has it.
func fieldValue(flags *pflag.FlagSet, f form.Field, name string) (any, error) {
	switch f.Kind {
	case "bool":
		return flags.GetBool(name)
	case "list":
		return flags.GetStringSlice(name)
	case "map":
		pairs, err := flags.GetStringSlice(name)
		values := map[string]string{}
		for _, pair := range pairs {
			key, value, ok := strings.Cut(pair, ":")
			if !ok {
				return nil, usage("--%s %q must look like \"Name: value\"", name, pair)
			}
			values[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
		return values, err
	case "number":
		text, err := flags.GetString(name)
		return json.Number(text), err
	}
	return flags.GetString(name)
}

// plain turns an application error into lines for a terminal.
func plain(err error) error {
	var e *uptime.Error
	if !errors.As(err, &e) || len(e.Fields) == 0 {
		return err
	}
	lines := make([]string, 0, len(e.Fields))
	for _, f := range e.Fields {
		lines = append(lines, f.Field+" "+f.Message)
	}
	return errors.New(strings.Join(lines, "\n"))
}

func (a App) printOutcome(target string, out uptime.Outcome) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", strings.ToUpper(string(out.Status)), target)
	if out.Error != "" {
		fmt.Fprintf(&b, "  %s (%s)\n", out.Error, out.ErrorKind)
	}
	if out.StatusCode != 0 {
		fmt.Fprintf(&b, "  status       %d\n", out.StatusCode)
	}
	p := out.Phases
	for _, phase := range []struct {
		name string
		d    time.Duration
	}{{"DNS", p.DNS}, {"connect", p.Connect}, {"TLS", p.TLS}, {"first byte", p.FirstByte}, {"total", out.Response}} {
		if phase.d > 0 {
			fmt.Fprintf(&b, "  %-12s %s\n", phase.name, milliseconds(phase.d))
		}
	}
	if out.Evidence != nil && out.Evidence.Address != "" {
		fmt.Fprintf(&b, "  address      %s\n", out.Evidence.Address)
	}
	if c := out.Certificate; c != nil {
		fmt.Fprintf(&b, "  certificate  %s, by %s, ends %s (%d days)\n", c.Subject, c.Issuer,
			c.NotAfter.UTC().Format("2006-01-02 15:04 UTC"), int(c.NotAfter.Sub(a.Clock()).Hours()/24))
	}
	for _, e := range out.Expectations {
		mark := "✓"
		if !e.Met {
			mark = "✗"
		}
		fmt.Fprintf(&b, "  %s %s: expected %s, was %s\n", mark, e.Name, e.Expected, e.Actual)
	}
	_, err := a.Out.Write([]byte(b.String()))
	return err
}

// withoutPassword is a target as a terminal or the log of a pipeline may hold it.
func withoutPassword(target string) string {
	if u, err := url.Parse(target); err == nil && u.User != nil {
		return u.Redacted()
	}
	return target
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}
