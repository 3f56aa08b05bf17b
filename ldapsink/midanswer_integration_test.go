//go:build integration || ad || ds389

package ldapsink

import (
	"fmt"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// A search whose connection is lost in mid-answer is tried again, or fails; a
// part of the answer is never taken for all of it.
func TestSearchIsWholeOrFails(t *testing.T) {
	server := begin(t, wish{})
	const people = 12
	direct := open(t, configured(server)).Store(users())
	for i := range people {
		if _, err := direct.Add(t.Context(), person(fmt.Sprintf("p%d", i))); err != nil {
			t.Fatal(err)
		}
	}
	p := between(t, server)
	cfg := configured(server)
	cfg.URLs = []string{p.url()}
	cfg.Retry = Retry{Attempts: 2}
	for _, how := range []verdict{cut, half} {
		for _, always := range []bool{false, true} {
			for lost := range people + 1 { // the last is the end of the answer
				st := open(t, cfg).Store(users())
				if _, err := st.Search(t.Context(), directory.Query{Filter: directory.Filter{Op: directory.None}}); err != nil { // connected
					t.Fatal(err)
				}
				entries, losses := 0, 0
				p.when(func(answer bool, op ber.Tag) verdict {
					if !answer {
						entries = 0
					}
					if !answer || op != ldap.ApplicationSearchResultEntry && op != ldap.ApplicationSearchResultDone || !always && losses > 0 {
						return pass
					}
					if entries++; entries <= lost {
						return pass
					}
					losses++
					return how
				})
				found, err := st.Search(t.Context(), directory.Query{Attributes: []string{}, Places: true})
				p.when(nil)
				if always && !directory.Is(err, directory.Unavailable) || !always && (err != nil || len(found) != people) || losses == 0 {
					t.Errorf("verdict %d after %d entries, always %v: %d found, %v", how, lost, always, len(found), err)
				}
			}
		}
	}
}
