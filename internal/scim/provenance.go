package scim

// ProvenanceURN is the schema of what the gateway knows of a resource beside its
// attributes: who manages it, since when and in which state. It is an extension of
// every resource type.
const ProvenanceURN = "urn:ietf:params:scim:schemas:extension:scimgate:2.0:Provenance"

// Provenance is that schema, with attributes that are returned as told.
func Provenance(returned Returned) Schema {
	attributes := allShown(
		Attribute{Name: "managedBy", Description: "What manages the resource: scimgate.", CanonicalValues: []string{"scimgate"}},
		Attribute{Name: "source", Description: "The tenant of the gateway that manages the resource.", CaseExact: true},
		Attribute{Name: "since", Description: "Since when it is managed.", Type: DateTime},
		Attribute{Name: "adopted", Description: "Whether it was in the directory before it was managed.", Type: Boolean},
		Attribute{Name: "state", Description: "In which part of its life it is.", CanonicalValues: []string{"active", "inactive", "deleting"}},
		Attribute{Name: "stateSince", Description: "Since when it is in this state.", Type: DateTime},
		Attribute{Name: "lastRequest", Description: "The id of the last request that wrote its own attributes; the gateway's log has it.", CaseExact: true},
	)
	for i := range attributes {
		attributes[i].Returned = returned
	}
	return Schema{ID: ProvenanceURN, Name: "Provenance", Description: "Who manages a resource, since when and in which state", Attributes: attributes, Apart: true}
}
