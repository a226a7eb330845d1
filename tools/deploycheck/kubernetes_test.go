package deploycheck

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// selects reports whether a selector takes a deployment's pods.
func selects(t *testing.T, s *metav1.LabelSelector, d *appsv1.Deployment) bool {
	t.Helper()
	require.NotNil(t, s)
	require.False(t, len(s.MatchLabels) == 0 && len(s.MatchExpressions) == 0, "it selects every pod")
	selector, err := metav1.LabelSelectorAsSelector(s)
	require.NoError(t, err)
	return selector.Matches(labels.Set(d.Spec.Template.Labels))
}

// selected gives the names of the deployments that a selector takes.
func (m *manifests) selected(t *testing.T, s *metav1.LabelSelector) []string {
	t.Helper()
	var names []string
	for _, d := range m.deployments {
		if selects(t, s, d) {
			names = append(names, d.Name)
		}
	}
	return names
}

// port looks a port of a pod up by name or number.
func port(t *testing.T, pod corev1.PodSpec, p intstr.IntOrString) int32 {
	t.Helper()
	for _, known := range pod.Containers[0].Ports {
		if known.Name == p.StrVal || p.Type == intstr.Int && known.ContainerPort == p.IntVal {
			return known.ContainerPort
		}
	}
	require.Fail(t, "no such port", p.String())
	return 0
}

func TestDeploymentsAreThoseOfCompose(t *testing.T) {
	t.Parallel()
	processes := map[string]int{}
	for _, d := range loadManifests(t).deployments {
		processes[rolesOf(t, d.Spec.Template.Spec.Containers[0].Args)] += int(*d.Spec.Replicas)
		require.True(t, selects(t, d.Spec.Selector, d), d.Name)
		require.Equal(t, []string{d.Name}, loadManifests(t).selected(t, d.Spec.Selector), "a deployment owns no pods of another")
		for _, spread := range d.Spec.Template.Spec.TopologySpreadConstraints {
			require.True(t, selects(t, spread.LabelSelector, d), d.Name)
		}
		var names []string
		for _, e := range d.Spec.Template.Spec.Containers[0].Env {
			names = append(names, e.Name)
		}
		requireSettings(t, d.Name, names)
	}
	require.Equal(t, topology(), processes)
}

func TestProbes(t *testing.T) {
	t.Parallel()
	admin, err := strconv.Atoi(strings.TrimPrefix(theImage(t).env["MONITOR_HTTP_ADMIN_ADDR"], ":"))
	require.NoError(t, err)
	require.Contains(t, read(t, manifestFolder, "settings.env"), "MONITOR_HTTP_ADMIN_ADDR=:"+strconv.Itoa(admin)+"\n")
	for _, d := range loadManifests(t).deployments {
		pod := d.Spec.Template.Spec
		c := pod.Containers[0]
		for path, probes := range map[string][]*corev1.Probe{"/healthz": {c.StartupProbe, c.LivenessProbe}, "/readyz": {c.ReadinessProbe}} {
			for _, p := range probes {
				require.NotNil(t, p, d.Name)
				require.NotNil(t, p.HTTPGet, d.Name)
				require.Equal(t, path, p.HTTPGet.Path, d.Name)
				require.EqualValues(t, admin, port(t, pod, p.HTTPGet.Port), d.Name)
				require.Greater(t, p.TimeoutSeconds, int32(2), "/readyz waits 2 s for the database")
			}
		}
		starts := time.Duration(c.StartupProbe.PeriodSeconds*c.StartupProbe.FailureThreshold) * time.Second
		require.Greater(t, starts, 10*time.Minute, "a migration may take as long")
		require.Greater(t, time.Duration(*d.Spec.ProgressDeadlineSeconds)*time.Second, starts)
		// The listener takes requests for 5 s after /readyz turned 503.
		require.LessOrEqual(t, c.ReadinessProbe.PeriodSeconds*c.ReadinessProbe.FailureThreshold, int32(5))
		require.EqualValues(t, 60, *pod.TerminationGracePeriodSeconds, "as in compose.yaml")
		require.Equal(t, strconv.Itoa(admin), d.Spec.Template.Annotations["prometheus.io/port"])
	}
	require.Equal(t, time.Minute, time.Duration(*compose(t).Services["worker"].StopGracePeriod))
}

func requireHardened(t *testing.T, name string, pod corev1.PodSpec) {
	t.Helper()
	user, group, _ := strings.Cut(theImage(t).user, ":")
	require.True(t, *pod.SecurityContext.RunAsNonRoot, name)
	require.Equal(t, user, strconv.FormatInt(*pod.SecurityContext.RunAsUser, 10), name)
	require.Equal(t, group, strconv.FormatInt(*pod.SecurityContext.RunAsGroup, 10), name)
	require.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, pod.SecurityContext.SeccompProfile.Type, name)
	require.False(t, *pod.AutomountServiceAccountToken, name)
	// Kubernetes would add MONITOR_PORT and more for a service named monitor.
	require.False(t, *pod.EnableServiceLinks, name)
	require.False(t, pod.HostNetwork || pod.HostPID || pod.HostIPC, name)
	require.Len(t, pod.Containers, 1, name)
	c := pod.Containers[0]
	require.False(t, *c.SecurityContext.AllowPrivilegeEscalation, name)
	require.True(t, *c.SecurityContext.ReadOnlyRootFilesystem, name)
	require.Equal(t, []corev1.Capability{"ALL"}, c.SecurityContext.Capabilities.Drop, name)
	require.Empty(t, c.SecurityContext.Capabilities.Add, name)
	require.False(t, c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero(), name)
	require.False(t, c.Resources.Limits.Memory().IsZero(), name)
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
	}
	for _, mount := range c.VolumeMounts {
		require.True(t, volumes[mount.Name], name)
	}
}

func TestPodsAreHardened(t *testing.T) {
	t.Parallel()
	m := loadManifests(t)
	for _, d := range m.deployments {
		requireHardened(t, d.Name, d.Spec.Template.Spec)
	}
	for _, j := range m.jobs {
		pod := j.Spec.Template.Spec
		requireHardened(t, j.Name, pod)
		require.Equal(t, []string{"migrate", "up"}, pod.Containers[0].Args)
		k := loadKustomization(t)
		require.Equal(t, k.Images[0].NewName+":"+k.Images[0].NewTag, pod.Containers[0].Image)
	}
	require.Equal(t, "restricted", m.namespaces[0].Labels["pod-security.kubernetes.io/enforce"])
}

// TestBudgets: each deployment has one, which lets at least one pod go.
func TestBudgets(t *testing.T) {
	t.Parallel()
	m := loadManifests(t)
	var covered []string
	for _, b := range m.budgets {
		names := m.selected(t, b.Spec.Selector)
		require.Equal(t, []string{b.Name}, names, "a budget has the name of its deployment")
		covered = append(covered, names...)
		for _, d := range m.deployments {
			if d.Name == b.Name && b.Spec.MinAvailable != nil {
				require.Less(t, b.Spec.MinAvailable.IntValue(), int(*d.Spec.Replicas), "or no node can ever be drained")
			}
		}
		require.NotNil(t, b.Spec.UnhealthyPodEvictionPolicy)
	}
	require.Len(t, covered, len(m.deployments))
}

func TestServiceAndIngress(t *testing.T) {
	t.Parallel()
	m := loadManifests(t)
	require.Len(t, m.services, 1)
	s := m.services[0]
	require.Equal(t, []string{"monitor-app"}, m.selected(t, &metav1.LabelSelector{MatchLabels: s.Spec.Selector}))
	for _, d := range m.deployments {
		if d.Name == "monitor-app" {
			require.EqualValues(t, 8080, port(t, d.Spec.Template.Spec, s.Spec.Ports[0].TargetPort))
		}
	}
	require.Len(t, m.ingresses, 1)
	rule := m.ingresses[0].Spec.Rules[0]
	backend := rule.HTTP.Paths[0].Backend.Service
	require.Equal(t, s.Name, backend.Name)
	require.Equal(t, s.Spec.Ports[0].Name, backend.Port.Name)
	require.Equal(t, []string{rule.Host}, m.ingresses[0].Spec.TLS[0].Hosts)
	require.Contains(t, read(t, manifestFolder, "settings.env"), "MONITOR_HTTP_PUBLIC_URL=https://"+rule.Host+"\n")
}

func TestNetworkPolicies(t *testing.T) {
	t.Parallel()
	m := loadManifests(t)
	covered := map[string]bool{}
	for _, p := range m.policies {
		for _, d := range m.deployments {
			if !selects(t, &p.Spec.PodSelector, d) {
				continue
			}
			covered[d.Name] = true
			for _, in := range p.Spec.Ingress {
				for _, open := range in.Ports {
					port(t, d.Spec.Template.Spec, *open.Port)
				}
			}
		}
	}
	require.Len(t, covered, len(m.deployments))
}

// TestAutoscaling: workers follow the depth of the queue, by a metric that the adapter
// makes of one that the program has.
func TestAutoscaling(t *testing.T) {
	t.Parallel()
	m := loadManifests(t)
	require.Len(t, m.scalers, 1)
	h := m.scalers[0].Spec
	require.Equal(t, "apps/v1 Deployment monitor-worker", h.ScaleTargetRef.APIVersion+" "+h.ScaleTargetRef.Kind+" "+h.ScaleTargetRef.Name)
	require.EqualValues(t, topology()["worker"], *h.MinReplicas)
	require.Greater(t, h.MaxReplicas, *h.MinReplicas)
	require.NotNil(t, h.Metrics[0].External)

	var values adapterValues
	decode(t, "prometheus-adapter.yaml", read(t, manifestFolder, "optional/prometheus-adapter.yaml"), &values)
	require.Len(t, values.Rules.External, 1)
	rule := values.Rules.External[0]
	require.Equal(t, rule.Name.As, h.Metrics[0].External.Metric.Name)
	series := selectors(t, rule.SeriesQuery)
	require.Len(t, series, 1)
	require.True(t, metrics(t)[series[0].metric], series[0].metric)
	// What the adapter makes of the template.
	query := strings.NewReplacer("<<.Series>>", series[0].metric, "<<.LabelMatchers>>", `namespace="monitor"`, "<<.GroupBy>>", "namespace").Replace(rule.MetricsQuery)
	asked := selectors(t, query)
	require.Len(t, asked, 1)
	require.Equal(t, series[0].metric, asked[0].metric)
	require.Equal(t, map[string]string{"state": "ready", "namespace": "monitor"}, asked[0].equal)
}

func TestPodMonitor(t *testing.T) {
	t.Parallel()
	m := loadManifests(t)
	require.Len(t, m.podMonitors, 1)
	p := m.podMonitors[0]
	require.Len(t, m.selected(t, &p.Spec.Selector), len(m.deployments))
	require.Equal(t, "/metrics", p.Spec.PodMetricsEndpoints[0].Path)
	for _, d := range m.deployments {
		port(t, d.Spec.Template.Spec, intstr.FromString(p.Spec.PodMetricsEndpoints[0].Port))
	}
}
