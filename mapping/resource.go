package mapping

import (
	"time"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// Resource translates an entry into the resource that it stands for. refs
// tells whom a distinguished name belongs to; names that are missing there are
// not this tenant's and do not show. meta.location is the caller's to add.
func (m *Mapping) Resource(e directory.Entry, refs Refs) scim.Resource {
	res := scim.Resource{"id": e.ID}
	shown := map[string]bool{}
	for i := range m.rules {
		r := &m.rules[i]
		if r.isComputed() || r.isSecret() || shown[r.path.String()] {
			continue
		}
		values := e.Attributes[r.config.LDAP]
		if r == m.naming {
			values = m.calledValues(e)
		}
		if len(values) == 0 {
			continue
		}
		shown[r.path.String()] = true
		if r.isReference() {
			r.showReferences(res, values, refs)
			continue
		}
		typed := make([]any, len(values))
		for i, v := range values {
			typed[i] = scimValue(r.leaf.Type, v)
		}
		r.show(res, typed)
	}
	if m.Deactivates() {
		res["active"] = e.Marker.State == directory.Active
	}
	res["meta"] = m.meta(e)
	res["schemas"] = m.schemas(res)
	return res
}

// showReferences puts the resources behind names into a resource, with their
// type where there is a place for it.
func (r *rule) showReferences(res scim.Resource, names []string, refs Refs) {
	name := r.displayPart()
	_, typed := r.top.Sub("type")
	_, fixed := r.constant["type"]
	for i, ref := range r.shownRefs(names, refs) {
		element := r.put(res, ref.ID, i == 0)
		if element == nil {
			continue
		}
		if typed && !fixed {
			element["type"] = ref.Type
		}
		if name != "" && ref.Display != "" {
			element[name] = ref.Display
		}
	}
}

// shownRefs returns the resources behind names that show: all, or the first
// where the attribute has one value.
func (r *rule) shownRefs(names []string, refs Refs) []Ref {
	var shown []Ref
	for _, dn := range names {
		if ref, ok := refs[directory.FoldDN(dn)]; ok {
			shown = append(shown, ref)
			if r.showsOne() {
				break
			}
		}
	}
	return shown
}

// Locate adds to a resource where it and those it refers to are found; url
// gives the URL of a resource.
func (m *Mapping) Locate(res scim.Resource, url func(resourceType, id string) string) {
	id, _ := res["id"].(string)
	if meta, ok := res["meta"].(map[string]any); ok {
		meta["location"] = url(m.def.Name, id)
	}
	for i := range m.rules {
		r := &m.rules[i]
		if !r.isReference() || r.path.Sub != "value" {
			continue
		}
		for _, element := range r.elementsOf(res) {
			target, _ := element["type"].(string)
			if target == "" {
				target = r.config.Reference[0]
			}
			if id, ok := element["value"].(string); ok {
				element["$ref"] = url(target, id)
			}
		}
	}
	in, _ := res["groups"].([]any)
	for _, item := range in {
		if element, ok := item.(map[string]any); ok && m.groups != nil {
			id, _ := element["value"].(string)
			element["$ref"] = url(m.groups.def.Name, id)
		}
	}
}

// Referred returns the names in an entry that have to be looked up before
// Resource.
func (m *Mapping) Referred(e directory.Entry) []string {
	var names []string
	for _, r := range m.rules {
		if r.isReference() {
			names = append(names, e.Attributes[r.config.LDAP]...)
		}
	}
	return names
}

// ReferenceTypes returns the resource types that entries of this type refer to.
func (m *Mapping) ReferenceTypes() []string {
	var types []string
	for _, r := range m.rules {
		types = append(types, r.config.Reference...)
	}
	return types
}

func (m *Mapping) meta(e directory.Entry) map[string]any {
	meta := map[string]any{"resourceType": m.def.Name}
	if !e.Created.IsZero() {
		meta["created"] = e.Created.UTC().Format(time.RFC3339)
	}
	if !e.Modified.IsZero() {
		meta["lastModified"] = e.Modified.UTC().Format(time.RFC3339)
	}
	if e.Version != "" {
		meta["version"] = ETag(e.Version)
	}
	return meta
}

// ETag writes an entry's version as a weak entity tag (RFC 7644 section 3.14):
// two answers with the same version can differ in the attributes they show.
func ETag(version string) string { return `W/"` + version + `"` }

// schemas lists the schemas that a resource has values of.
func (m *Mapping) schemas(res scim.Resource) []any {
	list := []any{m.def.Core.ID}
	for _, e := range m.def.Extensions {
		if _, ok := res[e.ID]; ok {
			list = append(list, e.ID)
		}
	}
	return list
}
