package ldapsink

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"scimgate/internal/directory"
)

// sparseSchema says what a directory's published schema leaves out and everybody
// has to know (MS-ADTS sections 3.1.1.2 and 3.1.1.3.1.1.1).
type sparseSchema struct {
	// matching are the rules by which values of a syntax are compared.
	matching map[string]matching
	// filled are attributes that the object classes demand and the directory
	// supplies by itself.
	filled []string
	// lengths is the filter of the entries, below the schema's own, that say how
	// long values may be; name and length are the attributes that say it.
	lengths, name, length string
}

// matching are the rules of one syntax; "" where values cannot be compared so.
type matching struct{ equality, ordering, substring string }

// activeDirectorySchema is for a list of attribute types without matching rules.
var activeDirectorySchema = &sparseSchema{
	matching: bySyntax,
	filled:   []string{"nTSecurityDescriptor", "instanceType", "objectCategory", "objectSid", "groupType"},
	lengths:  "(&(objectClass=attributeSchema)(rangeUpper=*))", name: "lDAPDisplayName", length: "rangeUpper",
}

// ds389Schema is for attribute types without a matching rule, of which 389 DS has
// many: it compares their values by their syntax.
var ds389Schema = &sparseSchema{matching: bySyntax}

// bySyntax are the rules of a directory that compares by syntax. Their names are
// those of the rules of RFC 4517 that compare in the same way.
var bySyntax = map[string]matching{
	"1.3.6.1.4.1.1466.115.121.1.15": {"caseIgnoreMatch", "caseIgnoreOrderingMatch", "caseIgnoreSubstringsMatch"},
	"1.2.840.113556.1.4.905":        {"caseIgnoreMatch", "caseIgnoreOrderingMatch", "caseIgnoreSubstringsMatch"}, // Teletex
	"1.2.840.113556.1.4.1362":       {"caseExactMatch", "caseExactOrderingMatch", "caseExactSubstringsMatch"},
	"1.3.6.1.4.1.1466.115.121.1.26": {"caseExactIA5Match", "caseExactOrderingMatch", "caseExactSubstringsMatch"},
	"1.3.6.1.4.1.1466.115.121.1.44": {"caseExactMatch", "caseExactOrderingMatch", "caseExactSubstringsMatch"},
	"1.3.6.1.4.1.1466.115.121.1.36": {"numericStringMatch", "numericStringOrderingMatch", "numericStringSubstringsMatch"},
	"1.3.6.1.4.1.1466.115.121.1.38": {"objectIdentifierMatch", "", ""},
	"1.3.6.1.4.1.1466.115.121.1.12": {"distinguishedNameMatch", "", ""},
	"1.3.6.1.4.1.1466.115.121.1.7":  {"booleanMatch", "", ""},
	"1.3.6.1.4.1.1466.115.121.1.27": {"integerMatch", "integerOrderingMatch", ""},
	"1.2.840.113556.1.4.906":        {"integerMatch", "integerOrderingMatch", ""}, // of 64 bits
	"1.3.6.1.4.1.1466.115.121.1.24": {"generalizedTimeMatch", "generalizedTimeOrderingMatch", ""},
	"1.3.6.1.4.1.1466.115.121.1.53": {"generalizedTimeMatch", "generalizedTimeOrderingMatch", ""}, // UTC time
	"1.3.6.1.4.1.1466.115.121.1.40": {"octetStringMatch", "octetStringOrderingMatch", ""},
}

// fill completes a schema that was read.
func (s *Sink) fill(ctx context.Context, schema *Schema, subschema string) error {
	for _, a := range schema.attributes {
		a.Composes = s.flavor.composes
	}
	sparse := s.flavor.schema
	if sparse == nil {
		return nil
	}
	for _, a := range schema.attributes {
		m := sparse.matching[a.Syntax]
		setDefault(&a.Equality, m.equality)
		setDefault(&a.Ordering, m.ordering)
		setDefault(&a.Substring, m.substring)
	}
	for _, name := range sparse.filled {
		schema.filled[strings.ToLower(name)] = true
	}
	if sparse.lengths == "" {
		return nil
	}
	_, parent := splitName(subschema)
	found, err := s.search(ctx, parent, sparse.lengths, []string{sparse.name, sparse.length})
	if err != nil {
		return err
	}
	for _, raw := range found {
		a := schema.attributes[strings.ToLower(first(raw, sparse.name))]
		if length, err := strconv.Atoi(first(raw, sparse.length)); err == nil && a != nil && a.Length == 0 {
			a.Length = length
		}
	}
	return nil
}

// addContentRules adds what entries of a structural class have beyond the class:
// auxiliary classes that nobody names in them, and attributes (RFC 4512 section
// 4.1.6).
func (s *Schema) addContentRules(texts []string) {
	for _, text := range texts {
		d := parseDescription(text)
		c := s.classes[strings.ToLower(d.oid)]
		if c == nil {
			continue
		}
		s.rules[c] = &directory.ObjectClass{Superiors: d.words["AUX"], Must: d.words["MUST"], May: d.words["MAY"]}
	}
}

// supplied moves attributes that the directory supplies by itself from those
// that an entry must be given to those that it may.
func (s *Schema) supplied(must, may []string) ([]string, []string) {
	fills := func(name string) bool { return s.filled[strings.ToLower(name)] }
	for _, name := range must {
		if fills(name) {
			may = append(may, name)
		}
	}
	return slices.DeleteFunc(must, fills), may
}
