package mapping

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"scimgate/internal/directory"
)

// Choice is a value that a template makes and that gets a suffix where another
// entry has it: of the candidates the first that is free.
type Choice struct {
	Attribute string
	// Text is what the template makes of the resource.
	Text string
	// Siblings says that it has to differ only from those directly below the same
	// base, as a name has to. Otherwise no entry below the base may have it.
	Siblings bool

	most   int // characters; 0 is no limit
	naming bool
}

func (m *Mapping) choice(r *rule, text string) Choice {
	return Choice{Attribute: r.config.LDAP, Text: text, Siblings: r == m.naming && !r.config.Unique,
		most: r.config.MaxLength, naming: r == m.naming}
}

// Candidate returns the nth value, counted from one: smith, smith2, smith3;
// "John Smith", "John Smith 2"; and where a digit comes before it agent7-2.
func (c Choice) Candidate(n int) string {
	if n < 2 {
		return c.Text
	}
	suffix := strconv.Itoa(n)
	front := c.front(len(suffix))
	switch last, _ := utf8.DecodeLastRuneInString(front); {
	case strings.ContainsFunc(c.Text, unicode.IsSpace):
		suffix = " " + suffix
	case unicode.IsDigit(last):
		suffix = "-" + suffix
	}
	return c.front(len(suffix)) + suffix
}

// front is the text without what a suffix of so many characters needs.
func (c Choice) front(suffix int) string {
	if c.most == 0 {
		return c.Text
	}
	return cut(c.Text, c.most-suffix)
}

// Number returns which candidate a value is, in whatever spelling; ok is false
// where it is none.
func (c Choice) Number(value string) (n int, ok bool) {
	same := func(n int) bool { return directory.FoldValue(c.Candidate(n)) == directory.FoldValue(value) }
	if same(1) {
		return 1, true
	}
	digits := value[len(strings.TrimRight(value, "0123456789")):]
	n, err := strconv.Atoi(digits)
	if err != nil || n < 2 || digits[0] == '0' {
		return 0, false
	}
	return n, same(n)
}

// With returns the want with a choice settled.
func (w Want) With(c Choice, value string) Want {
	w.Attributes = maps.Clone(w.Attributes)
	w.Attributes[c.Attribute] = []string{value}
	if c.naming {
		w.Name = value
	}
	if !c.Siblings {
		w.Keys = append(slices.Clip(w.Keys), directory.Key{Attribute: c.Attribute, Value: value})
	}
	w.Open = slices.DeleteFunc(slices.Clone(w.Open), func(o Choice) bool { return o.Attribute == c.Attribute })
	return w
}

// Keeps returns the value that an entry has of a choice, if that may stay: it is
// a candidate, the template makes what it made before, or nobody has managed the
// entry yet, who could have given it another name.
func (m *Mapping) Keeps(old directory.Entry, want Want, c Choice) (string, bool) {
	values := old.Attributes[c.Attribute]
	if len(values) == 0 {
		return "", false
	}
	for _, v := range values {
		if n, ok := c.Number(v); ok {
			return c.Candidate(n), true
		}
	}
	if slices.Contains(want.Kept, c.Attribute) || old.Marker.Source == "" {
		return values[0], true
	}
	return "", false
}
