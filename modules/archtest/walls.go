package archtest

import (
	"slices"
	"strings"
)

// wall says where libraries may be used. A library is a prefix of import paths
// that ends at a slash.
type wall struct {
	members   []string // folders of the plan
	libraries []string
}

// walls are the third column of the plan.
func walls() []wall {
	return []wall{
		{
			members:   []string{"modules/telemetry"},
			libraries: []string{"github.com/prometheus", "go.opentelemetry.io"},
		},
		{
			members:   []string{"modules/outbound"},
			libraries: []string{"code.dny.dev/ssrf"},
		},
		{
			members:   []string{"modules/form"},
			libraries: []string{"github.com/go-playground/validator/v10"},
		},
		{
			members: []string{"modules/store"},
			libraries: []string{
				"gorm.io", "github.com/jackc/pgx/v5", "github.com/exaring/otelpgx",
				"github.com/ncruces/go-sqlite3", "github.com/pressly/goose/v3",
			},
		},
		{
			// one lock file round SQLite's migrations, one round the data folder
			members:   []string{"modules/store", "app"},
			libraries: []string{"github.com/gofrs/flock"},
		},
		{
			// redisconn opens the connections that the others share: ADR 0006
			members:   []string{"modules/redisconn", "modules/queue", "modules/lock", "modules/bus", "modules/limit", "modules/fleet"},
			libraries: []string{"github.com/redis/go-redis"},
		},
		{
			members:   []string{"modules/lock"},
			libraries: []string{"github.com/go-redsync/redsync/v4"},
		},
		{
			members:   []string{"modules/limit"},
			libraries: []string{"github.com/go-redis/redis_rate/v10", "golang.org/x/time/rate"},
		},
		{
			members: []string{"modules/auth"},
			libraries: []string{
				"github.com/lestrrat-go/jwx/v2", "github.com/alexedwards/argon2id", "github.com/pquerna/otp",
				"github.com/go-webauthn/webauthn", "github.com/coreos/go-oidc/v3", "golang.org/x/oauth2",
				"golang.org/x/crypto",
			},
		},
		{
			members: []string{"modules/probe"},
			libraries: []string{
				"github.com/prometheus-community/pro-bing", "github.com/miekg/dns", "github.com/coder/websocket",
				"google.golang.org/grpc", "github.com/jlaffaye/ftp", "github.com/eclipse/paho.mqtt.golang",
				"github.com/go-sql-driver/mysql", "github.com/openrdap/rdap", "github.com/theory/jsonpath",
				"github.com/expr-lang/expr", "github.com/jackc/pgx/v5", "github.com/redis/go-redis",
			},
		},
		{
			members:   []string{"modules/channel"},
			libraries: []string{"github.com/wneessen/go-mail", "github.com/nicholas-fedor/shoutrrr"},
		},
		{
			members:   []string{"modules/probe", "modules/channel"},
			libraries: []string{"github.com/sony/gobreaker/v2"},
		},
		{
			members: []string{"modules/api", "modules/web", "modules/httpd"},
			libraries: []string{
				"github.com/labstack/echo/v4", "github.com/danielgtaylor/huma/v2", "github.com/tmaxmax/go-sse",
			},
		},
		{
			members:   []string{"modules/web"},
			libraries: []string{"github.com/tdewolff/minify/v2"},
		},
		{
			members:   []string{"config"},
			libraries: []string{"github.com/spf13/viper", "github.com/spf13/pflag", "github.com/go-viper/mapstructure/v2"},
		},
		{
			members: []string{"app"},
			libraries: []string{
				"github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/term",
				"github.com/schollz/progressbar/v3", "github.com/jedib0t/go-pretty/v6",
			},
		},
		{
			members:   []string{"modules/testenv"},
			libraries: []string{"github.com/jackc/pgx/v5", "github.com/redis/go-redis"},
		},
	}
}

// pureLibraries are small, do no input or output and keep no state, so any floor
// above the language may use them.
func pureLibraries() []string {
	return []string{
		"github.com/cenkalti/backoff/v5",
		"github.com/HdrHistogram/hdrhistogram-go",
		"github.com/adhocore/gronx",
		"github.com/teambition/rrule-go",
		"github.com/goccy/go-yaml",
		"github.com/gorilla/feeds",
		"github.com/google/uuid",
		"rsc.io/qr",
		"github.com/mileusna/useragent",
		"golang.org/x/net/idna",
		"golang.org/x/net/html",
		"golang.org/x/sync",
		"golang.org/x/text",
	}
}

// testLibraries are for _test.go files and test support.
func testLibraries() []string {
	return []string{
		"github.com/stretchr/testify",
		"go.uber.org/goleak",
		"pgregory.net/rapid",
		"github.com/alicebob/miniredis/v2",
		"github.com/chromedp",
		"github.com/Shopify/toxiproxy/v2",
		"github.com/emersion/go-smtp",
		"github.com/emersion/go-sasl",
	}
}

// judgeLibrary says what is wrong with a third-party import, in words; empty is
// allowed. Test support stands behind no wall of a product package: a conformance
// suite has to work through the contract alone.
func judgeLibrary(from place, path string, inTest bool) string {
	var at []string
	for _, w := range walls() {
		if !anyPrefix(w.libraries, path) {
			continue
		}
		if slices.Contains(w.members, from.member) {
			return ""
		}
		at = append(at, w.members...)
	}
	switch {
	case from.floor == language && !inTest:
		return "library " + path + ": the language uses the standard library only"
	case anyPrefix(testLibraries(), path):
		if inTest || from.floor == testSupport {
			return ""
		}
		return "library " + path + " is for tests"
	case anyPrefix(pureLibraries(), path):
		return ""
	case inTest && from.floor == roof:
		return "" // the roof's tests drive the whole program and look behind every wall
	case len(at) == 0:
		return "library " + path + " has no place in the house: name it in walls.go, with its wall"
	default:
		return "library " + path + " is walled in " + strings.Join(at, ", ") + "; " + from.member + " stands outside"
	}
}

// anyPrefix says whether path is one of the prefixes or lies inside one.
func anyPrefix(prefixes []string, path string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool {
		return path == p || strings.HasPrefix(path, p+"/")
	})
}
