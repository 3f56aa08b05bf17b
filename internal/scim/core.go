package scim

// common is CommonAttributes, made once: look-ups ask for it all the time.
var common = CommonAttributes()

// CommonAttributes are the attributes that every resource has beside those of
// its schemas (RFC 7643 section 3.1). Ids compare without case, here and in what
// refers to them: those of directories are UUIDs.
func CommonAttributes() []Attribute {
	return withDefaults([]Attribute{
		{Name: "schemas", Description: "The URNs of the schemas that the resource follows.",
			Type: Reference, ReferenceTypes: []string{"uri"}, MultiValued: true, Required: true, CaseExact: true,
			Mutability: ReadOnly, Returned: ReturnedAlways},
		{Name: "id", Description: "The identifier that the service provider gave the resource.",
			Mutability: ReadOnly, Returned: ReturnedAlways, Uniqueness: UniqueServer},
		{Name: "externalId", Description: "The identifier that the provisioning client gave the resource.", CaseExact: true},
		{Name: "meta", Description: "Facts about the resource.", Mutability: ReadOnly, SubAttributes: []Attribute{
			{Name: "resourceType", Description: "The name of the resource type.", CaseExact: true, Mutability: ReadOnly},
			{Name: "created", Description: "When the resource was created.", Type: DateTime, Mutability: ReadOnly},
			{Name: "lastModified", Description: "When the resource last changed.", Type: DateTime, Mutability: ReadOnly},
			{Name: "location", Description: "The URI of the resource.", Type: Reference,
				ReferenceTypes: []string{"uri"}, CaseExact: true, Mutability: ReadOnly},
			{Name: "version", Description: "The version of the resource, as in the ETag header.", CaseExact: true, Mutability: ReadOnly},
		}},
	})
}

// UserDefinition is the User resource type with the enterprise extension.
func UserDefinition() Definition {
	return Definition{Name: "User", Endpoint: "Users", Core: CoreUser(), Extensions: []Schema{EnterpriseUser()}}
}

// GroupDefinition is the Group resource type.
func GroupDefinition() Definition {
	return Definition{Name: "Group", Endpoint: "Groups", Core: CoreGroup()}
}

// CoreUser is the User schema (RFC 7643 sections 4.1 and 8.7.1).
func CoreUser() Schema {
	return Schema{ID: UserURN, Name: "User", Description: "User Account", Attributes: withDefaults([]Attribute{
		{Name: "userName", Description: "The name with which the user signs in, unique among all users.",
			Required: true, Uniqueness: UniqueServer},
		{Name: "name", Description: "The parts of the user's real name.", SubAttributes: []Attribute{
			{Name: "formatted", Description: "The full name, formatted for display."},
			{Name: "familyName", Description: "The family name, or last name."},
			{Name: "givenName", Description: "The given name, or first name."},
			{Name: "middleName", Description: "The middle name or names."},
			{Name: "honorificPrefix", Description: "The title before the name, such as Ms."},
			{Name: "honorificSuffix", Description: "The suffix after the name, such as III."},
		}},
		{Name: "displayName", Description: "The name of the user, suitable for display."},
		{Name: "nickName", Description: "The casual way to address the user."},
		{Name: "profileUrl", Description: "The URL of the user's online profile.", Type: Reference,
			ReferenceTypes: []string{"external"}},
		{Name: "title", Description: "The user's title, such as Vice President."},
		{Name: "userType", Description: "How the user relates to the organization, such as Contractor or Employee."},
		{Name: "preferredLanguage", Description: "The preferred written or spoken languages, as in Accept-Language."},
		{Name: "locale", Description: "The location for dates, currency and numbers, such as en-US."},
		{Name: "timezone", Description: "The time zone, in the form of the IANA database, such as America/Los_Angeles."},
		{Name: "active", Description: "Whether the user can use the account.", Type: Boolean},
		{Name: "password", Description: "The clear text password, only ever written.",
			CaseExact: true, Mutability: WriteOnly, Returned: ReturnedNever},
		plural("emails", "Email addresses of the user.", Attribute{Name: "value", Description: "An email address."},
			"work", "home", "other"),
		plural("phoneNumbers", "Phone numbers of the user.", Attribute{Name: "value", Description: "A phone number."},
			"work", "home", "mobile", "fax", "pager", "other"),
		plural("ims", "Instant messaging addresses of the user.", Attribute{Name: "value", Description: "An instant messaging address."},
			"aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"),
		plural("photos", "URLs of photos of the user.", Attribute{Name: "value", Description: "The URL of a photo.",
			Type: Reference, ReferenceTypes: []string{"external"}, CaseExact: true}, "photo", "thumbnail"),
		{Name: "addresses", Description: "Physical mailing addresses of the user.", MultiValued: true, SubAttributes: []Attribute{
			{Name: "formatted", Description: "The full address, formatted for display."},
			{Name: "streetAddress", Description: "Street, house number, post office box."},
			{Name: "locality", Description: "The city or locality."},
			{Name: "region", Description: "The state or region."},
			{Name: "postalCode", Description: "The postal code."},
			{Name: "country", Description: "The country, in the two-letter form of ISO 3166-1."},
			{Name: "type", Description: "What the address is for.", CanonicalValues: []string{"work", "home", "other"}},
			{Name: "primary", Description: "Whether this is the preferred address; true at most once.", Type: Boolean},
		}},
		{Name: "groups", Description: "The groups to which the user belongs, changed at the group.",
			MultiValued: true, Mutability: ReadOnly, SubAttributes: []Attribute{
				{Name: "value", Description: "The id of the group.", Mutability: ReadOnly},
				{Name: "$ref", Description: "The URI of the group.", Type: Reference,
					ReferenceTypes: []string{"User", "Group"}, CaseExact: true, Mutability: ReadOnly},
				{Name: "display", Description: "The name of the group.", Mutability: ReadOnly},
				{Name: "type", Description: "Whether the membership is direct.",
					CanonicalValues: []string{"direct", "indirect"}, Mutability: ReadOnly},
			}},
		plural("entitlements", "Things that the user is entitled to.", Attribute{Name: "value", Description: "An entitlement."}),
		plural("roles", "What the user is to the organization, such as Student.", Attribute{Name: "value", Description: "A role."}),
		plural("x509Certificates", "Certificates of the user.", Attribute{Name: "value", Description: "A certificate, DER in base64.",
			Type: Binary, CaseExact: true}),
	})}
}

// plural is a multi-valued attribute with the usual sub-attributes (RFC 7643
// section 2.4).
func plural(name, description string, value Attribute, types ...string) Attribute {
	return Attribute{Name: name, Description: description, MultiValued: true, SubAttributes: []Attribute{
		value,
		{Name: "display", Description: "The name of the value, for display."},
		{Name: "type", Description: "What the value is for.", CanonicalValues: types},
		{Name: "primary", Description: "Whether this is the preferred value; true at most once.", Type: Boolean},
	}}
}

// CoreGroup is the Group schema (RFC 7643 sections 4.2 and 8.7.1). The member's
// display is not in it, but every client sends it (section 2.4 allows it).
func CoreGroup() Schema {
	return Schema{ID: GroupURN, Name: "Group", Description: "Group", Attributes: withDefaults([]Attribute{
		{Name: "displayName", Description: "The name of the group, suitable for display.", Required: true},
		{Name: "members", Description: "The members of the group.", MultiValued: true, SubAttributes: []Attribute{
			{Name: "value", Description: "The id of the member.", Mutability: Immutable},
			{Name: "$ref", Description: "The URI of the member.", Type: Reference,
				ReferenceTypes: []string{"User", "Group"}, CaseExact: true, Mutability: Immutable},
			{Name: "type", Description: "The resource type of the member.",
				CanonicalValues: []string{"User", "Group"}, Mutability: Immutable},
			{Name: "display", Description: "The name of the member.", Mutability: Immutable, Returned: ReturnedRequest},
		}},
	})}
}

// EnterpriseUser is the enterprise extension of User (RFC 7643 sections 4.3 and
// 8.7.1).
func EnterpriseUser() Schema {
	return Schema{ID: EnterpriseURN, Name: "EnterpriseUser", Description: "Enterprise User", Attributes: withDefaults([]Attribute{
		{Name: "employeeNumber", Description: "The identifier that the organization gave the user."},
		{Name: "costCenter", Description: "The name of a cost center."},
		{Name: "organization", Description: "The name of an organization."},
		{Name: "division", Description: "The name of a division."},
		{Name: "department", Description: "The name of a department."},
		{Name: "manager", Description: "The user's manager.", SubAttributes: []Attribute{
			{Name: "value", Description: "The id of the manager."},
			{Name: "$ref", Description: "The URI of the manager.", Type: Reference,
				ReferenceTypes: []string{"User"}, CaseExact: true},
			{Name: "displayName", Description: "The name of the manager.", Mutability: ReadOnly},
		}},
	})}
}
