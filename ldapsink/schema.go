package ldapsink

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"scimgate/internal/directory"
)

// Schema is a directory.Schema as the directory publishes it; names are found by
// their numbers too.
type Schema struct {
	attributes map[string]*directory.AttributeType
	classes    map[string]*directory.ObjectClass
	rules      map[*directory.ObjectClass]*directory.ObjectClass // content rules, each as a class
	filled     map[string]bool                                   // attributes that the directory supplies, by their names in lower case
}

// Schema reads the directory's schema.
func (s *Sink) Schema(ctx context.Context) (*Schema, error) {
	dse, err := s.base(ctx, "", []string{"subschemaSubentry"})
	if err != nil {
		return nil, wrap("schema", err)
	}
	if dse == nil || first(dse, "subschemaSubentry") == "" {
		return nil, wrap("schema", failf(directory.Internal, "the root DSE does not say where the schema is"))
	}
	name := first(dse, "subschemaSubentry")
	raw, err := s.base(ctx, name, []string{"attributeTypes", "objectClasses", "dITContentRules"})
	if err != nil {
		return nil, wrap("schema", err)
	}
	if raw == nil {
		return nil, wrap("schema", failf(directory.Internal, "the schema cannot be read"))
	}
	schema := parseSchema(values(raw, "attributeTypes"), values(raw, "objectClasses"))
	schema.addContentRules(values(raw, "dITContentRules"))
	if err := s.fill(ctx, schema, name); err != nil {
		return nil, wrap("schema", err)
	}
	return schema, nil
}

// parseSchema reads descriptions in the form of RFC 4512 sections 4.1.1 and 4.1.2.
func parseSchema(attributeTypes, objectClasses []string) *Schema {
	schema := &Schema{
		attributes: map[string]*directory.AttributeType{}, classes: map[string]*directory.ObjectClass{},
		rules: map[*directory.ObjectClass]*directory.ObjectClass{}, filled: map[string]bool{},
	}
	for _, text := range attributeTypes {
		d := parseDescription(text)
		a := &directory.AttributeType{
			Names: d.words["NAME"], OID: d.oid, Superior: d.first("SUP"), Single: d.has("SINGLE-VALUE"),
			Equality: d.first("EQUALITY"), Ordering: d.first("ORDERING"), Substring: d.first("SUBSTR"),
			ReadOnly: d.has("NO-USER-MODIFICATION"), Operational: d.has("USAGE") && d.first("USAGE") != "userApplications",
		}
		a.Syntax, a.Length = syntaxAndLength(d.first("SYNTAX"))
		for _, name := range append([]string{a.OID}, a.Names...) {
			schema.attributes[strings.ToLower(name)] = a
		}
	}
	for _, a := range schema.attributes {
		schema.inherit(a, 0)
	}
	for _, text := range objectClasses {
		d := parseDescription(text)
		c := &directory.ObjectClass{Names: d.words["NAME"], OID: d.oid, Superiors: d.words["SUP"], Kind: "STRUCTURAL", Must: d.words["MUST"], May: d.words["MAY"]}
		for _, kind := range []string{"ABSTRACT", "AUXILIARY"} {
			if d.has(kind) {
				c.Kind = kind
			}
		}
		for _, name := range append([]string{c.OID}, c.Names...) {
			schema.classes[strings.ToLower(name)] = c
		}
	}
	return schema
}

// syntaxAndLength parts "1.3.6.1.4.1.1466.115.121.1.15{256}".
func syntaxAndLength(text string) (string, int) {
	oid, bound, _ := strings.Cut(text, "{")
	length, err := strconv.Atoi(strings.TrimSuffix(bound, "}"))
	if err != nil {
		length = 0
	}
	return oid, length
}

// inherit fills in what an attribute takes over from its superior.
func (s *Schema) inherit(a *directory.AttributeType, depth int) {
	super := s.attributes[strings.ToLower(a.Superior)]
	if super == nil || depth > 10 {
		return
	}
	s.inherit(super, depth+1)
	setDefault(&a.Equality, super.Equality)
	setDefault(&a.Ordering, super.Ordering)
	setDefault(&a.Substring, super.Substring)
	setDefault(&a.Syntax, super.Syntax)
	setDefault(&a.Length, super.Length)
}

// Attribute returns what is known about an attribute; options are ignored.
func (s *Schema) Attribute(description string) (directory.AttributeType, bool) {
	name, _, _ := strings.Cut(description, ";")
	a, ok := s.attributes[strings.ToLower(name)]
	if !ok {
		return directory.AttributeType{}, false
	}
	return *a, true
}

// Class returns what is known about an object class.
func (s *Schema) Class(name string) (directory.ObjectClass, bool) {
	c, ok := s.classes[strings.ToLower(name)]
	if !ok {
		return directory.ObjectClass{}, false
	}
	return *c, true
}

// Allowed returns the attributes that an entry of the object classes must have
// and those that it may have besides, those of superior classes included, each
// by the name that the directory returns it under. extensible says that one of
// the classes allows every attribute.
func (s *Schema) Allowed(classes []string) (must, may []string, extensible bool) {
	seen := map[*directory.ObjectClass]bool{}
	var visit func(c *directory.ObjectClass)
	visit = func(c *directory.ObjectClass) {
		if c == nil || seen[c] {
			return
		}
		seen[c] = true
		extensible = extensible || slices.Contains(c.Names, "extensibleObject")
		for _, a := range c.Must {
			must = append(must, s.canonical(a))
		}
		for _, a := range c.May {
			may = append(may, s.canonical(a))
		}
		for _, super := range c.Superiors {
			visit(s.classes[strings.ToLower(super)])
		}
		visit(s.rules[c])
	}
	for _, name := range classes {
		visit(s.classes[strings.ToLower(name)])
	}
	must, may = s.supplied(must, may)
	slices.Sort(must)
	slices.Sort(may)
	must, may = slices.Compact(must), slices.Compact(may)
	may = slices.DeleteFunc(may, func(name string) bool { return slices.Contains(must, name) })
	return must, may, extensible
}

// canonical returns the first name of an attribute.
func (s *Schema) canonical(name string) string {
	if a := s.attributes[strings.ToLower(name)]; a != nil && len(a.Names) > 0 {
		return a.Names[0]
	}
	return name
}

// description is one description, taken apart: its keywords with their words.
type description struct {
	oid   string
	words map[string][]string
}

func (d description) has(keyword string) bool { _, ok := d.words[keyword]; return ok }

func (d description) first(keyword string) string {
	if w := d.words[keyword]; len(w) > 0 {
		return w[0]
	}
	return ""
}

// parseDescription reads "( oid KEYWORD word KEYWORD ( word $ word ) ... )".
// Keywords are told from words by their place, not their looks: those that
// stand alone are known.
func parseDescription(text string) description {
	tokens := tokenize(text)
	d := description{words: map[string][]string{}}
	if len(tokens) > 0 {
		d.oid = tokens[0]
	}
	for i := 1; i < len(tokens); {
		keyword := tokens[i]
		i++
		d.words[keyword] = nil
		switch keyword {
		case "OBSOLETE", "SINGLE-VALUE", "COLLECTIVE", "NO-USER-MODIFICATION", "ABSTRACT", "STRUCTURAL", "AUXILIARY":
			continue
		}
		if i < len(tokens) && tokens[i] == "(" {
			for i++; i < len(tokens) && tokens[i] != ")"; i++ {
				d.words[keyword] = append(d.words[keyword], tokens[i])
			}
			i++
		} else if i < len(tokens) {
			d.words[keyword] = []string{tokens[i]}
			i++
		}
	}
	return d
}

// tokenize splits a description without its outer brackets. Dollar signs are
// dropped; a quoted text is one token.
func tokenize(text string) []string {
	text = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), "("), ")")
	var tokens []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimLeft(text, " \t\n$") {
		switch text[0] {
		case '(', ')':
			tokens, text = append(tokens, text[:1]), text[1:]
		case '\'':
			quoted, rest, _ := strings.Cut(text[1:], "'")
			tokens, text = append(tokens, quoted), rest
		default:
			end := strings.IndexAny(text, " \t\n()$'")
			if end < 0 {
				end = len(text)
			}
			if end == 0 {
				end = 1
			} else {
				tokens = append(tokens, text[:end])
			}
			text = text[end:]
		}
	}
	return tokens
}
