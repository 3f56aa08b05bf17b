package gateway

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
	"scimgate/mapping"
)

// patchGroup answers PATCH of a group. Single members come and go without the
// group being read; the rest of the patch is an edit, which reads the members
// only if it speaks of all of them.
func (q *request) patchGroup(p scim.Patch) error {
	rest, change, whole, err := scim.SplitMembers(q.typ.mapping.Definition(), p)
	if err != nil {
		return err
	}
	reads := q.typ.mapping.WithoutMembers()
	if whole {
		reads, q.whole = nil, true
	}
	if err := q.writeGroup(rest, reads, change); err != nil {
		return err
	}
	if len(q.view.attributes) == 0 {
		return q.NoContent(http.StatusNoContent)
	}
	e, err := q.typ.one(q.ctx(), q.Param("id"), q.view.reads(q.typ))
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, e)
}

// writeGroup validates all of a patch before it writes, once.
func (q *request) writeGroup(rest scim.Patch, reads []string, change scim.MemberChange) error {
	members, err := q.memberChange(change)
	if err != nil {
		return err
	}
	named := q.resolved
	if err := q.holdBack(named, &members.Add); err != nil {
		return err
	}
	if len(rest.Operations) > 0 {
		_, err = q.update(reads, with(members, q.apply(rest)))
	} else {
		err = q.changeMembers(members)
	}
	if err != nil {
		return err
	}
	return q.settle(q.Param("id"), named, change.Remove)
}

// with adds single members to what an edit wants.
func with(members directory.MemberChange, change edit) edit {
	return func(now scim.Resource, known mapping.Names) (mapping.Want, error) {
		want, err := change(now, known)
		want.Members = members
		return want, err
	}
}

// settle looks again at those who have just been added to a group or removed
// from it, by the names that they had then. Who was renamed meanwhile is in the
// group by a name of before, or still by a new one; who was deleted has left the
// group before coming in.
func (q *request) settle(group string, named mapping.Names, removed []string) error {
	if q.typ.mapping.Members() == "" {
		return nil
	}
	all := named
	leaves := make(map[string]bool, len(removed))
	for _, id := range removed {
		leaves[strings.ToLower(id)] = true
	}
	for len(named) > 0 {
		now, err := q.typ.tenant.names(q.ctx(), q.typ.mapping.MemberReferences(slices.Collect(maps.Keys(named))), nil)
		if err != nil {
			return err
		}
		var change directory.MemberChange
		moved := mapping.Names{}
		for id, dn := range bySpelling(named) {
			current, there := now[id]
			switch {
			case current == dn:
				continue
			case !leaves[strings.ToLower(id)]:
				change.Remove = append(change.Remove, dn)
				if there {
					change.Add = append(change.Add, current)
				}
			case there:
				change.Remove = append(change.Remove, current)
			}
			if there {
				moved[id] = current
			}
		}
		if len(change.Add)+len(change.Remove) > 0 {
			if err := q.typ.store.ChangeMembers(q.ctx(), group, "", change); err != nil {
				return err
			}
		}
		named = moved
	}
	return q.settleSleepers(group, all, removed)
}

// bySpelling drops the ids that a client sent in a spelling of its own: the
// directory's is in the table too.
func bySpelling(named mapping.Names) mapping.Names {
	once := maps.Clone(named)
	maps.DeleteFunc(once, func(id, _ string) bool {
		_, twice := named[strings.ToLower(id)]
		return twice && id != strings.ToLower(id)
	})
	return once
}

// changeMembers changes nothing but single members, for which the group is not
// read. A client that asks for a version gets a look at the group before, and
// another where somebody else wrote in between.
func (q *request) changeMembers(members directory.MemberChange) error {
	if err := q.spendMembers(members); err != nil {
		return err
	}
	for {
		version, err := q.expected()
		if err != nil {
			return err
		}
		err = q.typ.store.ChangeMembers(q.ctx(), q.Param("id"), version, members)
		q.event.touched(err, q.typ.mapping.Members())
		switch {
		case err == nil:
			q.event.resource = strings.ToLower(q.Param("id")) // as directories spell them
			return nil
		case directory.Is(err, directory.NotFound):
			return notFound(q.typ, q.Param("id"))
		case directory.Is(err, directory.Changed) && version != "" && q.ctx().Err() == nil:
			continue
		}
		return err
	}
}

// expected returns the version that the group must have, "" for any.
func (q *request) expected() (string, error) {
	if !q.precondition.particular() {
		return "", nil
	}
	e, err := q.typ.one(q.ctx(), q.Param("id"), []string{})
	if err != nil {
		return "", err
	}
	return e.Version, q.permitted(e)
}

// memberChange looks up the names behind the ids of a change. Whoever is to be
// added has to be there; who is gone needs no removing.
func (q *request) memberChange(c scim.MemberChange) (directory.MemberChange, error) {
	m := q.typ.mapping
	names, err := q.lookUp(m.MemberReferences(append(append([]string{}, c.Add...), c.Remove...)), nil)
	if err != nil {
		return directory.MemberChange{}, err
	}
	var change directory.MemberChange
	var unknown []string
	seen := map[string]bool{} // one id may come in two spellings
	for _, id := range c.Add {
		dn, ok := names[id]
		switch {
		case !ok:
			unknown = append(unknown, id)
		case !seen[dn]:
			seen[dn] = true
			change.Add = append(change.Add, dn)
		}
	}
	if len(unknown) > 0 {
		return change, scim.BadRequest(scim.TypeInvalidValue, "members: there is nobody with the id %s; nothing was changed: create them first, or leave them out", quoted(unknown))
	}
	for _, id := range c.Remove {
		if dn, ok := names[id]; ok && !seen[dn] {
			seen[dn] = true
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
