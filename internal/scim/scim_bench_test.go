package scim

import (
	"fmt"
	"strings"
	"testing"
)

// A group of 50,000 members is nothing unusual in a PUT.
func BenchmarkDecodeLargeGroup(b *testing.B) {
	var members []string
	for i := range 50_000 {
		members = append(members, fmt.Sprintf(`{"value":"0b6a4c2e-%012d","display":"user %d"}`, i, i))
	}
	body := []byte(`{"displayName":"g","members":[` + strings.Join(members, ",") + `]}`)
	for b.Loop() {
		if _, err := Decode(body, GroupDefinition()); err != nil {
			b.Fatal(err)
		}
	}
}
