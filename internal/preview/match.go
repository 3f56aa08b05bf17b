package preview

import (
	"slices"
	"strings"
	"time"

	"scimgate/internal/directory"
)

// matches holds an entry in memory against a filter, by the common matching
// rules: what differs from the directory's own is an entry too many in a preview.
func matches(f directory.Filter, e directory.Entry) bool {
	part := func(f directory.Filter) bool { return matches(f, e) }
	switch f.Op {
	case directory.All:
		return true
	case directory.None:
		return false
	case directory.And:
		return !slices.ContainsFunc(f.Filters, func(f directory.Filter) bool { return !part(f) })
	case directory.Or:
		return slices.ContainsFunc(f.Filters, part)
	case directory.Not:
		return len(f.Filters) == 1 && !part(f.Filters[0])
	}
	return slices.ContainsFunc(valuesOf(f.Attribute, e), func(v string) bool { return holds(f.Op, v, f.Value) })
}

// valuesOf returns an attribute's values; those with a name of their own too.
func valuesOf(attribute string, e directory.Entry) []string {
	switch attribute {
	case directory.AttrID:
		return []string{e.ID}
	case directory.AttrDN:
		return []string{e.DN}
	case directory.AttrCreated:
		return []string{e.Created.Format(time.RFC3339)}
	case directory.AttrModified:
		return []string{e.Modified.Format(time.RFC3339)}
	case directory.AttrLeft:
		ids := make([]string, len(e.Marker.Left))
		for i, id := range e.Marker.Left {
			ids[i] = directory.ExpandID(id, e.ID)
		}
		return ids
	case directory.AttrState:
		return []string{string(e.Marker.State)}
	}
	for name, values := range e.Attributes {
		if strings.EqualFold(name, attribute) {
			return values
		}
	}
	return nil
}

func holds(op directory.FilterOp, value, asked string) bool {
	folded, wanted := directory.FoldValue(value), directory.FoldValue(asked)
	switch op {
	case directory.Present:
		return true
	case directory.Equal:
		return same(value, asked)
	case directory.Prefix:
		return strings.HasPrefix(folded, wanted)
	case directory.Suffix:
		return strings.HasSuffix(folded, wanted)
	case directory.Contains:
		return strings.Contains(folded, wanted)
	case directory.AtLeast:
		return folded >= wanted
	case directory.AtMost:
		return folded <= wanted
	}
	return false
}

// same reports whether two values are one, be they text or names.
func same(a, b string) bool {
	return directory.FoldValue(a) == directory.FoldValue(b) || directory.FoldDN(a) == directory.FoldDN(b)
}
