package gateway

import (
	"net/http"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
	"scimgate/mapping"
)

// create answers POST (RFC 7644 section 3.3).
func (q *request) create() error {
	if err := q.possible(http.MethodPost); err != nil {
		return err
	}
	if err := q.precondition.create(); err != nil {
		return err
	}
	res, err := q.decodeNew()
	if err != nil {
		return err
	}
	if err := q.typ.roomy(res); err != nil {
		return err
	}
	q.sent = res
	want, err := q.want(q.typ.mapping.Want, res, nil)
	if err != nil {
		return err
	}
	e, err := q.make(want)
	if err != nil {
		return err
	}
	q.wrote(e)
	return q.answer(http.StatusCreated, e)
}

// get answers GET of one resource (RFC 7644 section 3.4.1).
func (q *request) get() error {
	e, err := q.typ.one(q.ctx(), q.Param("id"), q.view.reads(q.typ))
	if err != nil {
		return err
	}
	q.met(e)
	known, err := q.precondition.read(e.Version)
	if err != nil {
		return err
	}
	if known {
		q.Response().Header().Set("ETag", mapping.ETag(e.Version))
		return q.NoContent(http.StatusNotModified)
	}
	return q.answer(http.StatusOK, e)
}

// replace answers PUT (RFC 7644 section 3.5.1).
func (q *request) replace() error {
	if err := q.possible(http.MethodPut); err != nil {
		return err
	}
	res, err := q.decode()
	if err != nil {
		return err
	}
	if err := q.typ.roomy(res); err != nil {
		return err
	}
	q.whole = true
	e, err := q.update(nil, func(now scim.Resource, known mapping.Names) (mapping.Want, error) {
		made, err := scim.Replace(q.typ.mapping.Definition(), now, res)
		if err != nil {
			return mapping.Want{}, err
		}
		return q.want(func(res scim.Resource, names mapping.Names) (mapping.Want, error) {
			return q.typ.mapping.ReplacedBy(now, res, names)
		}, made, known)
	})
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, e)
}

// patch answers PATCH (RFC 7644 section 3.5.2). A change of a group's members
// goes straight to the directory, without reading the group.
func (q *request) patch() error {
	if err := q.possible(http.MethodPatch); err != nil {
		return err
	}
	body, err := q.body()
	if err != nil {
		return err
	}
	p, err := scim.DecodePatch(body)
	if err != nil {
		return err
	}
	if err := q.typ.patchable(p); err != nil {
		return err
	}
	if q.typ.mapping.Members() != "" {
		return q.patchGroup(p)
	}
	e, err := q.update(nil, q.apply(p))
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, e)
}

// apply makes an edit of a patch.
func (q *request) apply(p scim.Patch) edit {
	return func(now scim.Resource, known mapping.Names) (mapping.Want, error) {
		// So that the outcome speaks of active only if the patch does.
		delete(now, "active")
		res, err := scim.Apply(q.typ.mapping.Definition(), now, p)
		if err != nil {
			return mapping.Want{}, err
		}
		return q.want(func(res scim.Resource, names mapping.Names) (mapping.Want, error) {
			return q.typ.mapping.Patched(now, res, names)
		}, res, known)
	}
}

// remove answers DELETE (RFC 7644 section 3.6).
func (q *request) remove() error {
	if err := q.possible(http.MethodDelete); err != nil {
		return err
	}
	if err := q.retire(); err != nil {
		return err
	}
	return q.NoContent(http.StatusNoContent)
}

// want maps a resource, with the names behind the ids in it; those in known
// need no look-up.
func (q *request) want(translate func(scim.Resource, mapping.Names) (mapping.Want, error), res scim.Resource, known mapping.Names) (mapping.Want, error) {
	names, err := q.lookUp(q.typ.mapping.References(res), known)
	if err != nil {
		return mapping.Want{}, err
	}
	return translate(res, names)
}

// answer shows an entry as the resource that it stands for.
func (q *request) answer(status int, e directory.Entry) error {
	d := q.view.depth(q.typ)
	d.groups = d.groups && (status != http.StatusCreated || q.adopted) // a newcomer is in no group, nor one who is back
	all, err := q.typ.resources(q.ctx(), []directory.Entry{e}, q.referred.of(q.typ.mapping, e), d)
	if err != nil {
		return err
	}
	return q.show(status, all[0])
}

// wrote notes in the log whom a write is about.
func (q *request) wrote(e directory.Entry) {
	q.event.resource, q.event.dn = e.ID, e.DN
	q.met(e)
}
