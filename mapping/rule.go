package mapping

import (
	"maps"
	"strings"
	"sync/atomic"
	"text/template"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// rule is one compiled line of the declaration. There are five kinds:
//
//	simple     userName: "ann"                              -> uid: ann
//	value path emails: [{type: work, value: a@x}]           -> mail: a@x
//	reference  manager: {value: <id>}                       -> manager: <DN>
//	secret     password: "..."                              -> userPassword: ... (never read)
//	computed   {{ coalesce .displayName .userName }}        -> cn: Ann
type rule struct {
	config   RuleConfig
	path     scim.Path      // canonical; without attribute for a computed value
	top      scim.Attribute // the attribute at the beginning of the path
	leaf     scim.Attribute // the attribute whose value is translated
	constant map[string]any // what a value path demands of an element: type -> work
	untyped  bool           // also takes elements that say nothing about constant
	marks    bool           // its element is shown as the primary one
	distinct bool           // no other entry may have its value
	peers    []*rule        // nor may one have it in the attribute of one of these
	computed *template.Template
	fallback *template.Template
	literal  string // the text of the templates between their actions

	// told is what the directory says of the attribute, once Hold has learned it:
	// that may come while requests run.
	told *atomic.Pointer[directory.AttributeType]
	// must says that the object classes demand a value.
	must *atomic.Bool
}

// ldap is what the directory says of the rule's attribute. It is not known while
// the directory has not answered, nor where it does not say.
func (r *rule) ldap() (a directory.AttributeType, known bool) {
	if r.told == nil {
		return a, false
	}
	if told := r.told.Load(); told != nil {
		a = *told
	}
	return a, a.Syntax != ""
}

// learn notes what the directory says of the rule's attribute.
func (r *rule) learn(a directory.AttributeType) { r.told.Store(&a) }

func (r *rule) isReference() bool { return len(r.config.Reference) > 0 }

func (r *rule) isComputed() bool { return r.path.Attr == "" }

// isPassword reports whether the rule writes what the directory's policy checks.
func (r *rule) isPassword() bool { return r.path.URN == "" && r.path.Attr == "password" }

// isSecret reports whether the rule's values are only ever written: they show
// nowhere and are not even read.
func (r *rule) isSecret() bool {
	return r.isPassword() || !r.isComputed() && (r.leaf.Returned == scim.ReturnedNever || r.top.Returned == scim.ReturnedNever)
}

// readOnly reports whether the rule's values are the directory's, and only
// shown.
func (r *rule) readOnly() bool {
	return r.top.Mutability == scim.ReadOnly || r.leaf.Mutability == scim.ReadOnly
}

// showsOne reports whether a resource shows only the first of the attribute's
// values.
func (r *rule) showsOne() bool {
	return !r.isComputed() && (r.config.Single != "" || !r.top.MultiValued)
}

// at reports whether the rule translates the attribute with that URN and name.
func (r *rule) at(urn, attr string) bool { return r.path.URN == urn && r.path.Attr == attr }

// accepts reports whether an element of a multi-valued attribute is the
// rule's.
func (r *rule) accepts(element map[string]any) bool {
	for name, want := range r.constant {
		got, ok := element[name]
		if !ok {
			if r.untyped {
				continue
			}
			return false
		}
		if !equal(got, want) {
			return false
		}
	}
	return true
}

func equal(a, b any) bool {
	s, ok := a.(string)
	t, ok2 := b.(string)
	if ok && ok2 {
		return strings.EqualFold(s, t)
	}
	return a == b
}

// found is one value of a resource, with what its element says of being primary.
type found struct {
	value   any
	primary bool
}

// find returns the rule's values in a resource, in their order.
func (r *rule) find(res scim.Resource) []found {
	holder := map[string]any(res)
	if r.path.URN != "" {
		holder, _ = res[r.path.URN].(map[string]any)
	}
	value, ok := holder[r.path.Attr]
	if !ok {
		return nil
	}
	if !r.top.MultiValued {
		if r.path.Sub != "" {
			complex, _ := value.(map[string]any)
			if value, ok = complex[r.path.Sub]; !ok {
				return nil
			}
		}
		return []found{{value: value}}
	}
	list, _ := value.([]any)
	var all []found
	for _, item := range list {
		element, ok := item.(map[string]any)
		if !ok {
			all = append(all, found{value: item})
			continue
		}
		v, ok := element[r.path.Sub]
		if ok && r.accepts(element) {
			primary, _ := element["primary"].(bool)
			all = append(all, found{v, primary})
		}
	}
	return all
}

// elementsOf returns the complex values of a resource that the rule's attribute
// has, be they one or many.
func (r *rule) elementsOf(res scim.Resource) []map[string]any {
	holder := holderOf(res, r.path.URN)
	if one, ok := holder[r.path.Attr].(map[string]any); ok {
		return []map[string]any{one}
	}
	list, _ := holder[r.path.Attr].([]any)
	all := make([]map[string]any, 0, len(list))
	for _, item := range list {
		if element, ok := item.(map[string]any); ok {
			all = append(all, element)
		}
	}
	return all
}

// holderOf returns what holds the attributes of the core or of an extension.
func holderOf(res scim.Resource, urn string) map[string]any {
	if urn == "" {
		return res
	}
	holder, _ := res[urn].(map[string]any)
	return holder
}

// single enforces one value where the rule asks for it.
func (r *rule) single(all []found) ([]found, error) {
	if len(all) < 2 || r.config.Single == "" {
		return all, nil
	}
	switch r.config.Single {
	case SinglePrimary:
		for _, f := range all {
			if f.primary {
				return []found{f}, nil
			}
		}
	case SingleReject:
		return nil, scim.BadRequest(scim.TypeInvalidValue,
			"%s has %d values; this directory keeps one, so send one", r.path.String(), len(all))
	}
	return all[:1], nil
}

// show puts values of an entry into a resource.
func (r *rule) show(res scim.Resource, values []any) {
	for i, v := range values {
		r.put(res, v, i == 0)
		if r.showsOne() {
			break
		}
	}
}

// put puts one value into a resource, and returns the complex value that it is
// a part of, nil where the attribute is simple. first says that it is the first
// of the rule's values.
func (r *rule) put(res scim.Resource, v any, first bool) map[string]any {
	holder := map[string]any(res)
	if r.path.URN != "" {
		holder = child(holder, r.path.URN)
	}
	switch {
	case !r.top.MultiValued && r.path.Sub == "":
		holder[r.path.Attr] = v
		return nil
	case !r.top.MultiValued:
		element := child(holder, r.path.Attr)
		element[r.path.Sub] = v
		return element
	}
	list, _ := holder[r.path.Attr].([]any)
	if r.path.Sub == "" {
		holder[r.path.Attr] = append(list, v)
		return nil
	}
	element, list := r.elementFor(list, first)
	element[r.path.Sub] = v
	if r.marks && first && !hasPrimary(list) {
		element["primary"] = true
	}
	holder[r.path.Attr] = list
	return element
}

// elementFor returns the element of a list that a value is to be put into, and
// the list with it. The first value joins the element that other rules with the
// same constants have begun, as the parts of one address do.
func (r *rule) elementFor(list []any, first bool) (map[string]any, []any) {
	if first {
		if element := r.begun(list); element != nil {
			return element, list
		}
	}
	element := make(map[string]any, len(r.constant)+1)
	maps.Copy(element, r.constant)
	return element, append(list, element)
}

// begun finds the element that the rule's value belongs to: one with exactly
// its constants, and without a value of its own yet.
func (r *rule) begun(list []any) map[string]any {
	if len(r.constant) == 0 {
		return nil
	}
	for _, item := range list {
		element, ok := item.(map[string]any)
		if _, taken := element[r.path.Sub]; !ok || taken {
			continue
		}
		matches := true
		for name, c := range r.constant {
			matches = matches && equal(element[name], c)
		}
		if matches {
			return element
		}
	}
	return nil
}

func hasPrimary(list []any) bool {
	for _, item := range list {
		if element, ok := item.(map[string]any); ok && element["primary"] == true {
			return true
		}
	}
	return false
}

// child returns the complex value under a name, made where it is missing.
func child(holder map[string]any, name string) map[string]any {
	if c, ok := holder[name].(map[string]any); ok {
		return c
	}
	c := map[string]any{}
	holder[name] = c
	return c
}
