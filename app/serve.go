package app

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"monitor/config"
)

func (a App) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the monitor",
		Long: "Runs every role in one process: web app, API, scheduler, worker and notifier, on a SQLite file under\n" +
			"data.dir. Prints the page to open. Stops in order on SIGTERM or Ctrl-C.\n\n" +
			"With database.url and redis.url, --role chooses the roles of this process, and any number of processes\n" +
			"share the work. One without web and api answers /healthz, /readyz and /metrics on :9090.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			names, err := cmd.Flags().GetStringSlice("role")
			if err != nil {
				return err
			}
			roles, err := parseRoles(names)
			if err != nil {
				return err
			}
			cfg, err := a.settings(cmd)
			if err != nil {
				return err
			}
			if err := canRun(cfg, roles); err != nil {
				return err
			}
			return a.serve(cmd.Context(), cfg, roles)
		},
	}
	cmd.Flags().StringSlice("role", []string{allRoles}, "roles of this process: "+strings.Join(roleNames(), ", ")+" or all")
	return cmd
}

// parseRoles gives the named roles in the order of the table.
func parseRoles(names []string) ([]string, error) {
	var roles []string
	names = slices.Clone(names)
	for i, name := range names {
		name = strings.TrimSpace(name)
		names[i] = name
		if name != allRoles && !slices.Contains(roleNames(), name) {
			return nil, usage("--role %q is not known; there are %s and all", name, strings.Join(roleNames(), ", "))
		}
	}
	for _, name := range roleNames() {
		if slices.Contains(names, allRoles) || slices.Contains(names, name) {
			roles = append(roles, name)
		}
	}
	if len(roles) == 0 {
		return nil, usage("--role names no role; there are %s and all", strings.Join(roleNames(), ", "))
	}
	return roles, nil
}

// canRun refuses combinations that cannot work.
func canRun(cfg *config.Config, roles []string) error {
	apart := len(roles) < len(roleNames())
	switch {
	case apart && cfg.Redis.URL == "":
		return usage("--role=%s: roles apart need a shared queue: set redis.url (and database.url = postgres://…), or leave --role out to run all in one process",
			strings.Join(roles, ","))
	case apart && !cfg.Postgres():
		return usage("--role=%s: processes apart cannot share an SQLite file: set database.url = postgres://…, or leave --role out to run all in one process",
			strings.Join(roles, ","))
	}
	return nil
}

// greet prints what to open.
func (p *process) greet(addr, setupToken string) {
	out, url := p.app.Out, "http://"+openable(addr)
	if !p.has("web", "api") {
		_, _ = fmt.Fprintf(out, "\n  monitor is ready (%s): health at %s/readyz\n\n", strings.Join(p.roles, ", "), url)
		return
	}
	if p.cfg.HTTP.PublicURL != "" {
		url = p.cfg.HTTP.PublicURL
	}
	if setupToken == "" {
		_, _ = fmt.Fprintf(out, "\n  monitor is ready: open %s\n\n", url)
		return
	}
	_, _ = fmt.Fprintf(out, "\n  monitor is ready. Make the first owner: open %s/setup\n"+
		"  From another machine the page asks for this set-up code: %s\n\n", url, setupToken)
}

// openable is an address that a browser on this machine can open.
func openable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
