package mapping

import (
	"slices"
	"time"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// The values of Config.Provenance.
const (
	ProvenanceOnRequest = "request" // shown to a client that asks for it
	ProvenanceByDefault = "default" // shown in every answer
)

// provenance adds the extension to the vocabulary, once no rule can map it.
func (m *Mapping) provenance() {
	returned := scim.ReturnedRequest
	if m.ProvenanceByDefault() {
		returned = scim.ReturnedDefault
	}
	m.def.Extensions = append(slices.Clone(m.def.Extensions), scim.Provenance(returned))
}

// ProvenanceByDefault reports whether an answer shows the provenance of a resource
// unless a client asks for something else.
func (m *Mapping) ProvenanceByDefault() bool { return m.config.Provenance == ProvenanceByDefault }

// ProvenancePaths returns the paths of what ShowProvenance shows.
func (m *Mapping) ProvenancePaths() []scim.Path {
	var paths []scim.Path
	for _, a := range scim.Provenance("").Attributes {
		paths = append(paths, scim.Path{URN: scim.ProvenanceURN, Attr: a.Name})
	}
	return paths
}

// ShowProvenance puts what is known of a managed entry into its resource. What was
// made by the gateway is managed since it is there; of what was adopted the marker
// has it, but for adoptions of before it was noted.
func (m *Mapping) ShowProvenance(res scim.Resource, e directory.Entry) {
	since := e.Created
	if e.Marker.Adopted {
		since = e.Marker.Managed
	}
	shown := map[string]any{
		"managedBy": "scimgate", "source": e.Marker.Source, "adopted": e.Marker.Adopted, "state": string(e.Marker.State),
	}
	for name, at := range map[string]time.Time{"since": since, "stateSince": e.Marker.Since} {
		if !at.IsZero() {
			shown[name] = at.UTC().Format(time.RFC3339)
		}
	}
	if e.Marker.Request != "" {
		shown["lastRequest"] = e.Marker.Request
	}
	res[scim.ProvenanceURN] = shown
	if schemas, ok := res["schemas"].([]any); ok && !slices.Contains(schemas, any(scim.ProvenanceURN)) {
		res["schemas"] = append(slices.Clone(schemas), scim.ProvenanceURN)
	}
}

// AsksProvenance reports whether a filter needs what ShowProvenance shows.
func (m *Mapping) AsksProvenance(f scim.Filter) bool {
	return slices.ContainsFunc(scim.FilterPaths(f), func(p scim.Path) bool {
		_, p, _ = m.def.Lookup(scim.Path{URN: p.URN, Attr: p.Attr, Sub: p.Sub})
		return p.URN == scim.ProvenanceURN || m.ProvenanceByDefault() && p.URN == "" && p.Attr == "schemas"
	})
}

// compareProvenance translates a comparison with the provenance. All that a tenant
// sees is its own, so that most of it is told without a look; the state has words
// of its own in a directory, and the rest is looked at.
func (m *Mapping) compareProvenance(f scim.Compare, attribute scim.Attribute) (term, error) {
	if f.Path.Attr == "" || f.Value == nil {
		return anything, nil
	}
	if err := f.Check(attribute); err != nil {
		return term{}, err
	}
	switch f.Path.Attr {
	case "managedBy", "source":
		own := scim.Resource{scim.ProvenanceURN: map[string]any{"managedBy": "scimgate", "source": m.source}}
		ok, err := scim.Match(f, own, m.def)
		if err != nil || !ok {
			return nothing, err
		}
		return everything, nil
	case "state":
		some := directory.Filter{Op: directory.Or}
		for _, s := range []directory.State{directory.Active, directory.Inactive, directory.Deleting} {
			ok, err := scim.Match(f, scim.Resource{scim.ProvenanceURN: map[string]any{"state": string(s)}}, m.def)
			if err != nil {
				return term{}, err
			}
			if ok {
				some.Filters = append(some.Filters, directory.Eq(directory.AttrState, string(s)))
			}
		}
		if len(some.Filters) == 0 {
			return nothing, nil
		}
		return exactly(some), nil
	}
	return anything, nil
}
