package gateway

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"scimgate/internal/directory"
	"scimgate/mapping"
)

// secretive is a directory that refuses accounts which others have where the
// gateway may not look.
type secretive struct {
	*memory
	hidden []string // accounts
	tried  []string // names and accounts of all Adds
	number int64
	given  []int64
}

func (s *secretive) Add(ctx context.Context, e directory.NewEntry) (directory.Entry, error) {
	account := e.Attributes.First("account")
	s.tried = append(s.tried, e.Name+"/"+account)
	if n := &e.Numbers[0]; n.Value == 0 {
		s.number++
		n.Value = s.number
	}
	s.given = append(s.given, e.Numbers[0].Value)
	if slices.Contains(s.hidden, account) {
		return directory.Entry{}, &directory.Error{Op: "add", Kind: directory.Exists}
	}
	return s.memory.Add(ctx, e)
}

// Search finds what is not below the base only in the whole tree.
func (s *secretive) Search(ctx context.Context, q directory.Query) ([]directory.Entry, error) {
	found, err := s.memory.Search(ctx, q)
	return slices.DeleteFunc(found, func(e directory.Entry) bool {
		return q.Scope != directory.Tree && !strings.HasSuffix(e.DN, ","+s.base)
	}), err
}

// numberSchema is usualSchema with numbers.
type numberSchema struct{ usualSchema }

func (s numberSchema) Attribute(name string) (directory.AttributeType, bool) {
	if name == "uidNumber" {
		return directory.AttributeType{Names: []string{name}, Syntax: "1.3.6.1.4.1.1466.115.121.1.27", Equality: "integerMatch"}, true
	}
	return s.usualSchema.Attribute(name)
}

// nameSite is a gateway whose people have names by a template.
func nameSite(t *testing.T) (*site, *secretive) {
	t.Helper()
	users, faults := mapping.Compile(mapping.Config{
		Base: "ou=people", StableKey: "externalId", Marker: mapping.MarkerConfig{State: "scimState", Source: "scimSource"},
		RDN: mapping.RDNConfig{LDAP: "cn", Template: "{{ .displayName }}", OnCollision: mapping.CollisionSuffix},
		Attributes: []mapping.RuleConfig{
			{SCIM: "userName", LDAP: "uid", Required: true, Unique: true}, {SCIM: "externalId", LDAP: stableKey, Unique: true},
			{SCIM: "displayName", LDAP: "displayName"}, {SCIM: "title", LDAP: "title"},
			{LDAP: "account", Template: "{{ .title }}", Unique: true, OnCollision: mapping.CollisionSuffix},
			{LDAP: "uidNumber", Allocate: &mapping.AllocateConfig{Min: 1, Max: 1000}},
		},
		Deactivate: []mapping.StepConfig{{Set: &mapping.SetConfig{LDAP: "lock", Inactive: "yes"}}},
	}, "User", "okta")
	if faults == nil {
		faults = users.Hold(numberSchema{})
	}
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	store := &secretive{memory: &memory{source: "okta", base: "ou=people", naming: "cn"}}
	cfg := Config{BodyBytes: 4096, PageSize: 10, BulkOperations: 20, RequestTimeout: 5 * time.Second}
	s := &site{Gateway: must(New(cfg, []Tenant{{Name: "okta", BasePaths: []string{"/scim/v2"}, Tokens: password{token: "open"},
		Types: []Type{{Mapping: users, Store: store}}}}, zap.NewNop()))}
	return s, store
}

func smith(userName, account string) string {
	return fmt.Sprintf(`{"userName":%q,"externalId":%q,"displayName":"John Smith","title":%q}`, userName, userName, account)
}

// Accounts that somebody has where the gateway may not look are gone by, and the
// create keeps the number that it was given.
func TestHiddenHolders(t *testing.T) {
	s, store := nameSite(t)
	store.hidden = []string{"smith", "smith2"}
	is(t, s.ask("POST", "/scim/v2/Users", smith("a", "smith")), http.StatusCreated)
	// The first refusal may have been another value's; after that both are changed.
	want := []string{"John Smith/smith", "John Smith/smith", "John Smith 2/smith2", "John Smith 3/smith3"}
	if !slices.Equal(store.tried, want) {
		t.Errorf("%q", store.tried)
	}
	if got := slices.Compact(store.given); len(got) != 1 {
		t.Errorf("numbers %v", got)
	}
}

// Whoever can be seen in the tree costs one try each, and the name stays.
func TestVisibleHoldersBeyondTheBase(t *testing.T) {
	s, store := nameSite(t)
	for _, account := range []string{"smith", "smith2"} {
		store.hidden = append(store.hidden, account)
		store.entries = append(store.entries, directory.Entry{ID: account, DN: "cn=" + account + ",cn=system", Attributes: directory.Attributes{"account": {account}}})
	}
	is(t, s.ask("POST", "/scim/v2/Users", smith("a", "smith")), http.StatusCreated)
	if want := []string{"John Smith/smith", "John Smith/smith2", "John Smith/smith3"}; !slices.Equal(store.tried, want) {
		t.Errorf("%q", store.tried)
	}
}

// Tries come to an end, and the answer says what to do.
func TestNoNameIsFree(t *testing.T) {
	s, store := nameSite(t)
	for n := range 100 {
		store.hidden = append(store.hidden, mapping.Choice{Text: "smith"}.Candidate(n))
	}
	w := s.ask("POST", "/scim/v2/Users", smith("a", "smith"))
	isError(t, w, http.StatusConflict, "uniqueness")
	if !strings.Contains(w.Body.String(), "account") || len(store.tried) > 20 {
		t.Errorf("%d tries: %s", len(store.tried), w.Body)
	}
	// A name that everybody has is given up, too.
	s, store = nameSite(t)
	for n := range mostCandidates + 300 {
		store.entries = append(store.entries, directory.Entry{ID: fmt.Sprint(n), DN: fmt.Sprintf("cn=%d,ou=people", n),
			Attributes: directory.Attributes{"cn": {mapping.Choice{Text: "John Smith"}.Candidate(n + 1)}}})
	}
	isError(t, s.ask("POST", "/scim/v2/Users", smith("a", "smith")), http.StatusConflict, "uniqueness")
	if store.searches > 20 {
		t.Errorf("%d searches", store.searches)
	}
}

// A name is taken by who is directly below the base and by nobody else.
func TestNamesOfSiblings(t *testing.T) {
	s, store := nameSite(t)
	store.entries = []directory.Entry{
		{ID: "1", DN: "cn=John Smith,ou=old,ou=people", Attributes: directory.Attributes{"cn": {"John Smith"}, "account": {"smith"}}},
		{ID: "2", DN: "cn=x\\,y,ou=people", Attributes: directory.Attributes{"cn": {"x,y"}}},
	}
	is(t, s.ask("POST", "/scim/v2/Users", smith("a", "smith")), http.StatusCreated)
	is(t, s.ask("POST", "/scim/v2/Users", strings.Replace(smith("b", "smith"), "John Smith", "X,Y", 1)), http.StatusCreated)
	if want := []string{"John Smith/smith2", "X,Y2/smith3"}; !slices.Equal(store.tried, want) {
		t.Errorf("%q", store.tried)
	}
}
