package gateway

import (
	"fmt"
	"net/http"
	"strings"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// patchGroup answers PATCH of a group. Single members come and go without the
// group being read; the rest of the patch is an edit, which reads the members
// only if it speaks of all of them.
func (q *request) patchGroup(p scim.Patch, v view) error {
	rest, change, whole, err := scim.SplitMembers(q.typ.mapping.Definition(), p)
	if err != nil {
		return err
	}
	reads := q.typ.mapping.WithoutMembers()
	if whole {
		reads = nil
	}
	if err := q.writeGroup(rest, reads, change); err != nil {
		return err
	}
	if len(v.attributes) == 0 {
		return q.NoContent(http.StatusNoContent)
	}
	e, err := q.typ.one(q.ctx(), q.Param("id"), v.reads(q.typ))
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, e, v)
}

// writeGroup validates all of a patch before its first write. Whoever is to be
// added is not renamed meanwhile, or the old name would become the member.
func (q *request) writeGroup(rest scim.Patch, reads []string, change scim.MemberChange) error {
	members, err := q.memberChange(change)
	if err != nil {
		return err
	}
	if len(rest.Operations) > 0 {
		if _, err := q.update(reads, q.apply(rest)); err != nil {
			return err
		}
		if change.Empty() {
			return nil
		}
	}
	release, waited, err := q.typ.tenant.writers.Acquire(q.ctx(), change.Add...)
	if err != nil {
		return err
	}
	defer release()
	if waited {
		if members, err = q.memberChange(change); err != nil {
			return err
		}
	}
	version, err := q.expected(len(rest.Operations) > 0)
	if err != nil {
		return err
	}
	q.event.attributes = append(q.event.attributes, q.typ.mapping.Members())
	return q.changeMembers(version, members)
}

// changeMembers writes the change. A lost race is tried again unless the client
// asked for a version.
func (q *request) changeMembers(version string, members directory.MemberChange) error {
	err := q.typ.store.ChangeMembers(q.ctx(), q.Param("id"), version, members)
	switch {
	case directory.Is(err, directory.NotFound):
		return notFound(q.typ, q.Param("id"))
	case directory.Is(err, directory.Changed) && version != "":
		return preconditionFailed()
	}
	return err
}

// expected returns the version that If-Match demands of the group, "" for any.
// Where the edit before has kept the condition already, there is none left.
func (q *request) expected(kept bool) (string, error) {
	header := q.Request().Header.Get("If-Match")
	if header == "" || kept {
		return "", nil
	}
	e, err := q.typ.one(q.ctx(), q.Param("id"), []string{})
	if err != nil {
		return "", err
	}
	if err := q.ifMatch(e.Version); err != nil {
		return "", err
	}
	if matches(header, "") { // "*": any version will do
		return "", nil
	}
	return e.Version, nil
}

// memberChange looks up the names behind the ids of a change. Whoever is to be
// added has to be there; who is gone needs no removing.
func (q *request) memberChange(c scim.MemberChange) (directory.MemberChange, error) {
	m := q.typ.mapping
	refs := m.MemberReferences(append(append([]string{}, c.Add...), c.Remove...))
	names, err := q.typ.tenant.names(q.ctx(), refs, nil)
	if err != nil {
		return directory.MemberChange{}, err
	}
	var change directory.MemberChange
	var unknown []string
	for _, id := range c.Add {
		if dn, ok := names[id]; ok {
			change.Add = append(change.Add, dn)
		} else {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) > 0 {
		return change, scim.BadRequest(scim.TypeInvalidValue, "members: there is nobody with the id %s; nothing was changed", quoted(unknown))
	}
	for _, id := range c.Remove {
		if dn, ok := names[id]; ok {
			change.Remove = append(change.Remove, dn)
		}
	}
	return change, nil
}

// quoted lists ids for a message, the first few of them.
func quoted(ids []string) string {
	const most = 5
	var b strings.Builder
	for i, id := range ids {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(ids)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", id)
	}
	return b.String()
}
