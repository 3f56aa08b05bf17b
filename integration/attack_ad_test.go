//go:build integration && ad

package integration

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/samba"
)

// besieged is a domain, its administrator beside the gateway, and what gateways need.
type besieged struct {
	t      *testing.T
	domain *samba.Server
	admin  *ldap.Conn
	trust  *tls.Config
	dir    string
	bind   string
	secret string
	wire   *cutter
	url    string
	caFile string
}

func besiege(t *testing.T, entries string) *besieged {
	t.Helper()
	var b strings.Builder
	for _, ou := range []string{"people", "groups", "gone", "other"} {
		fmt.Fprintf(&b, "dn: OU=%s,DC=example,DC=org\nobjectClass: organizationalUnit\n\n", ou)
	}
	domain, err := samba.Start(t.Context(), samba.Config{Dir: t.TempDir(), Entries: b.String() + entries, Conf: []string{"old password allowed period = 0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = domain.Stop() })
	text, err := os.ReadFile(domain.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	l := &besieged{t: t, domain: domain, trust: &tls.Config{RootCAs: roots}, dir: t.TempDir(), bind: domain.AdminDN(), secret: domain.AdminPassword(), url: domain.URL(), caFile: domain.CAFile()}
	l.admin = l.dial()
	if err := l.admin.Bind(domain.AdminDN(), domain.AdminPassword()); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *besieged) dial() *ldap.Conn {
	conn, err := ldap.DialURL(l.domain.URL(), ldap.DialWithTLSConfig(l.trust))
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { conn.Close() })
	return conn
}

func (l *besieged) opens(name, password string) bool {
	conn := l.dial()
	defer conn.Close()
	err := conn.Bind(name, password)
	if err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		l.t.Fatal(err)
	}
	return err == nil
}

// cut puts a cutter between gateway and domain: TLS ends before it and begins behind it.
func (l *besieged) cut() {
	l.t.Helper()
	pipe := func(a, b net.Conn) {
		go func() { defer a.Close(); defer b.Close(); copyAll(a, b) }()
		go func() { defer a.Close(); defer b.Close(); copyAll(b, a) }()
	}
	back, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l.t.Fatal(err)
	}
	host := strings.TrimPrefix(l.domain.URL(), "ldaps://")
	serveConns(back, func(conn net.Conn) {
		to, err := tls.Dial("tcp", net.JoinHostPort(host, "636"), &tls.Config{RootCAs: l.trust.RootCAs, ServerName: host})
		if err != nil {
			conn.Close()
			return
		}
		pipe(conn, to)
	})
	l.wire = newCutter(l.t, back.Addr().String())
	l.caFile = filepath.Join(l.dir, "front.pem")
	certificate, err := selfSigned(l.caFile)
	if err != nil {
		l.t.Fatal(err)
	}
	front, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		l.t.Fatal(err)
	}
	serveConns(front, func(conn net.Conn) {
		to, err := net.Dial("tcp", l.wire.listener.Addr().String())
		if err != nil {
			conn.Close()
			return
		}
		pipe(conn, to)
	})
	l.t.Cleanup(func() { back.Close(); front.Close() })
	l.url = "ldaps://" + front.Addr().String()
}

func serveConns(from net.Listener, handle func(net.Conn)) {
	go func() {
		for {
			conn, err := from.Accept()
			if err != nil {
				return
			}
			go handle(conn)
		}
	}()
}

func copyAll(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

const plainUsers = `
      rdn: {ldap: cn, template: '{{ coalesce .displayName .userName }}', onCollision: suffix}
      attributes:
        - {scim: userName, ldap: userPrincipalName, required: true, unique: true}
        - {scim: externalId, ldap: msDS-cloudExtensionAttribute1, unique: true}
        - {scim: password, ldap: unicodePwd}
        - {scim: displayName, ldap: displayName}
        - {scim: name.familyName, ldap: sn}
        - {scim: title, ldap: title}
        - {scim: 'enterprise:manager.value', ldap: manager, reference: User}`

const plainGroups = `
    groups:
      base: OU=groups,DC=example,DC=org
      attributes:
        - {scim: displayName, ldap: cn, required: true, unique: true}
        - {scim: externalId, ldap: adminDisplayName, unique: true}
        - {scim: members, ldap: member, reference: [User, Group]}
      delete: remove`

// file writes a configuration.
func (l *besieged) file(base, users string) string {
	l.t.Helper()
	dir, err := os.MkdirTemp(l.dir, "gate")
	if err != nil {
		l.t.Fatal(err)
	}
	secret := filepath.Join(dir, "password")
	text := fmt.Sprintf(`server: {listen: 127.0.0.1:0, limits: {requestTimeout: 30s}}
admin: {listen: 127.0.0.1:0}
stateDir: %s/state
directories:
  corp:
    flavor: activeDirectory
    urls: [%q]
    bind: {dn: %q, passwordFile: %s}
    tls: {caFile: %s}
tenants:
  - name: okta
    directory: corp
    users:
      base: %s%s%s
`, dir, l.url, l.bind, secret, l.caFile, base, users, plainGroups)
	if os.WriteFile(secret, []byte(l.secret), 0o600) != nil || os.WriteFile(dir+"/scimgate.yaml", []byte(text), 0o600) != nil {
		l.t.Fatal("not written")
	}
	return dir + "/scimgate.yaml"
}

func (l *besieged) gate(config string) (*gate, *client) {
	l.t.Helper()
	g, err := startServe(l.t.Context(), config)
	if err != nil {
		l.t.Fatal(err)
	}
	g.endWith(l.t)
	g.token = makeToken(l.t, config, "okta")
	return g, g.client(l.t)
}

func (l *besieged) find(filter string) []*ldap.Entry {
	l.t.Helper()
	found, err := l.admin.Search(ldap.NewSearchRequest(l.domain.Suffix(), ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, nil, nil))
	if err != nil {
		l.t.Fatal(err)
	}
	return found.Entries
}

func (l *besieged) set(dn, attribute string, values ...string) {
	l.t.Helper()
	m := ldap.NewModifyRequest(dn, nil)
	m.Replace(attribute, values)
	if err := l.admin.Modify(m); err != nil {
		l.t.Fatal(err)
	}
}

func user(name string, changes ...object) object {
	o := object{"schemas": []string{userURN, enterpriseURN}, "userName": name}
	for _, c := range changes {
		for k, v := range c {
			o[k] = v
		}
	}
	return o
}

func opn(kind, path string, value any) object {
	o := object{"op": kind, "path": path}
	if value != nil {
		o["value"] = value
	}
	return o
}

// asAdministrator is a connection of the domain's administrator.
func asAdministrator(t *testing.T, domain *samba.Server) *ldap.Conn {
	t.Helper()
	text, err := os.ReadFile(domain.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	conn, err := ldap.DialURL(domain.URL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: roots}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.Bind(domain.AdminDN(), domain.AdminPassword()); err != nil {
		t.Fatal(err)
	}
	return conn
}
