package redisconn

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, url string
		want      target
	}{
		{"Plain", "redis://db", target{addrs: []string{"db:6379"}}},
		{"Port", "redis://db:6380/", target{addrs: []string{"db:6380"}}},
		{"Database", "redis://db/7", target{addrs: []string{"db:6379"}, database: 7}},
		{"Password", "redis://:p%40ss@db:1/2", target{addrs: []string{"db:1"}, password: "p@ss", database: 2}},
		{"User", "redis://u:p@db:1", target{addrs: []string{"db:1"}, username: "u", password: "p"}},
		{"EscapedSlash", "redis://u:a%2Fb%3Fc@db", target{addrs: []string{"db:6379"}, username: "u", password: "a/b?c"}},
		{"AtInPassword", "redis://:a@b@db", target{addrs: []string{"db:6379"}, password: "a@b"}},
		{"IPv6", "redis://[::1]:6380/1", target{addrs: []string{"[::1]:6380"}, database: 1}},
		{"IPv6WithoutPort", "redis://[2001:db8::1]", target{addrs: []string{"[2001:db8::1]:6379"}}},
		{
			"Sentinel", "redis+sentinel://:p@a,b:2,[::1]/main/3?sentinel_username=su&sentinel_password=s%26p",
			target{
				kind: sentinel, addrs: []string{"a:26379", "b:2", "[::1]:26379"}, password: "p",
				master: "main", database: 3, sentinelUser: "su", sentinelPassword: "s&p",
			},
		},
		{"SentinelWithoutDatabase", "redis+sentinel://a/main", target{kind: sentinel, addrs: []string{"a:26379"}, master: "main"}},
		{"Cluster", "redis+cluster://u:p@a:1,b:2,c", target{
			kind: cluster, addrs: []string{"a:1", "b:2", "c:6379"}, username: "u", password: "p",
		}},
		{"ClusterDatabaseZero", "redis+cluster://a/0", target{kind: cluster, addrs: []string{"a:6379"}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := parse(c.url)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			require.NoError(t, Check(c.url))
		})
	}
}

func TestRefusedAddresses(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "hunter2.pem")
	require.NoError(t, os.WriteFile(empty, []byte("hunter2"), 0o600))
	cases := []struct{ name, url, want string }{
		{"Empty", "", "no scheme"},
		{"NoScheme", "hunter2:6379", "no scheme"},
		{"OtherScheme", "http://hunter2", "scheme is not redis"},
		{"Unlike", "redis+other://hunter2", "scheme is not redis"},
		{"NoHost", "redis://:hunter2@", "a host is empty"},
		{"NoHostButPort", "redis://:hunter2@:6379", "a host is empty"},
		{"Port", "redis://:hunter2@a:port", "a port is not a number"},
		{"PortTooHigh", "redis://a:65536", "a port is not a number"},
		{"SlashInPassword", "redis://u:hunter2/x@db:6379", "a port is not a number"},
		{"QuestionInPassword", "redis://u:6379?hunter2@db", "an option is not known"},
		{"HashInPassword", "redis://:hun#hunter2@db", "not escaped"},
		{"BadEscape", "redis://:hunter2%zz@db", "not escaped"},
		{"BadEscapeInOptions", "rediss://db?tls_ca_file=hunter2%zz", "not escaped"},
		{"SeveralHosts", "redis://a,b", "several hosts"},
		{"EmptyHost", "redis+cluster://a,,b", "a host is empty"},
		{"BareIPv6", "redis://::1", "not host:port"},
		{"Spaces", "redis://hunter2 x", "characters that no host has"},
		{"Database", "redis://a/hunter2", "database is not a number"},
		{"NegativeDatabase", "redis://a/-1", "database is not a number"},
		{"ClusterDatabase", "redis+cluster://a/1", "database 0 only"},
		{"NoMaster", "redis+sentinel://a,b/", "name of the master is missing"},
		{"Option", "redis://a?hunter2=1", "an option is not known"},
		{"SentinelOption", "redis://a?sentinel_password=hunter2", "options of Sentinel"},
		{"TLSOption", "redis://a?tls_skip_verify=true", "options of TLS"},
		{"SkipVerify", "rediss://a?tls_skip_verify=hunter2", "not true or false"},
		{"NoFile", "rediss://a?tls_ca_file=/hunter2/ca.pem", "no such file"},
		{"NoCertificate", "rediss://a?tls_ca_file=" + url.QueryEscape(empty), "holds no certificate"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := Check(c.url)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestTLSOptions(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"rediss://a", "rediss+sentinel://a/m", "rediss+cluster://a"} {
		got, err := parse(scheme + "?tls_skip_verify=true")
		require.NoError(t, err)
		require.True(t, got.tls.InsecureSkipVerify)
		got, err = parse(scheme)
		require.NoError(t, err)
		require.False(t, got.tls.InsecureSkipVerify)
		require.Nil(t, got.tls.RootCAs)
	}
}

// Whatever is typed, nothing of it comes back in an error, and what is taken can
// be dialled.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"redis://u:p@h:1/2", "rediss+sentinel://:p@a,b:2/m/3?sentinel_password=x", "redis+cluster://[::1]:1,b",
		"redis://u:p/w@h", "redis://:?@h", "rediss://h?tls_skip_verify=1", "redis://[::1", "redis://a%", "redis://,",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if strings.Contains(address, "tls_ca_file") {
			return // would read files of the machine
		}
		const marker = "Zq8#/?@:%"
		for _, text := range []string{address, address + marker, marker + address} {
			got, err := parse(text)
			if err != nil {
				require.NotContains(t, err.Error(), "Zq8")
				continue
			}
			require.NotEmpty(t, got.addrs)
			for _, a := range got.addrs {
				_, err := url.Parse("redis://" + a)
				require.NoError(t, err, a)
			}
			require.GreaterOrEqual(t, got.database, 0)
			require.Equal(t, got.kind == sentinel, got.master != "")
		}
	})
}
