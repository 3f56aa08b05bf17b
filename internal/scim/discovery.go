package scim

// DiscoverySchemas are those of the resources that the discovery endpoints
// answer with (RFC 7643 sections 5 to 7 and 8.7.2, RFC 9865 section 4).
func DiscoverySchemas() []Schema {
	return []Schema{
		{ID: ServiceProviderConfigURN, Name: "ServiceProviderConfig", Description: "What the service provider supports",
			Attributes: providerAttributes()},
		{ID: ResourceTypeURN, Name: "ResourceType", Description: "A type of resource and its endpoint",
			Attributes: resourceTypeAttributes()},
		{ID: SchemaURN, Name: "Schema", Description: "The attributes that a schema has",
			Attributes: schemaAttributes()},
	}
}

// shown is an attribute that only the service provider writes.
func shown(a Attribute) Attribute {
	a = a.WithDefaults()
	a.Mutability = ReadOnly
	for i := range a.SubAttributes {
		a.SubAttributes[i] = shown(a.SubAttributes[i])
	}
	return a
}

func allShown(attributes ...Attribute) []Attribute {
	for i := range attributes {
		attributes[i] = shown(attributes[i])
	}
	return attributes
}

func providerAttributes() []Attribute {
	supported := Attribute{Name: "supported", Description: "Whether it is supported.", Type: Boolean, Required: true}
	feature := func(name, description string, more ...Attribute) Attribute {
		return Attribute{Name: name, Description: description, Required: true, SubAttributes: append([]Attribute{supported}, more...)}
	}
	number := func(name, description string) Attribute {
		return Attribute{Name: name, Description: description, Type: Integer, Required: true}
	}
	return allShown(
		Attribute{Name: "documentationUri", Description: "Where people can read about the service.", Type: Reference,
			ReferenceTypes: []string{"external"}},
		feature("patch", "PATCH."),
		feature("bulk", "Bulk requests.", number("maxOperations", "The most operations in one request."),
			number("maxPayloadSize", "The largest request in bytes.")),
		feature("filter", "Filters.", number("maxResults", "The most resources in one answer.")),
		feature("changePassword", "Changing passwords."),
		feature("sort", "Sorting."),
		feature("etag", "Entity tags."),
		Attribute{Name: "authenticationSchemes", Description: "How clients authenticate.", MultiValued: true, Required: true,
			SubAttributes: []Attribute{
				{Name: "type", Description: "The kind of scheme.", Required: true,
					CanonicalValues: []string{"oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"}},
				{Name: "name", Description: "The name of the scheme.", Required: true},
				{Name: "description", Description: "What the scheme is.", Required: true},
				{Name: "specUri", Description: "Where the scheme is specified.", Type: Reference, ReferenceTypes: []string{"external"}},
				{Name: "documentationUri", Description: "Where people can read about it.", Type: Reference, ReferenceTypes: []string{"external"}},
				{Name: "primary", Description: "Whether it is the preferred scheme.", Type: Boolean},
			}},
		Attribute{Name: "pagination", Description: "How lists go on.", SubAttributes: []Attribute{
			{Name: "cursor", Description: "Whether by cursor.", Type: Boolean, Required: true},
			{Name: "index", Description: "Whether by index.", Type: Boolean, Required: true},
			{Name: "defaultPaginationMethod", Description: "What holds where a client asks for neither.", CanonicalValues: []string{"cursor", "index"}},
			{Name: "defaultPageSize", Description: "The resources on a page where a client does not say.", Type: Integer},
			{Name: "maxPageSize", Description: "The most resources on a page.", Type: Integer},
			{Name: "cursorTimeout", Description: "How long a cursor is good, in seconds.", Type: Integer},
		}},
	)
}

func resourceTypeAttributes() []Attribute {
	return allShown(
		Attribute{Name: "id", Description: "The identifier of the resource type."},
		Attribute{Name: "name", Description: "The name of the resource type.", Required: true},
		Attribute{Name: "description", Description: "What the resource type is for."},
		Attribute{Name: "endpoint", Description: "The endpoint below the base URL.", Type: Reference, ReferenceTypes: []string{"uri"}, Required: true},
		Attribute{Name: "schema", Description: "The URN of the schema.", Type: Reference, ReferenceTypes: []string{"uri"},
			Required: true, CaseExact: true},
		Attribute{Name: "schemaExtensions", Description: "The extensions of the schema.", MultiValued: true, SubAttributes: []Attribute{
			{Name: "schema", Description: "The URN of the extension.", Type: Reference, ReferenceTypes: []string{"uri"},
				Required: true, CaseExact: true},
			{Name: "required", Description: "Whether a resource needs the extension.", Type: Boolean, Required: true},
		}},
	)
}

func schemaAttributes() []Attribute {
	characteristics := func() []Attribute {
		return []Attribute{
			{Name: "name", Description: "The name of the attribute.", Required: true, CaseExact: true},
			{Name: "type", Description: "The data type.", Required: true,
				CanonicalValues: []string{"string", "complex", "boolean", "decimal", "integer", "dateTime", "reference", "binary"}},
			{Name: "multiValued", Description: "Whether it has several values.", Type: Boolean, Required: true},
			{Name: "description", Description: "What the attribute is for.", CaseExact: true},
			{Name: "required", Description: "Whether a resource needs it.", Type: Boolean},
			{Name: "canonicalValues", Description: "The suggested values.", MultiValued: true, CaseExact: true},
			{Name: "caseExact", Description: "Whether case counts.", Type: Boolean},
			{Name: "mutability", Description: "When it can be written.", CaseExact: true,
				CanonicalValues: []string{"readOnly", "readWrite", "immutable", "writeOnly"}},
			{Name: "returned", Description: "When it is returned.", CaseExact: true,
				CanonicalValues: []string{"always", "never", "default", "request"}},
			{Name: "uniqueness", Description: "Among what it is unique.", CaseExact: true,
				CanonicalValues: []string{"none", "server", "global"}},
			{Name: "referenceTypes", Description: "What a reference can lead to.", MultiValued: true, CaseExact: true},
		}
	}
	parts := Attribute{Name: "subAttributes", Description: "The parts of a complex attribute.", MultiValued: true, SubAttributes: characteristics()}
	return allShown(
		Attribute{Name: "id", Description: "The URN of the schema.", Required: true, CaseExact: true},
		Attribute{Name: "name", Description: "The name of the schema.", Required: true},
		Attribute{Name: "description", Description: "What the schema is for."},
		Attribute{Name: "attributes", Description: "The attributes of the schema.", MultiValued: true, Required: true,
			SubAttributes: append(characteristics(), parts)},
	)
}
