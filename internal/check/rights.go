package check

import (
	"context"
	"slices"
	"strings"

	"scimgate/ldapsink"
)

// powers warns of a bind account that can do more than it needs to.
func (c *checker) powers(ctx context.Context, key string, sink *ldapsink.Sink, tenants []Tenant) {
	seen := map[string]bool{}
	for _, base := range bases(tenants) {
		top, err := sink.Top(ctx, base)
		if err != nil || seen[top] {
			continue
		}
		seen[top] = true
		const advice = "give the gateway an account of its own, with rights below the bases of its tenants and nowhere else"
		all, err := sink.Powers(ctx, base)
		if err == nil && len(all) > 0 {
			c.warn(key+".bind.dn", "%s %s; %s", c.Config.Directories[key[len("directories."):]].Bind.DN, strings.Join(all, ", "), advice)
			continue
		}
		if r, err := sink.Rights(ctx, top, nil); err == nil && r != nil && r.Any() && !within(top, base) {
			c.warn(key+".bind.dn", "the account may change %s, outside of the bases; %s", top, advice)
		}
	}
}

// rights looks whether the account may do what the gateway has to, where the
// directory tells: on the base, and on an entry below it.
func (c *checker) rights(ctx context.Context, sink *ldapsink.Sink, schema *ldapsink.Schema, typ Type) {
	collection := typ.Mapping.Collection()
	written := typ.Mapping.Written()
	var names []string
	for _, p := range written {
		names = appendOnce(names, p.Attribute)
	}
	r, err := sink.Rights(ctx, collection.Base, names)
	if err != nil || r == nil {
		if !c.Write {
			c.note(typ.Key+".base", "the directory does not tell what the account may do, and nothing was tried; check once with --write-test")
		}
		return
	}
	class := structural(schema, collection.ObjectClasses)
	c.creates(typ, r, class)
	c.places(ctx, sink, typ, class)
	// The last class alone tells the kind: others may live below the same base.
	classes := collection.ObjectClasses
	sample, err := sink.Example(ctx, collection.Base, classes[len(classes)-1])
	if err != nil || sample == "" {
		c.note(typ.Key+".base", "there is no entry below %s on which the rights could be read; check once with --write-test, or again when there are entries", collection.Base)
		return
	}
	if r, err = sink.Rights(ctx, sample, names); err != nil || r == nil {
		return
	}
	if r.Rename != nil && !*r.Rename {
		c.err(typ.Key+".base", "the account may not rename %s; give it the right for all entries below the base", sample)
	}
	if r.Delete != nil && !*r.Delete && typ.Mapping.DeletesForGood() {
		c.err(typ.Key+".delete", "the account may not delete %s; give it the right for all entries below the base", sample)
	}
	for _, p := range written {
		if !r.Writes(p.Attribute) {
			c.err(typ.Key+"."+p.Key, "the account may not write %s of %s; give it the right for all entries below the base", p.Attribute, sample)
		}
	}
}

// creates looks whether the account may add entries below the base. A directory that
// tells it by a control speaks of the base as it is, and knows nothing of a right that
// depends on what the new entry holds: there an attempt decides.
func (c *checker) creates(typ Type, r *ldapsink.Rights, class string) {
	base := typ.Mapping.Collection().Base
	switch {
	case r.Creates(class):
	case r.Add == nil:
		c.err(typ.Key+".base", "the account may not add entries below %s; give it the right", base)
	case !c.Write:
		c.warn(typ.Key+".base", "the account may not add entries below %s, unless its right depends on what they hold; give it the right, or check with --write-test", base)
	}
}

// places looks whether the account may move entries to where the steps of
// deactivation put them: otherwise a deactivation locks and then fails.
func (c *checker) places(ctx context.Context, sink *ldapsink.Sink, typ Type, class string) {
	for _, place := range typ.Mapping.Collection().Places {
		r, err := sink.Rights(ctx, place, nil)
		if err != nil || r == nil {
			continue
		}
		if may := r.Moves(class); may != nil && !*may {
			c.err(typ.Key+".deactivate", "the account may not move entries to below %s; give it there the rights that it has below the base", place)
		}
	}
}

// structural returns the class that an entry of the classes is made as: the last
// that says what an entry is, and not only what it may have besides.
func structural(schema *ldapsink.Schema, classes []string) string {
	for _, name := range slices.Backward(classes) {
		if schema == nil {
			break
		}
		if class, ok := schema.Class(name); ok && class.Kind == "STRUCTURAL" {
			return name
		}
	}
	return classes[len(classes)-1]
}
