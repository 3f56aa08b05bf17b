package mapping

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// Want is the entry that a resource asks for.
type Want struct {
	// Name is the value of the naming attribute.
	Name string
	// Attributes are the mapped attributes with a value, computed ones included.
	Attributes directory.Attributes
	// Secrets are passwords by attribute.
	Secrets map[string]string
	// Hidden are other values that are only ever written.
	Hidden directory.Attributes
	// Active is nil where the resource does not say.
	Active *bool
	// StableKey is the IdP's identifier, "" where the resource has none.
	StableKey string
	// Keys are the values that must be unique, the stable key among them.
	Keys []directory.Key
	// Finds are the values by which a create finds, beside the stable key, somebody
	// whom the tenant has or had.
	Finds []directory.Key
	// Open are the values that get a suffix where another entry has them. Until
	// With has settled one it stands in Attributes as its template makes it.
	Open []Choice
	// Kept are computed attributes that are to stay as they are.
	Kept []string
	// Members are single members that come and go, beside what Attributes say.
	Members directory.MemberChange
}

// Reference is an id in a resource that has to be looked up before Want.
type Reference struct {
	ID    string
	Types []string // the resource types that it may be
}

// References returns the ids that a resource refers to.
func (m *Mapping) References(res scim.Resource) []Reference {
	var refs []Reference
	for i := range m.rules {
		r := &m.rules[i]
		if !r.isReference() || r.readOnly() {
			continue
		}
		for _, f := range r.find(res) {
			refs = append(refs, Reference{ID: text(f.value), Types: r.config.Reference})
		}
	}
	return refs
}

// MemberReferences returns ids as references of the member attribute.
func (m *Mapping) MemberReferences(ids []string) []Reference {
	refs := make([]Reference, len(ids))
	for i, id := range ids {
		refs[i] = Reference{ID: id, Types: m.member.config.Reference}
	}
	return refs
}

// Want translates a new resource into the entry that it asks for. Errors are
// *scim.Error with status 400 and name the attribute.
func (m *Mapping) Want(res scim.Resource, names Names) (Want, error) {
	return m.want(nil, res, names, true)
}

// Replaced is Want for a resource that takes the place of one that is there.
// What never shows stays where the resource leaves it out: nobody could have
// known it, so it is neither missing nor filled in.
func (m *Mapping) Replaced(res scim.Resource, names Names) (Want, error) {
	return m.want(nil, res, names, false)
}

// want translates. What was broken in the resource before, if there was one, is no
// reason to refuse what stays as it is.
func (m *Mapping) want(was, res scim.Resource, names Names, fresh bool) (Want, error) {
	want := Want{Attributes: directory.Attributes{}, Secrets: map[string]string{}, Hidden: directory.Attributes{}}
	var made error // of a template: what is wrong with the attributes that it is made of is told first
	for i := range m.rules {
		r := &m.rules[i]
		if r.isAllocated() || !r.isComputed() && r.readOnly() {
			continue
		}
		if !fresh && r.isSecret() && len(r.find(res)) == 0 {
			continue
		}
		values, err := m.values(r, was, res, names)
		if err != nil && !r.isComputed() {
			return Want{}, err
		}
		made = cmp.Or(made, err)
		if err != nil || len(values) == 0 {
			continue
		}
		switch {
		case r.isPassword():
			want.Secrets[r.config.LDAP] = values[0]
			continue
		case r.isSecret():
			want.Hidden[r.config.LDAP] = values
			continue
		}
		want.Attributes[r.config.LDAP] = values
		if r.suffixes() {
			want.Open = append(want.Open, m.choice(r, values[0]))
		} else if r.distinct {
			want.Keys = append(want.Keys, r.keys(values)...)
		}
	}
	if made != nil {
		return Want{}, made
	}
	if err := m.hold(was, res); err != nil {
		return Want{}, err
	}
	want.Name = want.Attributes.First(m.config.RDN.LDAP)
	if want.Name == "" && m.naming.isComputed() {
		return Want{}, scim.BadRequest(scim.TypeInvalidValue,
			"nothing in this resource gives a value for %s, after which its entry in the directory is named; send an attribute that the template in the configuration uses", m.naming.label())
	}
	if want.Name == "" {
		return Want{}, scim.BadRequest(scim.TypeInvalidValue,
			"%s is missing; send it, since the entry in the directory is named after it", m.naming.label())
	}
	want.StableKey = want.Attributes.First(m.StableKey())
	if fresh {
		want.Finds = m.finds(want)
	}
	if active, ok := res["active"].(bool); ok {
		want.Active = &active
	}
	return want, nil
}

// Patched is Replaced for a resource that a patch has made of now. A computed value
// that comes out as it did before stays as it is in the directory: it may have
// been made of something that the mapping does not keep, such as
// name.formatted.
func (m *Mapping) Patched(now, res scim.Resource, names Names) (Want, error) {
	want, err := m.want(now, res, names, false)
	if err != nil {
		return Want{}, err
	}
	m.keep(&want, now, func(*rule) bool { return true })
	return want, nil
}

// ReplacedBy is Replaced for a resource that takes the place of now. A name that
// a template makes and that comes out as before stays as the entry has it: with
// a suffix, or as whoever named it before the gateway did wrote it.
func (m *Mapping) ReplacedBy(now, res scim.Resource, names Names) (Want, error) {
	want, err := m.want(now, res, names, false)
	if err != nil {
		return Want{}, err
	}
	m.keep(&want, now, (*rule).suffixes)
	return want, nil
}

// keep notes the computed values that come out as they did of the resource before.
func (m *Mapping) keep(want *Want, now scim.Resource, some func(*rule) bool) {
	for i := range m.rules {
		r := &m.rules[i]
		if !r.isComputed() || r.isAllocated() || !some(r) {
			continue
		}
		before, err := m.compute(r, now)
		if err == nil && slices.Equal(before, want.Attributes[r.config.LDAP]) {
			want.Kept = append(want.Kept, r.config.LDAP)
		}
	}
}

// had reports whether a resource has a value of the rule already.
func (r *rule) had(was scim.Resource, value string) bool {
	return was != nil && slices.ContainsFunc(r.find(was), func(f found) bool { return ldapText(r.leaf.Type, f.value) == value })
}

// values returns what one rule makes of a resource that was another before. It
// may keep a value that it could not be given.
func (m *Mapping) values(r *rule, was, res scim.Resource, names Names) ([]string, error) {
	if r.isComputed() {
		values, err := m.compute(r, res)
		if err != nil && len(values) > 0 && was != nil {
			if before, _ := m.compute(r, was); slices.Equal(values, before) {
				err = nil
			}
		}
		return values, err
	}
	all, err := r.single(r.find(res))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return m.otherwise(r, was, res)
	}
	var values []string
	seen := make(map[string]bool, len(all))
	for _, f := range all {
		v := ldapText(r.leaf.Type, f.value)
		if r.isReference() {
			dn, ok := names[v]
			if !ok {
				return nil, scim.BadRequest(scim.TypeInvalidValue, "%s: there is no %s with the id %q; create it first, or leave the reference out",
					r.label(), strings.Join(r.config.Reference, " or "), v)
			}
			v = dn
		} else if err := m.allowed(r, v); err != nil && !r.had(was, v) {
			return nil, err
		}
		if key := r.fold(v); !seen[key] {
			seen[key] = true
			values = append(values, v)
		}
	}
	return values, nil
}

// otherwise returns what a rule gives a resource that has no value for it.
func (m *Mapping) otherwise(r *rule, was, res scim.Resource) ([]string, error) {
	var values []string
	if r.fallback != nil {
		var err error
		if values, err = m.compute(r, res); err != nil {
			return nil, err
		}
	}
	lacked := was != nil && len(r.find(was)) == 0
	if len(values) == 0 && r.config.Required && !lacked {
		return nil, scim.BadRequest(scim.TypeInvalidValue, "%s is required and has no value; map one to it at the identity provider", r.label())
	}
	return values, nil
}

// fold returns a key under which values meet that are one to the attribute's
// own rule of case. The directory would refuse the second of them (RFC 4512
// section 2.2).
func (r *rule) fold(v string) string {
	if r.leaf.CaseExact || r.isReference() {
		return v
	}
	return strings.ToLower(v)
}

// compute runs a rule's template; empty text is no value.
func (m *Mapping) compute(r *rule, res scim.Resource) ([]string, error) {
	t := r.computed
	if t == nil {
		t = r.fallback
	}
	v, err := execute(t, m.def, res)
	if err != nil {
		return nil, scim.BadRequest(scim.TypeInvalidValue, "the value of %s cannot be computed from this resource; compare the template in the configuration with what is sent", r.config.LDAP)
	}
	if v = r.shaped(v); v == "" {
		return nil, nil
	}
	return []string{v}, m.allowedExcept(r, v, r.literal)
}

// label names the rule's attribute as the client knows it.
func (r *rule) label() string {
	if r.isComputed() {
		return r.config.LDAP
	}
	return r.path.String()
}

// hashed is how a value of userPassword begins that is not the password itself
// (RFC 2307 section 5.3).
var hashed = regexp.MustCompile(`^\{[A-Za-z0-9./_-]+\}`)

// allowed refuses forbidden characters, and passwords that are hashes.
func (m *Mapping) allowed(r *rule, value string) error {
	if r.leaf.Type == scim.Binary {
		return nil
	}
	if r.isPassword() {
		if hashed.MatchString(value) {
			return scim.BadRequest(scim.TypeInvalidValue, "%s: begins with a word in braces, which the directory would take for a hash; choose another", r.label())
		}
		return nil
	}
	if err := r.fits(value); err != nil {
		return err
	}
	return m.allowedExcept(r, value, "")
}

// allowedExcept is allowed for a value in which some characters are the
// administrator's own: those that stand in a template. The directory's alphabet
// holds for these, too.
func (m *Mapping) allowedExcept(r *rule, value, literal string) error {
	if err := r.inAlphabet(value); err != nil {
		return err
	}
	if r.leaf.Type == scim.Reference || r.leaf.Type == scim.DateTime {
		return nil
	}
	forbidden := strings.Map(func(c rune) rune {
		if strings.ContainsRune(literal, c) {
			return -1
		}
		return c
	}, m.config.Rules.ForbiddenCharacters)
	if i := strings.IndexAny(value, forbidden); i >= 0 {
		return scim.BadRequest(scim.TypeInvalidValue,
			"%s: %s; none of %s is allowed, so correct it at the identity provider", r.label(), r.misfit(value, i), forbidden)
	}
	return nil
}
