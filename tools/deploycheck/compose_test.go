package deploycheck

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

const ownImage = "monitor:1.0.0"

// answers are what deploy/.env has to hold. None of the values stands in a file.
func answers() map[string]string {
	return map[string]string{
		"PUBLIC_URL":          "https://status.example.com",
		"POSTGRES_PASSWORD":   "7a1f0c52e4b94d83",
		"REDIS_PASSWORD":      "c09d3be1572f4a68",
		"MONITOR_AUTH_SECRET": "5e8b1f7a20c64d39b7e15a9c3d80f462",
		"MONITOR_IMAGE":       ownImage,
	}
}

func load(t *testing.T, env map[string]string) (*types.Project, error) {
	t.Helper()
	var list []string
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	folder, err := filepath.Abs(filepath.Join(root, "deploy"))
	require.NoError(t, err)
	options, err := cli.NewProjectOptions([]string{filepath.Join(folder, "compose.yaml")},
		cli.WithWorkingDirectory(folder), cli.WithEnv(list))
	require.NoError(t, err)
	return options.LoadProject(t.Context())
}

// compose checks the file against the schema of Compose, which knows no other keys.
func compose(t *testing.T) *types.Project {
	t.Helper()
	project, err := load(t, answers())
	require.NoError(t, err)
	return project
}

// own gives the services that run the program.
func own(project *types.Project) []types.ServiceConfig {
	var services []types.ServiceConfig
	for _, name := range project.ServiceNames() {
		if s := project.Services[name]; s.Image == ownImage {
			services = append(services, s)
		}
	}
	return services
}

func TestComposeTopology(t *testing.T) {
	t.Parallel()
	project := compose(t)
	processes := map[string]int{}
	for _, s := range own(project) {
		processes[rolesOf(t, s.Command)] += s.GetScale()
	}
	require.Equal(t, topology(), processes)
	for _, name := range []string{"balancer", "postgres", "redis", "prometheus"} {
		require.Contains(t, project.Services, name)
	}
}

func TestComposeSettings(t *testing.T) {
	t.Parallel()
	project := compose(t)
	for _, s := range own(project) {
		var names []string
		for name := range s.Environment {
			names = append(names, name)
		}
		requireSettings(t, s.Name, names)
		for _, name := range []string{"MONITOR_DATABASE_URL", "MONITOR_REDIS_URL", "MONITOR_AUTH_SECRET", "MONITOR_HTTP_ADMIN_ADDR"} {
			require.NotEmpty(t, s.Environment[name], s.Name)
		}
	}
	require.Len(t, project.Networks["front"].Ipam.Config, 1)
	require.Equal(t, project.Networks["front"].Ipam.Config[0].Subnet, *project.Services["app-1"].Environment["MONITOR_HTTP_TRUSTED_PROXIES"])
}

func TestComposeImagesArePinned(t *testing.T) {
	t.Parallel()
	pinned := regexp.MustCompile(`^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?$`)
	for _, s := range compose(t).Services {
		require.Regexp(t, pinned, s.Image, s.Name)
	}
}

func TestComposeServicesAreHardened(t *testing.T) {
	t.Parallel()
	project := compose(t)
	for _, s := range project.Services {
		require.True(t, s.ReadOnly, s.Name)
		require.False(t, s.Privileged, s.Name)
		require.Equal(t, []string{"ALL"}, s.CapDrop, s.Name)
		require.Contains(t, s.SecurityOpt, "no-new-privileges:true", s.Name)
		require.Equal(t, "unless-stopped", s.Restart, s.Name)
		require.NotNil(t, s.StopGracePeriod, s.Name)
		require.NotNil(t, s.Deploy, s.Name)
		require.NotNil(t, s.Deploy.Resources.Limits, s.Name)
		require.NotZero(t, s.Deploy.Resources.Limits.MemoryBytes, s.Name)
		require.NotEmpty(t, s.Networks, s.Name)
		if s.Image != ownImage { // whose image has one
			require.NotNil(t, s.HealthCheck, s.Name)
		}
		// An engine cannot put what comes from the environment into a read-only
		// container: docker compose refuses to start it.
		for _, secret := range s.Secrets {
			require.NotEmpty(t, project.Secrets[secret.Source].File, s.Name)
		}
		for _, config := range s.Configs {
			require.NotEmpty(t, project.Configs[config.Source].File, s.Name)
		}
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeBind {
				require.FileExists(t, v.Source, s.Name)
			}
		}
	}
}

// TestComposePublishes: strangers reach the balancer and nothing else.
func TestComposePublishes(t *testing.T) {
	t.Parallel()
	project := compose(t)
	require.True(t, project.Networks["back"].Internal)
	for _, s := range project.Services {
		for _, p := range s.Ports {
			if s.Name != "balancer" {
				require.Equal(t, "127.0.0.1", p.HostIP, s.Name)
			}
		}
	}
	var upstreams []string
	for _, s := range own(project) {
		if rolesOf(t, s.Command) == "web,api" {
			upstreams = append(upstreams, s.Name+":8080")
			require.Contains(t, s.Networks, "front")
		}
	}
	require.ElementsMatch(t, upstreams, strings.Fields(*project.Services["balancer"].Environment["UPSTREAMS"]))
}

// TestComposeHoldsNoSecret: what looks like one comes from deploy/.env, and the stack
// does not start without it.
func TestComposeHoldsNoSecret(t *testing.T) {
	t.Parallel()
	project := compose(t)
	secret := regexp.MustCompile(`PASSWORD|SECRET|TOKEN|(DATABASE|REDIS)_URL`)
	for _, s := range project.Services {
		for name, value := range s.Environment {
			if !secret.MatchString(name) || value == nil || *value == "" {
				continue
			}
			found := slices.ContainsFunc([]string{"POSTGRES_PASSWORD", "REDIS_PASSWORD", "MONITOR_AUTH_SECRET"}, func(of string) bool {
				return strings.Contains(*value, answers()[of])
			})
			require.True(t, found, "%s of %s does not come from deploy/.env", name, s.Name)
		}
	}
	for name := range answers() {
		env := answers()
		delete(env, name)
		_, err := load(t, env)
		require.ErrorContains(t, err, name)
	}
	require.Contains(t, strings.Fields(read(t, "deploy", ".gitignore")), ".env")
}

// TestComposeAsksForWhatItUses: deploy/env.example names exactly the variables of
// compose.yaml.
func TestComposeAsksForWhatItUses(t *testing.T) {
	t.Parallel()
	var used []string
	for _, m := range regexp.MustCompile(`\$\{([A-Z_]+)`).FindAllStringSubmatch(read(t, "deploy", "compose.yaml"), -1) {
		used = append(used, m[1])
	}
	slices.Sort(used)
	require.ElementsMatch(t, slices.Compact(used), variables(read(t, "deploy", "env.example")))
}

// TestComposeConnections: all processes together, each with one more connection that
// holds the database, leave the server some for its administrator.
func TestComposeConnections(t *testing.T) {
	t.Parallel()
	project := compose(t)
	const byDefault, reserve = 8, 20
	connections := 0
	for _, s := range own(project) {
		each := byDefault
		if value := s.Environment["MONITOR_DATABASE_MAX_OPEN_CONNS"]; value != nil {
			var err error
			each, err = strconv.Atoi(*value)
			require.NoError(t, err)
		}
		connections += s.GetScale() * (each + 1)
	}
	most := 0
	for _, arg := range project.Services["postgres"].Command {
		if value, ok := strings.CutPrefix(arg, "max_connections="); ok {
			most, _ = strconv.Atoi(value)
		}
	}
	require.LessOrEqual(t, connections+reserve, most)
}
