package logincheck

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

const (
	clientID     = "monitor"
	clientSecret = "a-secret-of-the-client"
	word         = "correct horse battery" // everybody's password, wherever
)

// idp is a provider. Its people tell their groups at the userinfo endpoint alone, as is
// the default of several.
type idp struct {
	*storage.Storage

	issuer string
	away   atomic.Bool

	mu     sync.Mutex
	groups map[string][]string // by subject
}

// startProvider serves people, whose user name is the name before the @ of their address.
func startProvider(t *testing.T, redirect string, emails ...string) *idp {
	t.Helper()
	people := map[string]map[string]any{}
	for i, email := range emails {
		name := email[:len(email)-len("@example.com")]
		id := "subject-" + strconv.Itoa(i)
		people[id] = map[string]any{
			"ID": id, "Username": name, "Password": word, "FirstName": name, "LastName": "Lund", "Email": email, "EmailVerified": true,
		}
	}
	raw, err := json.Marshal(people)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "people.json")
	require.NoError(t, os.WriteFile(file, raw, 0o600))
	store, err := storage.StoreFromFile(file)
	require.NoError(t, err)
	p := &idp{groups: map[string][]string{}}
	p.Storage = storage.NewStorageWithClients(store, map[string]*storage.Client{clientID: storage.WebClient(clientID, clientSecret, redirect)})

	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	p.issuer = "http://localhost:" + port + "/" // another site than that of the program
	router := exampleop.SetupServer(p.issuer, p, slog.New(slog.DiscardHandler), false)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if p.away.Load() {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		router.ServeHTTP(rw, r)
	}))
	_ = server.Listener.Close() // ours takes its place
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return p
}

// put sets the groups of the person with this number.
func (p *idp) put(number int, groups ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.groups["subject-"+strconv.Itoa(number)] = groups
}

// SetUserinfoFromToken implements op.Storage.
func (p *idp) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, tokenID, subject, origin string) error {
	if err := p.Storage.SetUserinfoFromToken(ctx, info, tokenID, subject, origin); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	info.AppendClaims("groups", p.groups[info.Subject])
	return nil
}
