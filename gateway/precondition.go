package gateway

import (
	"net/http"
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// precondition is what a client says of the version that it knows (RFC 7644
// section 3.14, RFC 9110 section 13).
type precondition struct {
	match     *entityTags // If-Match: one of these, or nothing is done
	noneMatch *entityTags // If-None-Match: none of these
}

// entityTags is the value of one of the two headers.
type entityTags struct {
	any  bool // "*"
	tags []string
}

// particular reports whether the version makes a difference: any will do for
// who says nothing, or If-Match: *.
func (p precondition) particular() bool {
	return p.noneMatch != nil || p.match != nil && !p.match.any
}

// preconditionOf reads the two headers. One that cannot be read is refused: a
// write whose condition nobody understands is not a write that may happen.
func preconditionOf(h http.Header) (precondition, error) {
	var p precondition
	var err error
	if p.match, err = tagsOf(h, "If-Match"); err != nil {
		return p, err
	}
	p.noneMatch, err = tagsOf(h, "If-None-Match")
	return p, err
}

func tagsOf(h http.Header, name string) (*entityTags, error) {
	text := strings.Join(h.Values(name), ",")
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	tags, ok := parseTags(text)
	if !ok {
		return nil, scim.BadRequest(scim.TypeInvalidSyntax,
			"%s has to be * or a list of entity tags in quotes, such as W/\"1\": the ETag or meta.version of an answer as it is", name)
	}
	return &tags, nil
}

// parseTags reads "*" or a list of entity tags (RFC 9110 section 8.8.3), whose
// empty elements do not count. A comma inside the quotes belongs to the tag.
func parseTags(text string) (entityTags, bool) {
	if strings.TrimSpace(text) == "*" {
		return entityTags{any: true}, true
	}
	var e entityTags
	for {
		text = strings.TrimLeft(text, " \t,")
		if text == "" {
			return e, len(e.tags) > 0
		}
		rest, ok := strings.CutPrefix(strings.TrimPrefix(text, "W/"), `"`)
		tag, after, closed := strings.Cut(rest, `"`)
		if !ok || !closed || strings.ContainsFunc(tag, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
			return e, false
		}
		e.tags = append(e.tags, tag)
		text = strings.TrimLeft(after, " \t")
		if text != "" && text[0] != ',' {
			return e, false
		}
	}
}

// has reports whether a version is among the tags. Tags compare weakly: a
// version says that the entry is the same, not that every byte of the answer is.
func (e entityTags) has(version string) bool {
	return e.any || slices.Contains(e.tags, version)
}

// write refuses a write to a resource in a version that the client does not
// want to write to.
func (p precondition) write(version string) error {
	if p.match != nil && !p.match.has(version) {
		return preconditionFailed("the resource has changed: its version is no longer the one in If-Match; read it again")
	}
	if p.noneMatch != nil && p.noneMatch.has(version) {
		return preconditionFailed("the resource is there in a version that If-None-Match excludes; nothing was changed")
	}
	return nil
}

// read says whether the client knows the version already. A read of another
// version than If-Match wants is refused.
func (p precondition) read(version string) (known bool, err error) {
	if p.match != nil && !p.match.has(version) {
		return false, preconditionFailed("the resource has another version than the one in If-Match; send the one that it has, or leave If-Match out")
	}
	return p.noneMatch != nil && p.noneMatch.has(version), nil
}

// create refuses a condition that no resource which is yet to be made can hold.
func (p precondition) create() error {
	if p.match != nil {
		return preconditionFailed("a resource that is to be created has no version yet, so If-Match cannot hold; leave it out")
	}
	return nil
}

// permitted refuses a write to an entry in a version that the client does not
// want to write to, and a person's own write where they no longer may.
func (q *request) permitted(e directory.Entry) error {
	if q.self && e.Marker.State != directory.Active {
		return deactivated()
	}
	return q.precondition.write(e.Version)
}

func preconditionFailed(detail string) *scim.Error {
	return &scim.Error{Status: http.StatusPreconditionFailed, Detail: detail}
}
