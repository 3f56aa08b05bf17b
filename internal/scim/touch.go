package scim

import "slices"

// Touch is one attribute that an operation of a patch speaks of. A path-less
// operation touches as many as its value has keys.
type Touch struct {
	Operation int    // its number in the patch, from 1
	Op        string // add, replace or remove
	Path      Path   // as the schema spells it, or as it was sent where no schema has it
	Known     bool   // the type has such an attribute
	Ignored   bool   // it is read-only and one of several in a value, so nothing comes of it
	Value     any
	Given     bool // a value was sent
}

// Empties reports whether the operation leaves the attribute, or what its path
// selects of it, without a value.
func (t Touch) Empties() bool { return t.Op == "remove" || t.Op == "replace" && isBlank(t.Value) }

// Touches lists what a patch speaks of, in the order of its operations, so that a
// server can refuse what it does not offer before it does anything. What is wrong
// with an operation is left for Apply to say.
func Touches(def Definition, p Patch) []Touch {
	var all []Touch
	for i, o := range p.Operations {
		t := toucher{def: def, operation: i + 1, op: o.Op}
		switch {
		case o.Path == nil && o.Op != "remove":
			t.object("", single(o.Value))
		case o.Path != nil:
			t.path(*o.Path, o)
		}
		all = append(all, t.touches...)
	}
	return all
}

type toucher struct {
	def       Definition
	operation int
	op        string
	touches   []Touch
}

func (t *toucher) path(p Path, o Operation) {
	found, ok := t.def.find(p)
	if ok && found.path.Attr == "" && o.Op != "remove" && !isBlank(o.Value) {
		t.object(found.path.URN, single(o.Value))
		return
	}
	if ok {
		p = found.path
	}
	t.touches = append(t.touches, Touch{Operation: t.operation, Op: t.op, Path: p, Known: ok, Value: o.Value, Given: o.HasValue || o.Value != nil})
}

// object adds what the keys of a path-less value, or of a schema in it, touch.
func (t *toucher) object(urn string, v any) {
	object, _ := v.(map[string]any)
	for _, name := range sortedKeys(object) {
		found, ok, err := t.def.key(urn, name)
		if nested, isObject := object[name].(map[string]any); ok && found.path.Attr == "" && isObject && urn == "" {
			t.object(found.path.URN, nested)
			continue
		}
		one := Touch{Operation: t.operation, Op: t.op, Path: found.path, Known: ok && err == nil, Value: object[name], Given: true}
		one.Ignored = ok && found.readOnly()
		if !one.Known {
			one.Path = Path{URN: urn, Attr: name}
		}
		t.touches = append(t.touches, one)
	}
}

// MembersNamed counts the members that the touches of a group's patch name, and
// reports whether one of them may be about all that there are: members are replaced,
// or removed without being named, as by a filter on their type.
func MembersNamed(touches []Touch) (named int, all bool) {
	for _, t := range touches {
		if !t.Known || t.Path.URN != "" || t.Path.Attr != "members" {
			continue
		}
		if t.Path.Filter != nil {
			ids, _ := valuesNamed(t.Path.Filter)
			named += max(len(ids), 1)
			all = all || !namesMembers(t.Path.Filter)
			continue
		}
		named += len(elements(t.Value))
		all = all || t.Op == "replace" || t.Op == "remove" && !t.Given
	}
	return named, all
}

// namesMembers reports whether a filter can match the members alone that it names.
func namesMembers(f Filter) bool {
	if and, ok := f.(And); ok {
		return slices.ContainsFunc(and.Filters, namesMembers)
	}
	_, ok := valuesNamed(f)
	return ok
}
