package deploycheck

import (
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// prometheusFile is as much of Prometheus' configuration as ours uses.
type prometheusFile struct {
	Global struct {
		ScrapeInterval     metav1.Duration `json:"scrape_interval"`
		ScrapeTimeout      metav1.Duration `json:"scrape_timeout"`
		EvaluationInterval metav1.Duration `json:"evaluation_interval"`
	} `json:"global"`
	RuleFiles     []string `json:"rule_files"`
	ScrapeConfigs []struct {
		JobName      string `json:"job_name"`
		DNSSDConfigs []struct {
			Names           []string        `json:"names"`
			Type            string          `json:"type"`
			Port            int             `json:"port"`
			RefreshInterval metav1.Duration `json:"refresh_interval"`
		} `json:"dns_sd_configs"`
		RelabelConfigs []struct {
			SourceLabels []string `json:"source_labels"`
			TargetLabel  string   `json:"target_label"`
		} `json:"relabel_configs"`
	} `json:"scrape_configs"`
}

type alert struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         metav1.Duration   `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

type alertFile struct {
	Groups []struct {
		Name  string  `json:"name"`
		Rules []alert `json:"rules"`
	} `json:"groups"`
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var file alertFile
	decode(t, "alerts.yml", read(t, "deploy", "alerts.yml"), &file)
	require.Len(t, file.Groups, 1)
	return file.Groups[0].Rules
}

// selector is a metric that an expression reads, with the labels that it names.
type selector struct {
	metric string
	equal  map[string]string
	labels []string
}

// selectors parses an expression. The parser's language includes PromQL.
func selectors(t *testing.T, expression string) []selector {
	t.Helper()
	parsed, err := metricsql.Parse(expression)
	require.NoError(t, err, expression)
	var found []selector
	metricsql.VisitAll(parsed, func(e metricsql.Expr) {
		m, ok := e.(*metricsql.MetricExpr)
		if !ok {
			return
		}
		for _, filters := range m.LabelFilterss {
			s := selector{equal: map[string]string{}}
			for _, f := range filters {
				switch {
				case f.Label == "__name__":
					s.metric = f.Value
					continue
				case !f.IsNegative && !f.IsRegexp:
					s.equal[f.Label] = f.Value
				}
				s.labels = append(s.labels, f.Label)
			}
			found = append(found, s)
		}
	})
	return found
}

func TestPrometheusFindsEveryProcess(t *testing.T) {
	t.Parallel()
	var file prometheusFile
	decode(t, "prometheus.yml", read(t, "deploy", "prometheus.yml"), &file)
	require.Len(t, file.ScrapeConfigs, 1)
	require.Len(t, file.ScrapeConfigs[0].DNSSDConfigs, 1)
	project := compose(t)
	var names []string
	for _, s := range own(project) {
		names = append(names, s.Name)
		require.Contains(t, s.Networks, "back")
		require.Equal(t, ":9090", *s.Environment["MONITOR_HTTP_ADMIN_ADDR"])
	}
	found := file.ScrapeConfigs[0].DNSSDConfigs[0]
	require.ElementsMatch(t, names, found.Names)
	require.Equal(t, 9090, found.Port)
	require.Equal(t, "A", found.Type)
	prometheus := project.Services["prometheus"]
	require.Contains(t, prometheus.Networks, "back")
	mounted := map[string]bool{}
	for _, v := range prometheus.Volumes {
		mounted[v.Target] = true
	}
	for _, rules := range file.RuleFiles {
		require.True(t, mounted[rules], rules)
	}
}

// TestAlertsReadMetricsOfTheProgram: an alert on a metric that does not exist is never
// raised, and nobody notices.
func TestAlertsReadMetricsOfTheProgram(t *testing.T) {
	t.Parallel()
	declared := metrics(t)
	seen := map[string]bool{}
	for _, a := range alerts(t) {
		require.False(t, seen[a.Alert], a.Alert)
		seen[a.Alert] = true
		used := selectors(t, a.Expr)
		require.NotEmpty(t, used, a.Alert)
		for _, s := range used {
			if strings.HasPrefix(s.metric, "monitor_") {
				require.True(t, declared[s.metric], "%s reads %s", a.Alert, s.metric)
				continue
			}
			require.Contains(t, []string{"up", "process_start_time_seconds"}, s.metric, a.Alert)
			require.Equal(t, "monitor", s.equal["job"], a.Alert)
		}
	}
}

// TestAlertsSayWhatToDo: each has words, and a line in the handbook.
func TestAlertsSayWhatToDo(t *testing.T) {
	t.Parallel()
	handbook := read(t, "docs", "operations.md")
	head := "{{ $labels := .Labels }}{{ $value := .Value }}"
	functions := template.FuncMap{"humanizeDuration": func(seconds float64) string { return time.Duration(seconds).String() }}
	for _, a := range alerts(t) {
		require.Contains(t, []string{"warning", "critical"}, a.Labels["severity"], a.Alert)
		require.Contains(t, handbook, "`"+a.Alert+"`")
		require.Len(t, a.Annotations, 2, a.Alert)
		for _, name := range []string{"summary", "description"} {
			text, err := template.New(a.Alert).Funcs(functions).Parse(head + a.Annotations[name])
			require.NoError(t, err)
			var out strings.Builder
			require.NoError(t, text.Execute(&out, map[string]any{"Labels": map[string]string{}, "Value": 1.0}))
			require.NotEmpty(t, out.String(), a.Alert)
		}
	}
}
