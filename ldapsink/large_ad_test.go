//go:build ad && !ds389

package ldapsink

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scimgate/internal/adproxy"
	"scimgate/internal/directory"
	"scimgate/internal/samba"
	"scimgate/internal/testcert"
)

// capped starts a directory that limits its answers as a domain controller does,
// with n people in OU=people, and returns the configuration to reach it.
func capped(t *testing.T, n int) Config {
	t.Helper()
	var entries strings.Builder
	entries.WriteString("dn: OU=people,DC=example,DC=org\nobjectClass: organizationalUnit\n\ndn: OU=groups,DC=example,DC=org\nobjectClass: organizationalUnit\n\n")
	for i := range n {
		fmt.Fprintf(&entries, "dn: CN=p%04d,OU=people,DC=example,DC=org\nobjectClass: user\nsAMAccountName: p%04d\nadminDescription: scimgate:active {}\nextensionName: okta\n\n", i, i)
	}
	server, err := samba.Start(t.Context(), samba.Config{Dir: t.TempDir(), Entries: entries.String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	trusted, err := os.ReadFile(server.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(trusted)
	certificate, ca := testcert.SelfSigned("127.0.0.1"), filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, certificate.CertPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(server.URL(), "ldaps://")
	proxy, err := adproxy.Start("127.0.0.1", certificate.TLS(), func() (net.Conn, error) {
		return tls.Dial("tcp", net.JoinHostPort(host, "636"), &tls.Config{RootCAs: roots, ServerName: host})
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := proxy.Stop(); err != nil {
			t.Error(err)
		}
	})
	return Config{Flavor: activeDirectory, URLs: []string{proxy.URL()}, TLS: TLS{CAFile: ca},
		Bind: Bind{DN: server.AdminDN(), Password: server.AdminPassword()}}
}

// A group of 5,000 behind the limits of a domain controller is listed whole,
// grown by one and shrunk by one; so are the 5,002 people that it is made of.
func TestLongListsBehindTheLimitsOfAD(t *testing.T) {
	const n = 5000
	sink := open(t, capped(t, n+2))
	marker := directory.Collection{Source: "okta", StateAttribute: "adminDescription", SourceAttribute: "extensionName", Naming: "cn"}
	people, groups := marker, marker
	people.Base, people.ObjectClasses, people.Attributes = "OU=people,DC=example,DC=org", []string{"user"}, []string{"sAMAccountName"}
	groups.Base, groups.ObjectClasses, groups.Attributes, groups.Member = "OU=groups,DC=example,DC=org", []string{"group"}, []string{"cn", "member"}, "member"

	all, err := sink.Store(people).Search(t.Context(), directory.Query{Places: true, Attributes: []string{}})
	if err != nil || len(all) != n+2 {
		t.Fatalf("%d places, %v", len(all), err)
	}
	unpaged, err := sink.Store(people).Search(t.Context(), directory.Query{})
	if err != nil || len(unpaged) != n+2 {
		t.Fatalf("%d people without a word that they are many, %v", len(unpaged), err)
	}
	if _, err := sink.Store(people).Search(t.Context(), directory.Query{Limit: n}); !directory.Is(err, directory.TooMany) {
		t.Errorf("a limit of %d: %v", n, err)
	}
	var members []string
	for _, e := range all[:n] {
		members = append(members, e.DN)
	}
	st := sink.Store(groups)
	group, err := st.Add(t.Context(), directory.NewEntry{Name: "all", Attributes: directory.Attributes{"cn": {"all"}, "member": members},
		Marker: directory.Marker{Source: "okta", State: directory.Active, Request: "r1"}})
	if err != nil {
		t.Fatal(err)
	}
	holds := func(when string, want []string) {
		t.Helper()
		found, err := st.Search(t.Context(), directory.Query{Filter: directory.Eq(directory.AttrID, group.ID)})
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %v, %v", when, len(found), err)
		}
		got := found[0].Attributes["member"]
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d members, wanted %d", when, len(got), len(want))
		}
	}
	if got := len(group.Attributes["member"]); got != n {
		t.Errorf("the answer to the create has %d members", got)
	}
	holds("created", slices.Clone(members))
	if err := st.ChangeMembers(t.Context(), group.ID, "", directory.MemberChange{Add: []string{all[n].DN}}); err != nil {
		t.Fatal(err)
	}
	holds("grown", append(slices.Clone(members), all[n].DN))
	if err := st.ChangeMembers(t.Context(), group.ID, "", directory.MemberChange{Remove: []string{all[0].DN}}); err != nil {
		t.Fatal(err)
	}
	holds("shrunk", append(slices.Clone(members[1:]), all[n].DN))
}
