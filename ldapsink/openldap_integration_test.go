//go:build integration && !ad && !ds389

package ldapsink

import (
	"fmt"
	"slices"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
	"scimgate/internal/slapd"
)

// A search that exceeds the directory's limit says so instead of returning less.
func TestSizeLimitIsTooMany(t *testing.T) {
	server := serve(t, slapd.Config{
		Access:       []string{"to * by * write"},
		Entries:      "dn: cn=limited,dc=example,dc=org\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: limited\nuserPassword: limited\n\n",
		DatabaseConf: []string{`limits dn.exact="cn=limited,dc=example,dc=org" size=3`},
	})
	cfg := configured(server)
	cfg.Bind = Bind{"cn=limited,dc=example,dc=org", "limited"}
	store := open(t, cfg).Store(users())
	for _, uid := range []string{"a", "b", "c", "d"} {
		add(t, store, person(uid))
	}
	_, err := store.Search(t.Context(), directory.Query{})
	wantKind(t, err, directory.TooMany)
}

// The overlays that directories commonly have do not stand in the way of any write.
func TestEveryWriteWorksWithOverlays(t *testing.T) {
	server, sink := started(t, "ppolicy", "memberof", "refint", "unique")
	people, groups, conn := sink.Store(users()), sink.Store(crowds()), raw(t, server)
	bob := add(t, people, person("bob", "mail", "b@example.org", "userPassword", "first secret"))
	g := add(t, groups, crowd("g"))
	if err := groups.ChangeMembers(t.Context(), g.ID, "", directory.MemberChange{Add: []string{bob.DN}}); err != nil {
		t.Fatal(err)
	}
	now, err := people.Update(t.Context(), the(t, people, bob.ID), directory.Change{Marker: active("lock"), Mods: []directory.Mod{
		{Op: directory.ModReplace, Attribute: "userPassword", Values: []string{"second secret"}},
		{Op: directory.ModReplace, Attribute: "pwdAccountLockedTime", Values: []string{"000001010000Z"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	now, err = people.Update(t.Context(), now, directory.Change{Name: "robert", Marker: active("rename"),
		Mods:   directory.Diff(directory.Attributes{"mail": {"b@example.org"}}, directory.Attributes{"mail": {"r@example.org"}}),
		Unlock: []directory.Mod{{Op: directory.ModDelete, Attribute: "pwdAccountLockedTime"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := readRaw(t, conn, g.DN, "member"); !slices.Equal(got, []string{now.DN}) {
		t.Errorf("members %q", got)
	}
	if got := readRaw(t, conn, now.DN, "memberOf"); !slices.Equal(got, []string{g.DN}) {
		t.Errorf("member of %q", got)
	}
	group, err := groups.Update(t.Context(), the(t, groups, g.ID), directory.Change{Name: "g2", Marker: active("rename")})
	if err != nil {
		t.Fatal(err)
	}
	if err := groups.ChangeMembers(t.Context(), g.ID, group.Version, directory.MemberChange{Remove: []string{now.DN}}); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{people.Remove(t.Context(), the(t, people, bob.ID)), groups.Remove(t.Context(), the(t, groups, g.ID))} {
		if err != nil {
			t.Error(err)
		}
	}
}

// An account that may see no more than the tenant's own places can still add
// people, and still nobody inherits a membership there.
func TestAnAccountThatSeesOnlyItsOwnPlaces(t *testing.T) {
	const account = "cn=service,dc=example,dc=org"
	server := serve(t, slapd.Config{
		Entries: "dn: " + account + "\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: service\nuserPassword: secret\n",
		Access: []string{
			`to attrs=userPassword by anonymous auth by * none`,
			`to dn.subtree="` + people + `" by dn.exact="` + account + `" write by * none`,
			`to dn.subtree="` + groups + `" by dn.exact="` + account + `" write by * none`,
			`to * by anonymous auth by * none`,
		},
	})
	cfg := configured(server)
	cfg.Bind = Bind{DN: account, Password: "secret"}
	sink := open(t, cfg)
	ctx := within(t, time.Minute)
	people, crowds := sink.Store(members(users())), sink.Store(members(crowds()))
	ann, err := people.Add(ctx, person("ann"))
	if err != nil {
		t.Fatal(err)
	}
	ghost := Name("uid", "ghost", users().Base)
	for _, name := range []string{"alone", "pair"} {
		e := crowd(name, ghost)
		if name == "pair" {
			e = crowd(name, ghost, ann.DN)
		}
		if _, err := crowds.Add(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := people.Add(ctx, person("ghost")); err != nil {
		t.Fatal(err)
	}
	found, err := crowds.Search(ctx, directory.Query{Filter: directory.Eq("member", ghost)})
	if err != nil || len(found) > 0 {
		t.Errorf("the newcomer is in %v, %v", found, err)
	}
}

// A search that is told how many are too many gets no more, and a server whose
// own limit is lower is no obstacle to a search that finds few.
func TestSearchLimits(t *testing.T) {
	const account = "cn=service,dc=example,dc=org"
	server := serve(t, slapd.Config{
		Entries:      "dn: " + account + "\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: service\nuserPassword: secret\n",
		Access:       []string{"to attrs=userPassword by * auth", `to * by dn.exact="` + account + `" read`},
		DatabaseConf: []string{`limits dn.exact="` + account + `" size.soft=3 size.hard=6`},
	})
	admin := open(t, configured(server)).Store(users())
	for i := range 8 {
		if _, err := admin.Add(t.Context(), person(fmt.Sprintf("p%d", i), "description", fmt.Sprint(i/2))); err != nil {
			t.Fatal(err)
		}
	}
	cfg := configured(server)
	cfg.Bind = Bind{DN: account, Password: "secret"}
	st := open(t, cfg).Store(users())
	two := directory.Eq("description", "1")
	six := directory.NotOf(directory.Eq("description", "3"))
	for _, tc := range []struct {
		name  string
		store directory.Store
		f     directory.Filter
		limit int
		want  int // -1 = TooMany
	}{
		{"within", admin, two, 2, 2}, {"no limit", admin, directory.Filter{}, 0, 8}, {"exactly", admin, directory.Filter{}, 8, 8}, {"one too many", admin, directory.Filter{}, 7, -1},
		{"few, below the server's limit", st, two, 5, 2}, {"few, with a limit above the server's", st, two, 50_000, 2}, {"few, without a limit", st, two, 0, 2},
		{"more than the server gives by itself, page by page", st, six, 0, 6}, {"as many as it gives if asked", st, six, 6, 6}, {"more than it ever gives", st, directory.Filter{}, 50_000, -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.store.Search(t.Context(), directory.Query{Filter: tc.f, Limit: tc.limit, Attributes: []string{}})
			if tc.want < 0 && !directory.Is(err, directory.TooMany) || tc.want >= 0 && (err != nil || len(got) != tc.want) {
				t.Errorf("%d entries, %v; want %d", len(got), err, tc.want)
			}
		})
	}
}

// The next server takes over, and all connections go to one.
func TestNextServerTakesOver(t *testing.T) {
	first, second := serve(t, slapd.Config{}), serve(t, slapd.Config{AdminPassword: "shared"})
	cfg := configured(second)
	cfg.URLs = []string{first.URL(), second.URL()}
	if err := first.Kill(); err != nil {
		t.Fatal(err)
	}
	sink := open(t, cfg)
	store := sink.Store(users())
	for i := range 8 {
		add(t, store, person(fmt.Sprint("u", i)))
	}
	if err := first.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := search(t, store, directory.Query{}); len(got) != 8 {
		t.Errorf("%d entries on the server in use, wanted 8", len(got))
	}
}

// A write of unknown outcome is never sent to another server: the one that may
// have done it would replicate it, and there would be two.
func TestLostWriteDoesNotMoveToAnotherServer(t *testing.T) {
	first, second := serve(t, slapd.Config{AdminPassword: "shared"}), serve(t, slapd.Config{AdminPassword: "shared"})
	p := between(t, first)
	cfg := configured(second)
	cfg.URLs, cfg.Connections = []string{p.url(), second.URL()}, 1
	sink := open(t, cfg)
	store := sink.Store(users())
	if err := sink.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.when(func(answer bool, op ber.Tag) verdict {
		if answer && op == ldap.ApplicationAddResponse {
			_ = p.listener.Close() // nobody comes back here
			return cut
		}
		return pass
	})
	_, err := store.Add(t.Context(), person("bob"))
	wantKind(t, err, directory.Unavailable)
	if got := search(t, store, directory.Query{Scope: directory.Anyone}); len(got) != 0 {
		t.Errorf("%d entries on the other server", len(got))
	}
	if got := readRaw(t, raw(t, first), "uid=bob,"+people, "uid"); len(got) != 1 {
		t.Errorf("the first server has %q", got)
	}
}
