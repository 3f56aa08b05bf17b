package gateway

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"scimgate/internal/brake"
	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// brake refuses a Bulk that alone takes more away than may be within the time of
// the brake, before anything of it is done.
func (j *job) brake() error {
	b := j.tenant.brake
	if b == nil {
		return nil
	}
	var heavy []*work
	open := false // how much some of them take away is not plain to see
	for _, w := range j.works {
		if w.failure != nil || w.on != "" || !w.mayReduce() {
			continue
		}
		heavy = append(heavy, w)
		open = open || w.typ.mapping.Members() != ""
	}
	if !open && len(heavy) <= b.Limit().Changes {
		return nil
	}
	n := j.weigh(heavy)
	if err := b.Fits(n); err != nil {
		j.outer.Response().Header().Set("Retry-After", strconv.Itoa(afterBrake))
		var refused *brake.Refused
		if errors.As(err, &refused) {
			return overBrake(refused)
		}
		return err
	}
	return nil
}

// mayReduce reports whether an operation can take something away, as far as its
// text tells.
func (w *work) mayReduce() bool {
	text := strings.ToLower(string(encoded(w.Data)))
	switch {
	case w.Method == http.MethodPost && !w.typ.mapping.Upserts() && !w.typ.mapping.Adopts(): // it makes something new, or nothing
		return false
	case w.Method == http.MethodDelete:
		return true
	case w.typ.mapping.Members() != "":
		return w.Method == http.MethodPut || w.Method == http.MethodPost || strings.Contains(text, "members")
	}
	return strings.Contains(text, "active")
}

// weigh is how much the calls that a Bulk would make take away, as the entries are
// now. Each goes through its handler as far as the first write.
func (j *job) weigh(works []*work) int {
	shadow := j.tenant.unwritten()
	var sum atomic.Int64
	_ = together(j.outer.Request().Context(), len(works), func(ctx context.Context, i int) error { // none of them fails
		w := works[i]
		needs := map[string]bool{}
		for _, id := range w.needs {
			needs[id] = true
		}
		data := w.Data
		if len(needs) > 0 {
			data, _ = scim.WithoutBulk(data, needs)
		}
		typ := shadow.byName(w.typ.name())
		c := j.context(ctx, call{typ: typ, method: w.Method, id: w.id, version: w.Version, data: data})
		c.Set(eventKey, &event{})
		c.Set(tenantKey, shadow)
		c.Set(weighKey, &sum)
		write := writes[w.Method]
		_ = j.gateway.recoverPanic(j.gateway.handle(typ, write.operation, write.do))(c) // what fails here takes nothing away
		return nil
	})
	return int(sum.Load())
}

// unwritten is the tenant with stores that refuse every write.
func (t *tenant) unwritten() *tenant {
	shadow := *t
	shadow.writers, shadow.brake, shadow.types = directory.NewLocks(), nil, nil
	for _, rt := range t.types {
		of := *rt
		of.tenant, of.store = &shadow, readOnly{rt.store}
		shadow.types = append(shadow.types, &of)
	}
	return &shadow
}

// readOnly is a store that refuses every write.
type readOnly struct{ directory.Store }

func (readOnly) Add(context.Context, directory.NewEntry) (directory.Entry, error) {
	return directory.Entry{}, errWeighed
}

func (readOnly) Update(context.Context, directory.Entry, directory.Change) (directory.Entry, error) {
	return directory.Entry{}, errWeighed
}

func (readOnly) ChangeMembers(context.Context, string, string, directory.MemberChange) error {
	return errWeighed
}

func (readOnly) Remove(context.Context, directory.Entry) error { return errWeighed }
