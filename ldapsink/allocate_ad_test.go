//go:build ad && !ds389

package ldapsink

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	"scimgate/internal/directory"
	"scimgate/internal/samba"
)

// Active Directory cannot add to a number, so the counter is compared and set; and
// a sAMAccountName is unique in the whole domain, where its holder can be found.
func TestNumbersAndNamesOfAD(t *testing.T) {
	const counter = "CN=uidNext,CN=System,DC=example,DC=org"
	server, err := samba.Start(t.Context(), samba.Config{Dir: t.TempDir(), Entries: "dn: OU=people,DC=example,DC=org\nobjectClass: organizationalUnit\n\n" +
		"dn: " + counter + "\nobjectClass: msSFU30DomainInfo\nmsSFU30MaxUidNumber: 10000\n"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	people := directory.Collection{Source: "okta", StateAttribute: "adminDescription", SourceAttribute: "extensionName", Naming: "cn",
		Base: "OU=people,DC=example,DC=org", ObjectClasses: []string{"user"}, Attributes: []string{"cn", "sAMAccountName", "uidNumber"}}
	made := func(name string) directory.NewEntry {
		return directory.NewEntry{Name: name, Attributes: directory.Attributes{"cn": {name}, "sAMAccountName": {name}},
			Marker:  directory.Marker{Source: "okta", State: directory.Active, Request: "add " + name},
			Numbers: []directory.Number{{Attribute: "uidNumber", Min: 10000, Max: 10999, Counter: counter, CounterAttribute: "msSFU30MaxUidNumber"}}}
	}
	cfg := Config{Flavor: activeDirectory, URLs: []string{server.URL()}, TLS: TLS{CAFile: server.CAFile()},
		Bind: Bind{DN: server.AdminDN(), Password: server.AdminPassword()}}
	var mu sync.Mutex
	var given []int
	var work sync.WaitGroup
	const each = 12
	for i := range 2 {
		store := open(t, cfg).Store(people)
		for j := range each {
			work.Go(func() {
				e, err := store.Add(t.Context(), made(fmt.Sprintf("p%d-%d", i, j)))
				n, _ := strconv.Atoi(e.Attributes.First("uidNumber"))
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				given = append(given, n)
			})
		}
	}
	work.Wait()
	slices.Sort(given)
	if once := slices.Compact(slices.Clone(given)); len(once) != 2*each || once[0] < 10000 {
		t.Errorf("%v", given)
	}
	store := open(t, cfg).Store(people)
	_, err = store.Add(t.Context(), made("Administrator"))
	wantKind(t, err, directory.Exists)
	for scope, want := range map[directory.Scope]int{directory.Anyone: 0, directory.Tree: 1} {
		found, err := store.Search(t.Context(), directory.Query{Filter: directory.Eq("sAMAccountName", "administrator"), Scope: scope, Attributes: []string{"sAMAccountName"}})
		if err != nil || len(found) != want {
			t.Errorf("scope %d: %d found, %v", scope, len(found), err)
		}
	}
}
