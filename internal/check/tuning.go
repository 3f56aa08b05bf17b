package check

import (
	"context"
	"slices"
	"strings"

	"scimgate/ldapsink"
)

// tuning looks whether what every request searches has an index, and who keeps
// unique what has to be.
func (c *checker) tuning(ctx context.Context, sink *ldapsink.Sink, typ Type) {
	base := typ.Mapping.Collection().Base
	t, err := sink.Tuning(ctx, base)
	searched := typ.Mapping.Searched()
	if err != nil || t == nil {
		var names []string
		for _, p := range searched {
			names = appendOnce(names, p.Attribute)
		}
		c.note(typ.Key+".attributes", "the account cannot see which indexes the directory has; see to it that there is one for equality of %s", list(append(names, sink.Searched()...)))
		c.note(typ.Key+".attributes", "whether the directory itself keeps values of %s unique cannot be seen; if it does not, the gateway alone does, and whoever writes past it can make doubles", list(distinct(typ)))
		return
	}
	for _, p := range searched {
		if !t.Indexed(p.Attribute) {
			c.warn(typ.Key+"."+p.Key, "the gateway searches for values of %s, and there is no index for that; %s", p.Attribute, t.Order(p.Attribute))
		}
	}
	for _, name := range sink.Searched() {
		if !t.Indexed(name) {
			c.warn(typ.Key+".base", "the gateway searches for values of %s, and there is no index for that; %s", name, t.Order(name))
		}
	}
	for _, p := range typ.Mapping.Distinct() {
		own := strings.EqualFold(p.Attribute, typ.Mapping.Collection().Naming)
		if !own && !slices.ContainsFunc(t.Unique, func(u string) bool { return strings.EqualFold(u, p.Attribute) }) {
			c.note(typ.Key+"."+p.Key, "the gateway alone keeps values of %s unique; let the directory do so too if others write to it", p.Attribute)
		}
	}
}

// distinct are the attributes that the gateway keeps unique.
func distinct(typ Type) []string {
	var names []string
	for _, p := range typ.Mapping.Distinct() {
		names = appendOnce(names, p.Attribute)
	}
	return names
}

func appendOnce(names []string, name string) []string {
	if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
		return names
	}
	return append(names, name)
}
