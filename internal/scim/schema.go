package scim

import (
	"encoding/json"
	"strings"
)

// The URNs of schemas and messages (RFC 7643 section 10, RFC 7644 section 10).
const (
	UserURN                  = "urn:ietf:params:scim:schemas:core:2.0:User"
	GroupURN                 = "urn:ietf:params:scim:schemas:core:2.0:Group"
	EnterpriseURN            = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	SchemaURN                = "urn:ietf:params:scim:schemas:core:2.0:Schema"
	ResourceTypeURN          = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	ServiceProviderConfigURN = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	ListResponseURN          = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	SearchRequestURN         = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	PatchOpURN               = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	BulkRequestURN           = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	BulkResponseURN          = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
	ErrorURN                 = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// Type is the data type of an attribute (RFC 7643 section 2.3).
type Type string

// The data types.
const (
	String    Type = "string"
	Boolean   Type = "boolean"
	Decimal   Type = "decimal"
	Integer   Type = "integer"
	DateTime  Type = "dateTime"
	Binary    Type = "binary"
	Reference Type = "reference"
	Complex   Type = "complex"
)

// Mutability says when a client may write an attribute (RFC 7643 section 2.2).
type Mutability string

// The kinds of mutability.
const (
	ReadOnly  Mutability = "readOnly"
	ReadWrite Mutability = "readWrite"
	Immutable Mutability = "immutable"
	WriteOnly Mutability = "writeOnly"
)

// Returned says when an answer contains an attribute (RFC 7643 section 2.2).
type Returned string

// The kinds of return.
const (
	ReturnedAlways  Returned = "always"
	ReturnedNever   Returned = "never"
	ReturnedDefault Returned = "default"
	ReturnedRequest Returned = "request"
)

// Uniqueness says among what a value is unique (RFC 7643 section 2.2).
type Uniqueness string

// The kinds of uniqueness.
const (
	UniqueNone   Uniqueness = "none"
	UniqueServer Uniqueness = "server"
	UniqueGlobal Uniqueness = "global"
)

// Attribute is the definition of an attribute or sub-attribute (RFC 7643
// section 7). Empty characteristics have the defaults of section 2.2: a string,
// readWrite, returned by default, not unique. Restricted says that the canonical
// values are the only ones; otherwise they are suggestions.
type Attribute struct {
	Name, Description               string
	Type                            Type
	MultiValued, Required           bool
	CaseExact                       bool
	Mutability                      Mutability
	Returned                        Returned
	Uniqueness                      Uniqueness
	CanonicalValues, ReferenceTypes []string
	Restricted                      bool
	SubAttributes                   []Attribute
}

// Schema is a named set of attributes (RFC 7643 section 7). One that is Apart is
// meant by its URN alone: a bare name is never one of its attributes, and who asks
// for it as a whole gets what is returned on request as well.
type Schema struct {
	ID, Name, Description string
	Attributes            []Attribute
	Apart                 bool
}

// WithDefaults returns a with the defaults of RFC 7643 section 2.2 filled in,
// its sub-attributes included.
func (a Attribute) WithDefaults() Attribute {
	if a.Type == "" {
		a.Type = String
		if len(a.SubAttributes) > 0 {
			a.Type = Complex
		}
	}
	if a.Mutability == "" {
		a.Mutability = ReadWrite
	}
	if a.Returned == "" {
		a.Returned = ReturnedDefault
	}
	if a.Uniqueness == "" {
		a.Uniqueness = UniqueNone
	}
	a.SubAttributes = withDefaults(a.SubAttributes)
	return a
}

func withDefaults(attributes []Attribute) []Attribute {
	var filled []Attribute
	for _, a := range attributes {
		filled = append(filled, a.WithDefaults())
	}
	return filled
}

// Sub returns the sub-attribute of that name, in any case. A multi-valued
// attribute that is not complex has the one sub-attribute "value", its element,
// because filters address it so (RFC 7643 section 2.4).
func (a Attribute) Sub(name string) (Attribute, bool) {
	if a.isComplex() {
		return findAttribute(a.SubAttributes, name)
	}
	if a.MultiValued && strings.EqualFold(name, "value") {
		element := a
		element.Name, element.MultiValued = "value", false
		return element, true
	}
	return Attribute{}, false
}

func (a Attribute) isComplex() bool {
	return a.Type == Complex || a.Type == "" && len(a.SubAttributes) > 0
}

// keyed reports whether the elements of a are known by their value and nothing
// else, as the members of a group are: the value cannot change, and an element
// without one means nothing.
func (a Attribute) keyed() bool {
	value, ok := a.Sub("value")
	return ok && a.MultiValued && a.isComplex() && value.Mutability == Immutable
}

// key is a form of the value of a keyed attribute that is one for equal values.
func (a Attribute) key(value string) string {
	part, _ := a.Sub("value")
	return form(part, value)
}

func findAttribute(attributes []Attribute, name string) (Attribute, bool) {
	for _, a := range attributes {
		if strings.EqualFold(a.Name, name) {
			return a, true
		}
	}
	return Attribute{}, false
}

// MarshalJSON writes the form of RFC 7643 section 7.
func (a Attribute) MarshalJSON() ([]byte, error) {
	a = a.WithDefaults()
	form := struct {
		Name            string      `json:"name"`
		Type            Type        `json:"type"`
		MultiValued     bool        `json:"multiValued"`
		Description     string      `json:"description"`
		Required        bool        `json:"required"`
		CanonicalValues []string    `json:"canonicalValues,omitempty"`
		CaseExact       *bool       `json:"caseExact,omitempty"`
		Mutability      Mutability  `json:"mutability"`
		Returned        Returned    `json:"returned"`
		Uniqueness      Uniqueness  `json:"uniqueness"`
		ReferenceTypes  []string    `json:"referenceTypes,omitempty"`
		SubAttributes   []Attribute `json:"subAttributes,omitempty"`
	}{
		a.Name, a.Type, a.MultiValued, a.Description, a.Required, a.CanonicalValues, nil,
		a.Mutability, a.Returned, a.Uniqueness, a.ReferenceTypes, a.SubAttributes,
	}
	switch a.Type {
	case String, Reference, Binary: // only text has a case
		form.CaseExact = &a.CaseExact
	}
	return json.Marshal(form)
}

// Resource returns the schema as what the /Schemas endpoint serves (RFC 7643
// section 7); a server adds meta.
func (s Schema) Resource() Resource {
	attributes := make([]any, len(s.Attributes))
	for i, a := range s.Attributes {
		attributes[i] = a
	}
	return Resource{
		"schemas":     []any{SchemaURN},
		"id":          s.ID,
		"name":        s.Name,
		"description": s.Description,
		"attributes":  attributes,
	}
}

// MarshalJSON writes the form of RFC 7643 section 7.
func (s Schema) MarshalJSON() ([]byte, error) { return json.Marshal(s.Resource()) }
