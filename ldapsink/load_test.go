//go:build integration && !ad && !ds389

package ldapsink

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// load writes people, changes and reads them until it is stopped.
type load struct {
	store directory.Store
	done  atomic.Int64
	stop  atomic.Bool

	mu     sync.Mutex
	made   map[string]string // name -> id
	titles map[string]string // id -> the description that was confirmed last
	faults []string
}

func (l *load) fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

// work is one client.
func (l *load) work(worker int) {
	for i := 0; !l.stop.Load(); i++ {
		name := fmt.Sprintf("w%d-%d", worker, i)
		p := person(name, "scimExternalId", name)
		p.Keys = []directory.Key{{Attribute: "uid", Value: name}, {Attribute: "scimExternalId", Value: name, Exact: true}}
		e, err := l.store.Add(context.Background(), p)
		if err != nil {
			if !directory.Is(err, directory.Unavailable) {
				l.fault("add %s: %v", name, err)
			}
			continue
		}
		l.mu.Lock()
		l.made[name] = e.ID
		l.mu.Unlock()
		for try := range 2 {
			found, err := byID(l.store, e.ID)
			switch {
			case err == nil && len(found) == 0:
				l.fault("%s was created and is not found", name)
			case err != nil && !directory.Is(err, directory.Unavailable):
				l.fault("read %s: %v", name, err)
			}
			if err != nil || len(found) == 0 {
				continue
			}
			l.change(found[0], fmt.Sprint(try))
		}
		l.done.Add(1)
	}
}

func (l *load) change(e directory.Entry, text string) {
	_, err := l.store.Update(context.Background(), e, directory.Change{Marker: active("change-" + e.ID + text),
		Mods: []directory.Mod{{Op: directory.ModReplace, Attribute: "description", Values: []string{text}}}})
	if err == nil {
		l.mu.Lock()
		l.titles[e.ID] = text
		l.mu.Unlock()
	} else if !directory.Is(err, directory.Unavailable) && !directory.Is(err, directory.Changed) {
		l.fault("change %s: %v", e.DN, err)
	}
}

// complete returns what of the confirmed writes a server does not have.
func (l *load) complete(conn *ldap.Conn) string {
	found, err := conn.Search(ldap.NewSearchRequest(people, ldap.ScopeSingleLevel, ldap.NeverDerefAliases, 0, 0, false,
		matchAll, []string{"uid", "entryUUID", "description"}, nil))
	if err != nil {
		return err.Error()
	}
	there := map[string]*ldap.Entry{}
	for _, e := range found.Entries {
		name := e.GetAttributeValue("uid")
		if there[name] != nil || strings.Contains(e.DN, "entryUUID=") {
			return name + " is there twice"
		}
		there[name] = e
	}
	for name, id := range l.made {
		switch e := there[name]; {
		case e == nil || e.GetAttributeValue("entryUUID") != id:
			return name + " is missing"
		case e.GetAttributeValue("description") < l.titles[id]:
			return name + " has an old description"
		}
	}
	return ""
}
