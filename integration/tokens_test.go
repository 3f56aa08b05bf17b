//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// twice is one configuration that two gateways serve, in front of one directory.
type twice struct {
	gates  [2]*gate
	config string
}

// configure writes the configuration of a site with changes, which come in pairs of
// what is there and what takes its place.
func configure(t *testing.T, server server, changes ...string) (config string) {
	t.Helper()
	config = usual().write(t, t.TempDir(), server)
	raw, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			t.Fatalf("the configuration has no %q", changes[i])
		}
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config
}

// tokensKey changes what the tenant's tokens are bounded by.
func tokensKey(value string) []string {
	return []string{"    directory: corp\n", "    directory: corp\n    tokens: " + value + "\n"}
}

func serveTwice(t *testing.T, changes ...string) *twice {
	t.Helper()
	server := startHere(t, usual())
	w := &twice{config: configure(t, server, changes...)}
	for i := range w.gates {
		g, err := startServe(t.Context(), w.config)
		if err != nil {
			t.Fatal(err)
		}
		g.endWith(t)
		g.of(server, "")
		w.gates[i] = g
	}
	return w
}

// bearer is a client of a gateway with a token.
func bearer(t *testing.T, g *gate, token string) *client {
	return g.client(t).with("Authorization", "Bearer "+token)
}

// elsewhere is a client with an address that nobody else is likely to have.
func (c *client) elsewhere(t *testing.T) *client {
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, byte(1+rand.IntN(254)), byte(rand.IntN(256)), byte(1+rand.IntN(254)))}}
	other := *c
	other.http = &http.Client{Timeout: patience, Transport: &http.Transport{DialContext: from.DialContext}}
	t.Cleanup(other.http.CloseIdleConnections)
	return &other
}

// command runs a command about tokens that has to succeed, and returns what it
// printed.
func (w *twice) command(t *testing.T, args ...string) string {
	t.Helper()
	code, out, complaint := run(t, append([]string{"token", args[0], "--config", w.config, "--tenant", "okta"}, args[1:]...)...)
	if code != 0 {
		t.Fatalf("token %v: exit code %d\n%s", args, code, complaint)
	}
	return strings.TrimSpace(out)
}

// tokenID is the id that is part of a token.
func tokenID(token string) string { return strings.Split(token, "_")[1] }

// refusedWithinASecond wants that a request which begins more than a second after
// now is refused, whatever the machine is busy with, and that one is refused at all.
func refusedWithinASecond(t *testing.T, g *gate, token string) {
	t.Helper()
	since := time.Now()
	c := bearer(t, g, token)
	eventually(t, "the token is refused", func() bool {
		began := time.Now()
		a, err := c.try("GET", "/ServiceProviderConfig", nil)
		if err != nil {
			t.Fatal(err)
		}
		if late := began.Sub(since); a.status == http.StatusOK && late > time.Second {
			t.Errorf("the token opens %s after it was ended", late)
		}
		return a.status == http.StatusUnauthorized
	})
}

// What a command does holds in every gateway that shares the folder.
func TestChangesOfTokensReachEveryGateway(t *testing.T) {
	t.Parallel()
	w := serveTwice(t)
	// A new token is good with the first request, though each gateway has looked a
	// moment ago.
	for range 3 {
		for _, g := range w.gates {
			bearer(t, g, "scimgate_0_0").get("/Users").wantError(http.StatusUnauthorized, "")
		}
		token := w.command(t, "create")
		for _, g := range w.gates {
			bearer(t, g, token).get("/Users").want(http.StatusOK)
		}
		w.command(t, "revoke", tokenID(token))
		for _, g := range w.gates {
			refusedWithinASecond(t, g, token)
		}
	}
	first, second := w.command(t, "create", "--label", "first"), w.command(t, "create")
	code, out, complaint := run(t, "token", "create", "--config", w.config)
	if code != 1 || out != "" || !strings.Contains(complaint, "okta has 2 and may have 2; revoke one, or create with --replace") {
		t.Errorf("exit code %d, %q, %q", code, out, complaint)
	}
	code, out, complaint = run(t, "token", "create", "--config", w.config, "--replace", "--expires", "90d")
	third := strings.TrimSpace(out)
	if code != 0 || !strings.Contains(complaint, tokenID(first)+" is not good any more") || !strings.Contains(complaint, tokenID(second)+" is not good any more") {
		t.Errorf("exit code %d, %q, %q", code, out, complaint)
	}
	for _, g := range w.gates {
		bearer(t, g, third).get("/Users").want(http.StatusOK)
		refusedWithinASecond(t, g, first)
		refusedWithinASecond(t, g, second)
	}
	var list struct {
		Tokens []struct {
			ID       string
			DaysLeft int
			Ending   bool
		}
	}
	if err := json.Unmarshal([]byte(w.command(t, "list", "--json")), &list); err != nil || len(list.Tokens) != 1 ||
		list.Tokens[0].ID != tokenID(third) || list.Tokens[0].DaysLeft != 89 || list.Tokens[0].Ending {
		t.Errorf("%v: %+v", err, list)
	}
	for flags, want := range map[string]string{
		"--expires 0h": "is over before it begins", "--expires -5m": "is over before it begins",
		"--expires 5": "has no unit", "--label a\nb": "one line", "--expires x": "is not a duration",
	} {
		flag, value, _ := strings.Cut(flags, " ")
		if code, out, complaint := run(t, "token", "create", "--config", w.config, flag, value); code != 2 || out != "" || !strings.Contains(complaint, want) {
			t.Errorf("%q: exit code %d, %q, %q", flags, code, out, complaint)
		}
	}
	if code, _, complaint := run(t, "token", "revoke", "abc", "--config", w.config); code != 1 || !strings.Contains(complaint, `none with the id "abc"`) {
		t.Errorf("exit code %d, %q", code, complaint)
	}
}

// A tenant can have one token at a time by habit.
func TestATenantWhoseTokensReplaceEachOther(t *testing.T) {
	t.Parallel()
	w := serveTwice(t, tokensKey("{max: 1, replace: true}")...)
	first := w.command(t, "create")
	second := w.command(t, "create")
	for _, g := range w.gates {
		bearer(t, g, second).get("/Users").want(http.StatusOK)
		refusedWithinASecond(t, g, first)
	}
	if code, out, _ := run(t, "token", "create", "--config", w.config, "--replace=false"); code != 1 || out != "" {
		t.Errorf("exit code %d, %q: a second one beside the first", code, out)
	}
}

// When a token was used last is kept apart, by both gateways; the newest counts. A
// token close to its end is warned of at start.
func TestLastUseAndEndOfTokens(t *testing.T) {
	t.Parallel()
	server := startHere(t, usual())
	config := configure(t, server, tokensKey("{max: 3, warn: 60d}")...)
	used, unused := makeToken(t, config, "okta", "--label", "used"), makeToken(t, config, "okta")
	short := makeToken(t, config, "okta", "--expires", "20h") // and new, so that its end is no news
	folder := filepath.Join(filepath.Dir(config), "state")
	age(t, filepath.Join(folder, "tokens", "okta.json"), used, 340*24*time.Hour)
	var last [2]time.Time
	for i := range last {
		g, err := startServe(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			bearer(t, g, used).get("/Users").want(http.StatusOK)
		}
		last[i] = time.Now()
		if err := g.stop(); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(g.log.String(), "a token is close to its end"); n != 1 || !strings.Contains(g.log.String(), `"token":"`+tokenID(used)+`","expires":`) {
			t.Errorf("%d warnings:\n%s", n, g.log)
		}
	}
	code, out, complaint := run(t, "token", "list", "--config", config, "--json")
	var list struct {
		Tokens []struct {
			ID       string
			LastUsed *time.Time
			Ending   bool
		}
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 {
		t.Fatal(code, err, out, complaint)
	}
	seen := 0
	for _, token := range list.Tokens {
		switch token.ID {
		case tokenID(used):
			seen++
			if token.LastUsed == nil || token.LastUsed.Before(last[0].Truncate(time.Second)) || token.LastUsed.After(last[1]) || !token.Ending {
				t.Errorf("%+v, used until %s", token, last[1])
			}
		case tokenID(unused):
			seen++
			if token.LastUsed != nil || token.Ending {
				t.Errorf("%+v", token)
			}
		case tokenID(short):
			if token.Ending {
				t.Errorf("%+v", token)
			}
		default:
			t.Errorf("%+v is nobody's", token)
		}
	}
	if seen != 2 {
		t.Errorf("%s", out)
	}
	_, out, complaint = run(t, "token", "list", "--config", config)
	if !strings.Contains(out, "days (!)") || !strings.Contains(out, "never") || !strings.Contains(complaint, "warning: token "+tokenID(used)+" ends on ") {
		t.Errorf("%s\n%s", out, complaint)
	}
}

// age makes a token as old as if it had been made earlier.
func age(t *testing.T, path, token string, by time.Duration) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tokens []map[string]any `json:"tokens"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(file.Tokens, func(one map[string]any) bool { return one["id"] == tokenID(token) })
	for _, key := range []string{"created", "expires"} {
		at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(file.Tokens[i][key]))
		if err != nil {
			t.Fatal(err)
		}
		file.Tokens[i][key] = at.Add(-by)
	}
	if raw, err = json.Marshal(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A gateway whose folder cannot be written serves, and complains once.
func TestUsesThatCannotBeKept(t *testing.T) {
	t.Parallel()
	g := serve(t, usual())
	if err := os.WriteFile(filepath.Join(filepath.Dir(g.config), "state", "used"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := g.client(t)
	c.get("/Users").want(http.StatusOK)
	eventually(t, "the gateway complains", func() bool { return strings.Contains(g.log.String(), "cannot be kept in stateDir") })
	for range 20 {
		c.get("/Users").want(http.StatusOK)
	}
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(g.log.String(), "cannot be kept in stateDir"); n != 1 {
		t.Errorf("%d complaints:\n%s", n, g.log)
	}
	code, out, complaint := run(t, "token", "list", "--config", g.config)
	if code != 0 || !strings.Contains(out, tokenID(g.token)) || !strings.Contains(complaint, "warning: when tokens were used last cannot be read") {
		t.Errorf("exit code %d, %s\n%s", code, out, complaint)
	}
}

// Tokens can come from a secret that somebody else mounts, and exchanges the way
// Kubernetes does.
func TestTokensOfAMountedSecret(t *testing.T) {
	t.Parallel()
	server := startHere(t, usual())
	volume := t.TempDir()
	path := filepath.Join(volume, "okta.json")
	config := configure(t, server, tokensKey("{file: "+path+"}")...)
	// As an operator does it: in a file of their own, which becomes the secret.
	draft := filepath.Join(t.TempDir(), "okta.json")
	version := 0
	mount := func() {
		t.Helper()
		version++
		name := fmt.Sprint("..2026_", version)
		raw, err := os.ReadFile(draft)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(volume, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(volume, name, "okta.json"), raw, 0o400); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(name, filepath.Join(volume, "..data_tmp")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(volume, "..data_tmp"), filepath.Join(volume, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	g, err := startServe(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	g.endWith(t)
	if !strings.Contains(g.log.String(), "the token file of tokens.file is not there") {
		t.Error("the gateway does not say that its token file is missing")
	}
	first := makeToken(t, config, "okta", "--file", draft)
	mount()
	if err := os.Symlink("..data/okta.json", path); err != nil {
		t.Fatal(err)
	}
	bearer(t, g, first).get("/Users").want(http.StatusOK)
	second := makeToken(t, config, "okta", "--file", draft, "--replace")
	bearer(t, g, first).get("/Users").want(http.StatusOK)
	mount()
	bearer(t, g, second).get("/Users").want(http.StatusOK)
	refusedWithinASecond(t, g, first)

	for _, args := range [][]string{{"create"}, {"create", "--replace"}, {"revoke", tokenID(second)}} {
		code, out, complaint := run(t, append([]string{"token", args[0], "--config", config}, args[1:]...)...)
		if code != 2 || out != "" || !strings.Contains(complaint, "scimgate token "+args[0]+" --file FILE") || !strings.Contains(complaint, path) {
			t.Errorf("%v: exit code %d, %q, %q", args, code, out, complaint)
		}
	}
	eventually(t, "the list shows the use", func() bool {
		code, out, complaint := run(t, "token", "list", "--config", config)
		if code != 0 || !strings.Contains(out, tokenID(second)) || strings.Contains(out, tokenID(first)) {
			t.Fatalf("exit code %d, %s\n%s", code, out, complaint)
		}
		return !strings.Contains(out, "never")
	})
	if entries, err := os.ReadDir(volume); err != nil || len(entries) != version+2 {
		t.Errorf("the gateway has left something in the volume: %v, %v", entries, err)
	}
	code, out, _ := run(t, "token", "revoke", tokenID(second), "--config", config, "--file", draft)
	if code != 0 || out != "" {
		t.Errorf("exit code %d, %q", code, out)
	}
	mount()
	refusedWithinASecond(t, g, second)
}
