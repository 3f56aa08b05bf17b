package scim

import (
	"fmt"
	"sort"
	"strings"
)

// Apply carries out a patch on a copy of the resource: all operations in order,
// or none (RFC 7644 section 3.5.2). Where identity providers need more than the
// RFC says (docs/identity-providers.md, rules 5 to 20):
//
//   - the value of a path-less operation is merged key by key, and a key may be a
//     path; unknown and read-only keys are ignored there
//   - an operation on a path with an unknown extension's URN is ignored
//   - add and replace on emails[type eq "work"].value create the element if
//     there is none (the RFC wants noTarget for replace)
//   - remove with a list of values removes only those values
//   - replace with null, "" or [] removes
//
// Errors are 400: invalidPath for an unknown attribute, mutability for a
// read-only or required one, noTarget, invalidValue. Their detail names the
// operation.
func Apply(def Definition, r Resource, p Patch) (Resource, error) {
	if len(p.Operations) > maxOperations {
		return nil, BadRequest(TypeTooMany, "the patch has %d operations; send at most %d at a time", len(p.Operations), maxOperations)
	}
	e := editor{def: def, r: r.Clone(), work: new(int)}
	for i, o := range p.Operations {
		if err := e.operation(o); err != nil {
			return nil, within(fmt.Sprintf("operation %d (%s)", i+1, o), err)
		}
	}
	return e.r, nil
}

// maxOperations bounds the work on one patch: an operation may have to look at
// every value that those before it have made.
const maxOperations = 500

// editor changes the resource r in place.
type editor struct {
	def      Definition
	r        Resource
	work     *int // how many elements of lists were looked at, see spend
	creating bool // r is being built from one body, so nothing may be given twice
}

// change is one operation on one target.
type change struct {
	target
	op       string
	value    any
	pathless bool // a key of a path-less value: an empty one to add says nothing
}

func (c change) replacing() bool { return c.op == "replace" }

func (e editor) operation(o Operation) error {
	if o.Op != "add" && o.Op != "replace" && o.Op != "remove" {
		return BadRequest(TypeInvalidSyntax, "unknown op, expected add, replace or remove")
	}
	if o.Path == nil {
		if o.Op == "remove" {
			return BadRequest(TypeNoTarget, "remove needs a path that says what to remove, such as title or members[value eq \"…\"]")
		}
		return e.mergeValue(o.Op, "", o.Value)
	}
	t, known, err := e.def.target(*o.Path)
	if err != nil || !known {
		return err
	}
	switch {
	case t.readOnly():
		return BadRequest(TypeMutability, "%s of %s is read-only; leave the operation out", t.path.brief(), e.def.Name)
	case o.Op == "remove":
		return e.removeOperation(t, o)
	case !o.HasValue:
		return BadRequest(TypeInvalidValue, "%s needs a value, such as %s", o.Op, example(t.leaf))
	case t.path.Attr == "":
		if o.Op == "replace" && isBlank(o.Value) {
			return e.remove(t)
		}
		return e.mergeValue(o.Op, t.path.URN, o.Value)
	}
	return e.assign(change{target: t, op: o.Op, value: o.Value})
}

// target finds what an operation's path addresses. It is not known, and no
// error, if the path is in a schema that this resource type does not have.
func (d Definition) target(p Path) (target, bool, error) {
	t, ok := d.find(p)
	if ok {
		return t, true, nil
	}
	if _, ours := d.schema(p.URN); p.URN != "" && !ours {
		return target{}, false, nil
	}
	if p.Filter != nil {
		plain := p
		plain.Filter = nil
		if _, ok := d.find(plain); ok {
			return target{}, false, BadRequest(TypeInvalidPath, "the filter in %s names a sub-attribute that %s does not have; /Schemas lists those it has", p.brief(), p.Attr)
		}
	}
	return target{}, false, BadRequest(TypeInvalidPath, "%s has no attribute %s; /Schemas lists those it has", d.Name, p.brief())
}

// mergeValue merges the value of a path-less operation, or of one on a schema.
func (e editor) mergeValue(op, urn string, v any) error {
	if list, ok := v.([]any); ok && len(list) == 1 {
		v = list[0]
	}
	object, ok := v.(map[string]any)
	if !ok {
		return BadRequest(TypeInvalidValue, "got %s, expected an object with the attributes to %s", kindOf(v), op)
	}
	return e.merge(op, urn, object)
}

// merge assigns every key of the object that is known and not read-only. Plain
// names come before paths with a filter, so that the outcome does not depend on
// an order that JSON objects do not have.
func (e editor) merge(op, urn string, object map[string]any) error {
	keys := sortedKeys(object)
	sort.SliceStable(keys, func(i, j int) bool {
		return !strings.Contains(keys[i], "[") && strings.Contains(keys[j], "[")
	})
	for _, key := range keys {
		t, ok, err := e.def.key(urn, key)
		if err != nil {
			return err
		}
		if !ok || t.readOnly() {
			continue
		}
		c := change{target: t, op: op, value: object[key], pathless: true}
		if t.path.Attr == "" {
			err = e.mergeExtension(c, urn)
		} else {
			err = e.assign(c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mergeExtension merges the object that a schema's URN has for a value.
func (e editor) mergeExtension(c change, within string) error {
	if within != "" { // a schema does not nest in another
		return nil
	}
	if isBlank(c.value) {
		if _, empty := c.value.(map[string]any); c.replacing() && !empty && c.path.URN != e.def.Core.ID {
			return e.remove(c.target)
		}
		return nil
	}
	object, ok := c.value.(map[string]any)
	if !ok {
		return BadRequest(TypeInvalidValue, "%s: got %s, expected an object with attributes", c.path.brief(), kindOf(c.value))
	}
	return e.merge(c.op, c.path.URN, object)
}

// assign adds or replaces.
func (e editor) assign(c change) error {
	if err := e.spend(c.target); err != nil {
		return err
	}
	return e.guard(c.target, func() error { return e.set(c) })
}

func (e editor) set(c change) error {
	switch {
	case c.path.Filter != nil && !c.top.MultiValued:
		return BadRequest(TypeInvalidPath, "%s has one value at most, expected no filter", c.path.Attr)
	case c.path.Filter != nil:
		return e.assignMatching(c)
	case c.path.Sub != "" && c.top.MultiValued:
		return e.assignEach(c)
	case c.path.Sub != "":
		return e.assignSub(c)
	case c.top.MultiValued:
		return e.assignList(c)
	case c.top.isComplex():
		return e.assignComplex(c)
	}
	v, err := normalize(c.top, c.path.brief(), c.value)
	if err != nil {
		return err
	}
	if v == nil {
		return e.clear(c)
	}
	if v, err = e.settled(c, e.get(c.path), v); err != nil {
		return err
	}
	e.put(c.path, v)
	return nil
}

// settled is what is there once v was set in the place of old: what is immutable
// stays as it is spelt. It is an error if v may not be set.
func (e editor) settled(c change, old, v any) (any, error) {
	switch {
	case old == nil || equal(old, v):
		return v, nil
	case e.creating:
		return nil, BadRequest(TypeInvalidSyntax, "%s: given twice, with different values; send it once", c.path.brief())
	case !c.leaf.fixed():
		return v, nil
	case !alike(c.leaf, old, v):
		return nil, e.immutable(c.target)
	}
	return old, nil
}

// clear is what an empty value does: it replaces by nothing, but adding it is a
// mistake, unless it was one key among others or a list of none.
func (e editor) clear(c change) error {
	if c.replacing() {
		return e.remove(c.target)
	}
	if list, ok := c.value.([]any); c.pathless || ok && len(list) == 0 {
		return nil
	}
	return BadRequest(TypeInvalidValue, "the value is empty, expected %s", example(c.leaf))
}

// assignSub sets name.givenName or manager.value.
func (e editor) assignSub(c change) error {
	v, err := normalize(c.leaf, c.path.brief(), c.value)
	if err != nil {
		return err
	}
	if v == nil {
		return e.clear(c)
	}
	object, _ := clone(e.get(c.path)).(map[string]any)
	if v, err = e.settled(c, object[c.path.Sub], v); err != nil {
		return err
	}
	if object == nil || c.path.Sub == "value" && !alike(c.leaf, object["value"], v) {
		object = map[string]any{} // $ref and the like belong to the old value
	}
	object[c.path.Sub] = v
	e.put(c.path, object)
	return nil
}

// assignComplex sets name or manager. Sub-attributes that are not given stay
// (RFC 7644 section 3.5.2.3), unless the value itself is given: they were about
// the old one.
func (e editor) assignComplex(c change) error {
	v, err := normalize(c.top, c.path.brief(), c.value)
	if err != nil {
		return err
	}
	given, isObject := single(c.value).(map[string]any)
	value, valued := c.top.Sub("value")
	part, _ := v.(map[string]any)
	if v == nil && (valued || !isObject) {
		return e.clear(c)
	}
	old, _ := e.get(c.path).(map[string]any)
	object, _ := clone(old).(map[string]any)
	if part["value"] != nil && !alike(value, part["value"], old["value"]) {
		object = map[string]any{}
	}
	if c.replacing() {
		for key := range given { // explicitly empty ones go
			sub, ok := c.top.Sub(key)
			if !ok || part[sub.Name] != nil || sub.Mutability == ReadOnly {
				continue
			}
			if err := e.removable(c.target, sub, old); err != nil {
				return err
			}
			delete(object, sub.Name)
		}
	}
	for name, v := range part {
		leaf, _ := c.top.Sub(name)
		one := c
		one.leaf, one.path.Sub = leaf, name
		if object[name], err = e.settled(one, old[name], v); err != nil {
			return err
		}
	}
	if len(object) == 0 && old != nil {
		return e.remove(c.target)
	}
	e.put(c.path, object)
	return nil
}

// single takes a value out of lists of one.
func single(v any) any {
	for {
		list, ok := v.([]any)
		if !ok || len(list) != 1 {
			return v
		}
		v = list[0]
	}
}

// get returns the value of the attribute that p is in.
func (e editor) get(p Path) any { return e.r.attributes(p.URN)[p.Attr] }

// put sets the attribute that p is in; an empty value takes it out.
func (e editor) put(p Path, v any) {
	attributes := e.r.attributes(p.URN)
	if isBlank(v) {
		delete(attributes, p.Attr)
		if p.URN != "" && len(attributes) == 0 {
			delete(e.r, p.URN)
		}
		return
	}
	if attributes == nil {
		attributes = map[string]any{}
		e.r[p.URN] = attributes
	}
	attributes[p.Attr] = v
}
