//go:build integration

package main

import (
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scimgate/internal/testcert"
)

// certificate makes a certificate for loopback.
func (w *workshop) certificate(serial int64) (certificate, key []byte) {
	made := testcert.NewAuthority("test").Issue(&x509.Certificate{
		SerialNumber: big.NewInt(serial), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	})
	return made.CertPEM(), made.KeyPEM()
}

// shown is the serial number of the certificate that a new connection is shown.
func (w *workshop) shown() int64 {
	w.Helper()
	conn, err := tls.Dial("tcp", w.at.SCIM, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // it is looked at here
	w.must(err)
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// A certificate is put in place of another as it is renewed by hand, file by file:
// new connections get it, those that there are go on.
func TestCertificateIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	first, firstKey := w.certificate(1)
	w.put("tls.crt", string(first))
	w.put("tls.key", string(firstKey))
	s := w.site(declaredTenant("one"))
	s.server = "  tls: {certFile: ../tls.crt, keyFile: ../tls.key}"
	w.write(s)
	w.start()
	w.trust(&tls.Config{InsecureSkipVerify: true}) //nolint:gosec // who is shown which one is looked at beside
	w.want(http.StatusOK, "GET", "one", "/Users", nil)
	if got := w.shown(); got != 1 {
		t.Fatalf("the first certificate is %d", got)
	}
	second, secondKey := w.certificate(2)
	w.outcome(reloaded, func() {
		w.put("tls.crt", string(second))
		w.put("tls.key", string(secondKey))
	})
	w.eventually("the second certificate", func() bool { return w.shown() == 2 })
	w.want(http.StatusOK, "GET", "one", "/Users", nil)

	// A key that does not belong to it leaves the one before in force.
	line := w.outcome(notTaken, func() { w.put("tls.key", string(firstKey)) })
	if faults, _ := line.ContextMap()["faults"].([]any); len(faults) != 1 || !strings.Contains(faults[0].(string), ": server.tls.certFile: cannot be used with the key") {
		t.Errorf("the log has %v", line.ContextMap())
	}
	if got := w.shown(); got != 2 {
		t.Errorf("the certificate is %d", got)
	}
	// Switched off is switched off with the next start.
	w.outcome(reloaded, func() { w.write(w.site(declaredTenant("one"), declaredTenant("two"))) })
	if got := w.shown(); got != 2 {
		t.Errorf("the certificate is %d", got)
	}
	w.want(http.StatusOK, "GET", "two", "/Users", nil)
	if told := w.log.FilterMessage(late).All(); len(told) != 1 || !strings.Contains(told[0].ContextMap()["key"].(string), "server.tls: the listener speaks TLS until then") {
		t.Errorf("the log has %v", told)
	}
}

// mount makes a folder as Kubernetes does for a secret: every file is a link
// through ..data, which links to a folder with the contents.
type mount struct {
	w      *workshop
	folder string
	turn   int
}

// exchange replaces all contents in one step, and takes the old ones away.
func (m *mount) exchange(contents map[string]string) {
	w := m.w
	w.Helper()
	old, err := os.Readlink(filepath.Join(m.folder, "..data"))
	m.turn++
	made := "..turn" + string(rune('a'+m.turn))
	w.must(os.MkdirAll(filepath.Join(m.folder, made), 0o700))
	for name, content := range contents {
		w.must(os.WriteFile(filepath.Join(m.folder, made, name), []byte(content), 0o600))
		if err != nil { // the first time
			w.must(os.Symlink(filepath.Join("..data", name), filepath.Join(m.folder, name)))
		}
	}
	w.must(os.Symlink(made, filepath.Join(m.folder, "..data_tmp")))
	w.must(os.Rename(filepath.Join(m.folder, "..data_tmp"), filepath.Join(m.folder, "..data")))
	if err == nil {
		w.must(os.RemoveAll(filepath.Join(m.folder, old)))
	}
}

// Files are followed however they are exchanged: through the links of a mounted
// secret, by a new file under the name, or in place. The configuration is one
// such mount, what it names is another.
func TestFilesAreFollowed(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.must(os.Mkdir(w.path("config"), 0o700))
	w.must(os.Mkdir(w.path("secret"), 0o700))
	config, secret := &mount{w: w, folder: w.path("config")}, &mount{w: w, folder: w.path("secret")}
	crt, key := w.certificate(1)
	secret.exchange(map[string]string{"tls.crt": string(crt), "tls.key": string(key), "password": w.server.AdminPassword()})
	s := w.site(declaredTenant("one"))
	s.password, s.server = "secret/password", "  tls: {certFile: ../secret/tls.crt, keyFile: ../secret/tls.key}"
	config.exchange(map[string]string{"scimgate.yaml": s.text(w)})
	w.file = filepath.Join(config.folder, "scimgate.yaml")
	w.start()
	w.trust(&tls.Config{InsecureSkipVerify: true}) //nolint:gosec // who is shown which one is looked at beside

	for turn := range 3 { // the folders that are watched are others each time
		serial := int64(2 + turn)
		crt, key := w.certificate(serial)
		w.outcome(reloaded, func() {
			secret.exchange(map[string]string{"tls.crt": string(crt), "tls.key": string(key), "password": w.server.AdminPassword()})
		})
		if got := w.shown(); got != serial {
			t.Errorf("turn %d: the certificate is %d", turn, got)
		}
		want := http.StatusNotFound
		s.tenants = []string{declaredTenant("one")}
		if turn%2 == 0 {
			s.tenants, want = append(s.tenants, declaredTenant("two")), http.StatusOK
		}
		w.outcome(reloaded, func() { config.exchange(map[string]string{"scimgate.yaml": s.text(w)}) })
		w.want(want, "GET", "two", "/Users", nil)
	}
	// In place, as > in a shell does, with a moment in which the file is empty.
	s.tenants = []string{declaredTenant("one")}
	w.outcome(reloaded, func() { w.must(os.WriteFile(filepath.Join(config.folder, "scimgate.yaml"), []byte(s.text(w)), 0o600)) })
	w.want(http.StatusNotFound, "GET", "two", "/Users", nil)
}

// However many changes come and however fast, the last one is in force in the end.
func TestLastContentWins(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	one, both := w.site(declaredTenant("one")), w.site(declaredTenant("one"), declaredTenant("two"))
	w.write(one)
	w.start()
	for turn := range 50 {
		s := one
		if turn%2 == 1 {
			s = both
		}
		if turn%3 == 0 {
			w.put("etc/scimgate.yaml", "tenants: [")
		}
		w.write(s)
	}
	w.eventually("the last content", func() bool {
		status, _ := w.send("GET", "two", "/Users", nil)
		return status == http.StatusOK
	})
}
