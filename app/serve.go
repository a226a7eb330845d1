package app

import (
	"fmt"
	"io"
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
			"data.dir. Prints the page to open. Stops in order on SIGTERM or Ctrl-C.",
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
	for _, name := range names {
		name = strings.TrimSpace(name)
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
	if cfg.Redis.URL != "" {
		return usage("redis.url is set, but this version keeps queue, lock and bus within one process: unset it to start")
	}
	if len(cfg.Database.ReplicaURLs) > 0 {
		return usage("database.replica_urls is set, but this version reads the primary only: unset it to start")
	}
	if len(cfg.Worker.Canaries) > 0 {
		return usage("worker.canaries is set, but this version does not ask canaries: unset it to start")
	}
	if len(roles) < len(roleNames()) {
		return usage("--role=%s: this version runs all roles in one process, because roles apart need a shared queue (redis.url): leave --role out", strings.Join(roles, ","))
	}
	return nil
}

// greet prints what to open.
func (a App) greet(w io.Writer, addr, publicURL, setupToken string) {
	url := publicURL
	if url == "" {
		url = "http://" + openable(addr)
	}
	if setupToken == "" {
		_, _ = fmt.Fprintf(w, "\n  monitor is ready: open %s\n\n", url)
		return
	}
	_, _ = fmt.Fprintf(w, "\n  monitor is ready. Make the first owner: open %s/setup\n"+
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
