//go:build ds389

package ldapsink

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"scimgate/internal/directory"
	dirsrv "scimgate/internal/ds389"
)

// 389 Directory Server cannot add to a number, so its counter is compared and set.
func TestNumbersOf389DS(t *testing.T) {
	const counter = "cn=uidNext,dc=example,dc=org"
	server, err := dirsrv.Start(t.Context(), dirsrv.Config{Dir: t.TempDir(), ScimSchema: true, Plugins: dirsrv.Plugins{USN: true},
		Entries: "dn: " + counter + "\nobjectClass: top\nobjectClass: device\nobjectClass: extensibleObject\ncn: uidNext\nuidNumber: 10000\n"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	people := directory.Collection{Source: "okta", Base: "ou=people,dc=example,dc=org", Naming: "uid",
		ObjectClasses:  []string{"top", "person", "organizationalPerson", "inetOrgPerson", "posixAccount", "scimgateObject"},
		StateAttribute: "scimState", SourceAttribute: "scimSource", Attributes: []string{"uid", "uidNumber"}}
	cfg := Config{Flavor: ds389, URLs: []string{server.URL()}, Bind: Bind{DN: server.AdminDN(), Password: server.AdminPassword()}}
	var mu sync.Mutex
	given := map[int]bool{}
	var work sync.WaitGroup
	const each = 20
	for i := range 2 {
		store := open(t, cfg).Store(people)
		for j := range each {
			work.Go(func() {
				name := fmt.Sprintf("p%d-%d", i, j)
				e, err := store.Add(context.WithoutCancel(t.Context()), directory.NewEntry{Name: name,
					Attributes: directory.Attributes{"uid": {name}, "cn": {name}, "sn": {name}, "gidNumber": {"100"}, "homeDirectory": {"/"}},
					Marker:     directory.Marker{Source: "okta", State: directory.Active, Request: "add " + name},
					Numbers:    []directory.Number{{Attribute: "uidNumber", Min: 10000, Max: 10999, Counter: counter, CounterAttribute: "uidNumber"}}})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				n, _ := strconv.Atoi(e.Attributes.First("uidNumber"))
				given[n] = true
			})
		}
	}
	work.Wait()
	if len(given) != 2*each || given[0] {
		t.Errorf("%d numbers: %v", len(given), given)
	}
}
