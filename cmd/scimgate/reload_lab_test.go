//go:build integration

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"scimgate/internal/slapd"
	"scimgate/internal/token"
)

// patience is far beyond what anything takes and decides nothing but a hang.
const patience = 4 * time.Minute

// workshop is a running gateway whose configuration a test changes, with the wire
// to its OpenLDAP in between.
type workshop struct {
	*testing.T
	dir, file string
	server    *slapd.Server
	wire      *wire
	process   *process
	hangUp    chan os.Signal
	log       *observer.ObservedLogs
	at        addresses
	scheme    string
	client    *http.Client
	tokens    map[string]string // by tenant
}

// newWorkshop runs a directory; start runs the gateway.
func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	dir := t.TempDir()
	server, err := slapd.Start(t.Context(), slapd.Config{Dir: filepath.Join(dir, "slapd"), Overlays: []string{"ppolicy"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	w := &workshop{
		T: t, dir: dir, file: filepath.Join(dir, "etc", "scimgate.yaml"), server: server, wire: newWire(t, server.Addr()),
		hangUp: make(chan os.Signal, 1), scheme: "http", client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}},
		tokens: map[string]string{},
	}
	t.Cleanup(w.client.CloseIdleConnections)
	w.must(os.Mkdir(filepath.Dir(w.file), 0o700))
	w.put("password", server.AdminPassword())
	for _, name := range []string{"one", "two"} {
		w.tokens[name], _, err = token.Open(w.path("state"), name).Create(time.Now(), time.Hour, 1, "test")
		w.must(err)
	}
	return w
}

func (w *workshop) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *workshop) path(name string) string { return filepath.Join(w.dir, name) }

// put replaces a file as editors do.
func (w *workshop) put(name, content string) {
	w.Helper()
	temporary := w.path(name) + "~"
	w.must(os.WriteFile(temporary, []byte(content), 0o600))
	w.must(os.Rename(temporary, w.path(name)))
}

// site is what a test's configuration says.
type site struct {
	url, password string // of the directory; the name of a file
	directory     string // more about the directory
	server        string // more about the listener
	state         string
	tenants       []string
}

func (w *workshop) site(tenants ...string) site {
	return site{url: "ldap://" + w.wire.address(), password: "password", state: "state", tenants: tenants}
}

// tenantOf is a tenant with the usual rules of a person and more.
func declaredTenant(name string, more ...string) string {
	text := `
  - name: ` + name + `
    directory: corp
    basePath: /` + name + `
    users:
      base: ou=people,dc=example,dc=org
      stableKey: externalId
      attributes:
        - {scim: userName, ldap: uid, required: true, unique: true}
        - {scim: externalId, ldap: scimExternalId, unique: true}
        - {scim: name.familyName, ldap: sn, default: '{{ .userName }}'}
        - {ldap: cn, template: '{{ .userName }}'}`
	for _, rule := range more {
		text += "\n        - " + rule
	}
	return text
}

func (s site) text(w *workshop) string {
	return fmt.Sprintf(`
server:
  listen: 127.0.0.1:0
%s
admin: {listen: 127.0.0.1:0}
stateDir: %q
directories:
  corp:
    urls: [%q]
    bind: {dn: %q, passwordFile: %q}
    %s
tenants:%s
`, s.server, w.path(s.state), s.url, w.server.AdminDN(), w.path(s.password), s.directory, strings.Join(s.tenants, ""))
}

// write replaces the configuration file.
func (w *workshop) write(s site) {
	w.Helper()
	w.put("etc/scimgate.yaml", s.text(w))
}

// start runs the gateway with the file until the test ends.
func (w *workshop) start() {
	w.Helper()
	core, logs := observer.New(zap.InfoLevel)
	w.log = logs
	source := newSource(w.file)
	cfg, _, err := source.read()
	w.must(err)
	ctx, stop := context.WithCancel(context.Background())
	w.process, err = begin(ctx, cfg, zap.New(unheard{core}))
	w.must(err)
	listens, ended := make(chan addresses, 1), make(chan error, 1)
	go func() {
		err := w.process.serveFile(ctx, source, w.hangUp, func(a addresses) { listens <- a })
		w.process.end()
		ended <- err
	}()
	select {
	case w.at = <-listens:
	case err := <-ended:
		w.Fatal(err)
	}
	w.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			w.Error(err)
		}
		if w.Failed() {
			for _, e := range w.log.All() {
				if e.Message != "request" {
					w.Log(e.Level, e.Message, e.ContextMap())
				}
			}
		}
	})
}

// unheard keeps no line of a request that went well: there are many.
type unheard struct{ zapcore.Core }

func (u unheard) With(fields []zap.Field) zapcore.Core { return unheard{u.Core.With(fields)} }

func (u unheard) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if e.Message == "request" && e.Level < zap.ErrorLevel {
		return to
	}
	return u.Core.Check(e, to)
}

// trust has the clients of the gateway speak TLS.
func (w *workshop) trust(config *tls.Config) {
	w.scheme, w.client.Transport = "https", &http.Transport{TLSClientConfig: config}
}

const (
	reloaded = "the configuration was reloaded"
	notTaken = "the configuration is not taken; the one before stays in force"
	late     = "this key takes effect when the gateway is started again; the rest of the configuration is in force"
)

// outcome waits for one more reload by a changed file than there were, and returns
// its line.
func (w *workshop) outcome(message string, change func()) observer.LoggedEntry {
	w.Helper()
	return w.outcomeBy("file", message, change)
}

// signalled replaces the file and asks for it to be read again. A busy machine may
// read it because it has changed before it is asked.
func (w *workshop) signalled(message, content string) observer.LoggedEntry {
	w.Helper()
	return w.outcomeBy("signal", message, func() {
		w.put("etc/scimgate.yaml", content)
		w.hangUp <- syscall.SIGHUP
	})
}

func (w *workshop) outcomeBy(reason, message string, change func()) observer.LoggedEntry {
	w.Helper()
	outcomes := func() []observer.LoggedEntry {
		return w.log.FilterMessage(message).FilterField(zap.String("reason", reason)).All()
	}
	before := len(outcomes())
	change()
	w.eventually(message, func() bool { return len(outcomes()) > before })
	all := outcomes()
	return all[len(all)-1]
}

func (w *workshop) eventually(what string, holds func() bool) {
	w.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// reload asks for the file to be read again and wants it taken.
func (w *workshop) reload(s site) {
	w.Helper()
	w.signalled(reloaded, s.text(w))
}

// refuse is reload for a file that must not be taken; it returns the faults.
func (w *workshop) refuse(content string) string {
	w.Helper()
	return faultsIn(w.signalled(notTaken, content).ContextMap())
}

func faultsIn(line map[string]any) string { return fmt.Sprint(line["faults"]) }

// send sends a request to a tenant and returns status and answer; 0 without one.
func (w *workshop) send(method, tenant, path string, body any) (int, map[string]any) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, map[string]any{"error": err.Error()}
	}
	r, err := http.NewRequest(method, w.scheme+"://"+w.at.SCIM+"/"+tenant+path, bytes.NewReader(text))
	if err != nil {
		return 0, map[string]any{"error": err.Error()}
	}
	r.Header.Set("Authorization", "Bearer "+w.tokens[tenant])
	r.Header.Set("Content-Type", "application/scim+json")
	a, err := w.client.Do(r)
	if err != nil {
		return 0, map[string]any{"error": err.Error()}
	}
	defer a.Body.Close()
	content, err := io.ReadAll(a.Body)
	if err != nil {
		return 0, map[string]any{"error": err.Error()}
	}
	var answer map[string]any
	_ = json.Unmarshal(content, &answer) // an answer may be empty
	return a.StatusCode, answer
}

// want is send for a status.
func (w *workshop) want(status int, method, tenant, path string, body any) map[string]any {
	w.Helper()
	got, answer := w.send(method, tenant, path, body)
	if got != status {
		w.Fatalf("%s /%s%s: %d %v, want %d", method, tenant, path, got, answer, status)
	}
	return answer
}

// create makes a person and returns its id.
func (w *workshop) create(tenant, name string, more ...string) string {
	w.Helper()
	body := map[string]any{"userName": name}
	for i := 0; i < len(more); i += 2 {
		body[more[i]] = more[i+1]
	}
	id, _ := w.want(http.StatusCreated, "POST", tenant, "/Users", body)["id"].(string)
	return id
}

// ready and metrics return what the administrator's listener says.
func (w *workshop) ready() string   { return w.told("/readyz") }
func (w *workshop) metrics() string { return w.told("/metrics") }

func (w *workshop) told(path string) string {
	w.Helper()
	a, err := http.Get("http://" + w.at.Admin + path)
	w.must(err)
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	w.must(err)
	return string(text)
}

// wire passes connections on to the directory, counts them, and can stand still.
type wire struct {
	listener net.Listener
	target   string
	flow     sync.RWMutex // held while nothing passes
	waiting  atomic.Int64 // what would pass

	mu         sync.Mutex
	open, ever int
}

func newWire(t *testing.T, target string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: listener, target: target}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go w.pass(conn)
		}
	}()
	return w
}

func (w *wire) address() string { return w.listener.Addr().String() }

// connections are those that there are, and those that there ever were.
func (w *wire) connections() (open, ever int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open, w.ever
}

func (w *wire) count(open, ever int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open, w.ever = w.open+open, w.ever+ever
}

func (w *wire) pass(from net.Conn) {
	w.count(1, 1)
	defer w.count(-1, 0)
	defer from.Close()
	to, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	defer to.Close()
	var both sync.WaitGroup
	both.Go(func() {
		_, err := io.Copy(to, still{from, w})
		_ = errors.Join(err, to.Close())
	})
	both.Go(func() {
		_, err := io.Copy(from, to)
		_ = errors.Join(err, from.Close())
	})
	both.Wait()
}

// still is a reader that waits while the wire stands still.
type still struct {
	io.Reader
	wire *wire
}

func (s still) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	s.wire.waiting.Add(1)
	defer s.wire.waiting.Add(-1)
	s.wire.flow.RLock()
	defer s.wire.flow.RUnlock()
	return n, err
}
