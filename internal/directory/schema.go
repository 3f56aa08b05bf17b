package directory

// Schema is what a directory says about its attributes and object classes
// (RFC 4512 section 4.2). Names are found whatever their case, and by every
// name that the directory gives them.
type Schema interface {
	// Attribute returns what is known about an attribute; options are ignored.
	Attribute(description string) (AttributeType, bool)
	// Class returns what is known about an object class.
	Class(name string) (ObjectClass, bool)
	// Allowed returns the attributes that an entry of the object classes must
	// have and those that it may have besides, superior classes included, each
	// by its first name. extensible says that one class allows every attribute.
	Allowed(classes []string) (must, may []string, extensible bool)
}

// AttributeType is what is known about an attribute, with what it takes over
// from the attribute that it is derived from.
type AttributeType struct {
	Names       []string // the first is the one under which the directory returns values
	OID         string
	Superior    string
	Single      bool   // it has one value at most
	Equality    string // matching rules; "" where filters of the kind match nothing
	Ordering    string
	Substring   string
	Syntax      string // OID
	Length      int    // the longest value, 0 where none is given
	Composes    bool   // letters with marks compare alike, composed or not (RFC 4518 section 2.3)
	ReadOnly    bool   // only the directory writes it
	Operational bool
}

// ObjectClass is what is known about an object class, without what it takes
// over from its superiors: see Schema.Allowed.
type ObjectClass struct {
	Names     []string
	OID       string
	Superiors []string
	Kind      string // ABSTRACT, STRUCTURAL or AUXILIARY
	Must, May []string
}
