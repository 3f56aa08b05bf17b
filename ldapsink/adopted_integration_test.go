//go:build integration && !ad && !ds389

package ldapsink

import (
	"fmt"
	"sync"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
	"scimgate/internal/slapd"
)

// Where the server holds no assertion, two gateways can both have taken an entry
// over for a moment; never both believe it, and never two markers stay.
func TestOneAdoptsWithoutAssertions(t *testing.T) {
	server := serve(t, slapd.Config{})
	cfg := configured(server)
	cfg.Controls.Assertion = controlNever
	c := users()
	c.StateAttribute, c.SourceAttribute = "description", "employeeType" // which hold several values
	conn := raw(t, server)
	gateways := make([]directory.Store, 4)
	for i := range gateways {
		c.Source = fmt.Sprint("tenant", i) // of one tenant the second is refused by the server
		gateways[i] = open(t, cfg).Store(c)
	}
	for round := range 20 {
		dn := fmt.Sprintf("uid=old%d,%s", round, people)
		request := ldap.NewAddRequest(dn, nil)
		for name, values := range map[string][]string{"objectClass": {"inetOrgPerson", "scimgateObject"}, "uid": {fmt.Sprint("old", round)}, "cn": {"Old"}, "sn": {"O"}} {
			request.Attribute(name, values)
		}
		if err := conn.Add(request); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var work sync.WaitGroup
		adopted := 0
		start := make(chan struct{})
		for i, store := range gateways {
			old := search(t, store, directory.Query{Filter: directory.Eq("uid", fmt.Sprint("old", round)), Scope: directory.Anyone})[0]
			work.Go(func() {
				<-start
				m := active(fmt.Sprint("adopt-", round, "-", i))
				m.Source, m.Adopted = fmt.Sprint("tenant", i), true
				_, err := store.Update(t.Context(), old, directory.Change{Marker: m, Mods: []directory.Mod{{Op: directory.ModReplace, Attribute: "sn", Values: []string{fmt.Sprint(i)}}}})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					adopted++
				case !directory.Is(err, directory.Changed):
					t.Error(err)
				}
			})
		}
		close(start)
		work.Wait()
		if markers := readRaw(t, conn, dn, "description"); adopted > 1 || len(markers) != adopted {
			t.Errorf("%d adopted the entry, and it has %q", adopted, markers)
		}
	}
}

// What was adopted is not removed by anybody.
func TestAdoptedIsNeverRemoved(t *testing.T) {
	server, sink := started(t)
	store := sink.Store(users())
	e := person("ann")
	e.Marker.Adopted = true
	made := add(t, store, e)
	wantKind(t, store.Remove(t.Context(), made), directory.Internal)
	if len(readRaw(t, raw(t, server), made.DN, "uid")) != 1 {
		t.Error("it is gone")
	}
}

// A change of what names an entry, under an attribute that is not the collection's,
// leaves the name.
func TestByOwnName(t *testing.T) {
	_, sink := started(t)
	st := &store{sink, users()}
	c := st.byOwnName("cn=Lee\\, Ann,ou=people", directory.Change{Name: "new", Mods: []directory.Mod{
		{Op: directory.ModDelete, Attribute: "cn", Values: []string{"lee, ann", "A. Lee"}},
		{Op: directory.ModAdd, Attribute: "cn", Values: []string{"LEE, ANN"}},
	}})
	if c.Name != "" || len(c.Mods) != 2 || len(c.Mods[0].Values) != 1 || c.Mods[1].Attribute != "uid" || c.Mods[1].Values[0] != "new" {
		t.Errorf("%+v", c)
	}
	if same := st.byOwnName("uid=ann,ou=people", directory.Change{Name: "new"}); same.Name != "new" {
		t.Errorf("%+v", same)
	}
}
