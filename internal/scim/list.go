package scim

import "encoding/json"

// ListResponse is a page of results (RFC 7644 section 3.4.2). Pages are by index
// or by cursor (RFC 9865); what a page does not use is left out of the answer.
type ListResponse struct {
	TotalResults   int
	StartIndex     int // from 1; 0 = not by index
	ItemsPerPage   int // how many are on this page
	PreviousCursor string
	NextCursor     string
	Resources      []any // Resource, Schema or whatever else marshals
}

// MarshalJSON writes the message. Resources is a list even when it is empty:
// Entra's connection test fails on a null.
func (l ListResponse) MarshalJSON() ([]byte, error) {
	resources := l.Resources
	if resources == nil {
		resources = []any{}
	}
	return json.Marshal(struct {
		Schemas        []string `json:"schemas"`
		TotalResults   int      `json:"totalResults"`
		StartIndex     int      `json:"startIndex,omitempty"`
		ItemsPerPage   int      `json:"itemsPerPage"`
		PreviousCursor string   `json:"previousCursor,omitempty"`
		NextCursor     string   `json:"nextCursor,omitempty"`
		Resources      []any    `json:"Resources"`
	}{[]string{ListResponseURN}, l.TotalResults, l.StartIndex, l.ItemsPerPage, l.PreviousCursor, l.NextCursor, resources})
}
