package deploycheck

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const manifestFolder = "deploy/kubernetes"

// manifests are all objects of the folder, decoded by the types of the API server.
type manifests struct {
	namespaces  []*corev1.Namespace
	secrets     []*corev1.Secret
	deployments []*appsv1.Deployment
	services    []*corev1.Service
	ingresses   []*networkingv1.Ingress
	policies    []*networkingv1.NetworkPolicy
	budgets     []*policyv1.PodDisruptionBudget
	scalers     []*autoscalingv2.HorizontalPodAutoscaler
	jobs        []*batchv1.Job
	podMonitors []*podMonitor
}

// podMonitor is as much of the Prometheus operator's type as ours uses.
type podMonitor struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		JobLabel            string               `json:"jobLabel"`
		Selector            metav1.LabelSelector `json:"selector"`
		PodTargetLabels     []string             `json:"podTargetLabels"`
		PodMetricsEndpoints []struct {
			Port     string          `json:"port"`
			Path     string          `json:"path"`
			Interval metav1.Duration `json:"interval"`
		} `json:"podMetricsEndpoints"`
	} `json:"spec"`
}

// kustomization is as much of Kustomize's type as ours uses.
type kustomization struct {
	metav1.TypeMeta    `json:",inline"`
	Namespace          string   `json:"namespace"`
	Resources          []string `json:"resources"`
	ConfigMapGenerator []struct {
		Name string   `json:"name"`
		Envs []string `json:"envs"`
	} `json:"configMapGenerator"`
	Images []struct {
		Name    string `json:"name"`
		NewName string `json:"newName"`
		NewTag  string `json:"newTag"`
	} `json:"images"`
}

// adapterValues are as much of prometheus-adapter's as ours use.
type adapterValues struct {
	Rules struct {
		External []struct {
			SeriesQuery string `json:"seriesQuery"`
			Resources   struct {
				Overrides map[string]struct {
					Resource string `json:"resource"`
				} `json:"overrides"`
			} `json:"resources"`
			Name struct {
				As string `json:"as"`
			} `json:"name"`
			MetricsQuery string `json:"metricsQuery"`
		} `json:"external"`
	} `json:"rules"`
}

// notObjects are the files that are not for the API server.
func notObjects() []string {
	return []string{"kustomization.yaml", "optional/prometheus-adapter.yaml"}
}

// manifestFiles are relative to the folder. secret.yaml is the operator's own.
func manifestFiles(t *testing.T) []string {
	t.Helper()
	base := filepath.Join(root, manifestFolder)
	var files []string
	require.NoError(t, filepath.WalkDir(base, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".yaml" && d.Name() != "secret.yaml" {
			name, relErr := filepath.Rel(base, path)
			files, err = append(files, filepath.ToSlash(name)), relErr
		}
		return err
	}))
	return files
}

// into decodes one object into the list of its type.
func into[T any](t *testing.T, name, text string, list *[]*T) {
	t.Helper()
	object := new(T)
	decode(t, name, text, object)
	*list = append(*list, object)
}

func loadManifests(t *testing.T) *manifests {
	t.Helper()
	m := &manifests{}
	for _, name := range manifestFiles(t) {
		if slices.Contains(notObjects(), name) {
			continue
		}
		for _, text := range regexp.MustCompile(`(?m)^---$`).Split(read(t, manifestFolder, name), -1) {
			m.add(t, name, text)
		}
	}
	return m
}

func (m *manifests) add(t *testing.T, name, text string) {
	t.Helper()
	kind := regexp.MustCompile(`(?m)^kind: (\w+)$`).FindStringSubmatch(text)
	version := regexp.MustCompile(`(?m)^apiVersion: (\S+)$`).FindStringSubmatch(text)
	require.NotNil(t, kind, name)
	require.NotNil(t, version, name)
	switch version[1] + " " + kind[1] {
	case "v1 Namespace":
		into(t, name, text, &m.namespaces)
	case "v1 Secret":
		into(t, name, text, &m.secrets)
	case "v1 Service":
		into(t, name, text, &m.services)
	case "apps/v1 Deployment":
		into(t, name, text, &m.deployments)
	case "batch/v1 Job":
		into(t, name, text, &m.jobs)
	case "networking.k8s.io/v1 Ingress":
		into(t, name, text, &m.ingresses)
	case "networking.k8s.io/v1 NetworkPolicy":
		into(t, name, text, &m.policies)
	case "policy/v1 PodDisruptionBudget":
		into(t, name, text, &m.budgets)
	case "autoscaling/v2 HorizontalPodAutoscaler":
		into(t, name, text, &m.scalers)
	case "monitoring.coreos.com/v1 PodMonitor":
		into(t, name, text, &m.podMonitors)
	default:
		require.Fail(t, "an object of a kind that is not checked", "%s: %s %s", name, version[1], kind[1])
	}
}

func loadKustomization(t *testing.T) kustomization {
	t.Helper()
	var k kustomization
	decode(t, "kustomization.yaml", read(t, manifestFolder, "kustomization.yaml"), &k)
	return k
}

// TestKustomization: what is applied is all there is but what is optional or secret.
func TestKustomization(t *testing.T) {
	t.Parallel()
	k := loadKustomization(t)
	var want []string
	for _, name := range manifestFiles(t) {
		if name != "kustomization.yaml" && name != "secret.example.yaml" && !strings.HasPrefix(name, "optional/") {
			want = append(want, name)
		}
	}
	require.ElementsMatch(t, want, k.Resources)
	require.Equal(t, loadManifests(t).namespaces[0].Name, k.Namespace)
	require.Len(t, k.ConfigMapGenerator, 1)
	require.Equal(t, []string{"settings.env"}, k.ConfigMapGenerator[0].Envs)
	requireSettings(t, "settings.env", variables(read(t, manifestFolder, "settings.env")))
	require.Len(t, k.Images, 1)
	require.Regexp(t, `^\d+\.\d+\.\d+$`, k.Images[0].NewTag)
	for _, d := range loadManifests(t).deployments {
		require.Equal(t, k.Images[0].Name, d.Spec.Template.Spec.Containers[0].Image)
	}
}

// TestSecretExample holds no secret, and what processes apart need.
func TestSecretExample(t *testing.T) {
	t.Parallel()
	m := loadManifests(t)
	require.Len(t, m.secrets, 1)
	secret := m.secrets[0]
	require.Empty(t, secret.Data)
	var names []string
	for name, value := range secret.StringData {
		names = append(names, name)
		require.Contains(t, value, "CHANGE-ME", name)
	}
	requireSettings(t, "secret.example.yaml", names)
	require.Subset(t, names, []string{"MONITOR_DATABASE_URL", "MONITOR_REDIS_URL", "MONITOR_AUTH_SECRET"})
	require.Contains(t, strings.Fields(read(t, "deploy", ".gitignore")), "secret.yaml")
	for _, name := range variables(read(t, manifestFolder, "settings.env")) {
		require.NotRegexp(t, `PASSWORD|SECRET|TOKEN|(DATABASE|REDIS)_URL`, name, "settings.env")
	}
	for _, d := range m.deployments {
		from := d.Spec.Template.Spec.Containers[0].EnvFrom
		require.Len(t, from, 2)
		require.Equal(t, loadKustomization(t).ConfigMapGenerator[0].Name, from[0].ConfigMapRef.Name)
		require.Equal(t, secret.Name, from[1].SecretRef.Name)
	}
}
