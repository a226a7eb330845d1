// Package app is the roof: the only package that knows all others. It turns
// commands into running parts. wire.go opens what they share, roles.go says
// which parts each role runs, run.go runs them.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // the smallest images have no time zones

	"github.com/spf13/cobra"

	"monitor/config"
	"monitor/modules/redisconn"
	"monitor/modules/telemetry"
	"monitor/modules/uptime"
)

// The exit codes of commands.
const (
	exitOK          = 0
	exitFailed      = 1 // also: the target of check is down
	exitUsage       = 2
	exitCannotCheck = 3
)

// App is the program as a value: a test may run several at once.
type App struct {
	Args   []string // without the program's name
	In     io.Reader
	Out    io.Writer
	Err    io.Writer
	Getenv func(string) (string, bool)
	Clock  uptime.Clock
	// OnReady is told the address of the public listener once all parts of
	// serve work; nil: nobody.
	OnReady func(addr string)
}

// Main runs the program with the process's own arguments, streams and signals
// and gives its exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// What go-redis says of its connections is known already: redisconn says once
	// that a server is away, and why.
	redisconn.SetLogger(slog.New(slog.DiscardHandler))
	a := App{
		Args: os.Args[1:], In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Getenv: os.LookupEnv, Clock: uptime.SystemClock,
	}
	return a.Run(ctx)
}

// Run runs one command to its end and gives the exit code. What went wrong is
// said on Err.
func (a App) Run(ctx context.Context) int {
	root := a.root()
	root.SetArgs(a.Args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if exit, ok := errors.AsType[exitError](err); ok {
		if exit.err != nil {
			_, _ = fmt.Fprintln(a.Err, "monitor:", exit.err)
		}
		return exit.code
	}
	_, _ = fmt.Fprintln(a.Err, "monitor:", err)
	return exitFailed
}

// exitError ends the program with a code; nothing more is said when err is nil.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

// usage is an error in how a command was called.
func usage(format string, args ...any) error {
	return exitError{exitUsage, fmt.Errorf(format, args...)}
}

// noArgs is for commands that take flags only.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("%s does not take %q; see `%s --help`", cmd.CommandPath(), args[0], cmd.CommandPath())
	}
	return nil
}

func (a App) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "monitor",
		Short: "Uptime monitor: tells people that something is down before their users do",
		Long: "monitor watches what you run and tells you when it is down.\n\n" +
			"Start with `monitor serve`: it needs no settings, keeps its data in ./data and prints the page to open.",
		Version:       telemetry.BuildInfo().Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%w; see `%s --help`", err, cmd.CommandPath())
	})
	root.PersistentFlags().String("config", "", "configuration file (default ./config.yaml, then /etc/monitor/config.yaml)")
	config.AddFlags(root.PersistentFlags())
	root.AddCommand(a.serveCommand(), a.migrateCommand(), a.checkCommand(), a.userCommand(), a.secretsCommand(), a.configCommand(), a.versionCommand())
	return root
}

// settings of the command line, the environment and the file.
func (a App) settings(cmd *cobra.Command) (*config.Config, error) {
	file, err := cmd.Flags().GetString("config")
	if err != nil {
		return nil, err
	}
	c, err := config.Load(config.Options{File: file, Flags: cmd.Flags(), Getenv: a.Getenv})
	if err != nil {
		return nil, exitError{exitUsage, err}
	}
	return c, nil
}
