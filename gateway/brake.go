package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"scimgate/internal/brake"
	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// What takes access away is counted before it is written, where the tenant has a
// brake: a deactivation, a deletion, each member that a group loses (reduce.go).

// afterBrake is how long a client is asked to wait while the brake is on, in
// seconds: nobody knows when it will be released, and trying again does no harm.
const afterBrake = 300

// spending is what a request has counted at the brake.
type spending struct {
	changes int
	receipt brake.Receipt
	// before is the entry as it was then.
	before directory.Entry
}

// weighKey holds, in the context of a call that is only weighed, the sum of what
// would be counted.
const weighKey = "weigh"

// errWeighed ends such a call.
var errWeighed = errors.New("weighed, and not done")

// spend counts n changes of the entry, which are about to be made, or refuses
// them. A write that is tried again is counted once.
func (q *request) spend(old directory.Entry, n int) error {
	if sum, ok := q.Get(weighKey).(*atomic.Int64); ok {
		sum.Add(int64(n))
		return errWeighed
	}
	b := q.typ.tenant.brake
	if b == nil {
		return nil
	}
	q.spent.before = old
	if n == q.spent.changes {
		return nil
	}
	b.GiveBack(q.spent.receipt)
	q.spent.changes, q.spent.receipt = 0, brake.Receipt{}
	receipt, err := b.Take(n)
	if err != nil {
		return q.braked(err)
	}
	q.spent.changes, q.spent.receipt = n, receipt
	return nil
}

// braked is the answer to what the brake refuses.
func (q *request) braked(err error) error {
	var refused *brake.Refused
	if !errors.As(err, &refused) {
		return err
	}
	q.Response().Header().Set("Retry-After", strconv.Itoa(afterBrake))
	return overBrake(refused)
}

func overBrake(r *brake.Refused) *scim.Error {
	most := fmt.Sprintf("%d deactivations, deletions and removed members within %s", r.Limit.Changes, spoken(r.Limit.Per))
	e := &scim.Error{Status: http.StatusTooManyRequests, Err: r}
	if r.Alone {
		e.Detail = fmt.Sprintf("the brake on mass changes: this request alone would take away %d, and at most %s are let through; nothing of it was done. "+
			"If it is meant, an administrator lets it through with scimgate brake release %s --changes %d, and then it can be sent again", r.Changes, most, r.Tenant, r.Changes)
		return e
	}
	e.Detail = fmt.Sprintf("the brake on mass changes is on, since more came than %s; nothing of this request was done, and everything else goes on. "+
		"An administrator looks into it and releases it with scimgate brake release %s; then this request can be sent again", most, r.Tenant)
	return e
}

// spoken writes a duration without the zeros at its end.
func spoken(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// refund takes back what was counted for a write that was refused, if the entry
// is still what it was: then nothing was changed. Whatever is in doubt stays
// counted.
func (q *request) refund(err error) {
	b := q.typ.tenant.brake
	if err == nil || b == nil || q.spent.changes == 0 || q.gateway.asSCIM(err, wordless{}).Status >= http.StatusInternalServerError {
		return
	}
	before := q.spent.before
	now, failed := q.typ.one(q.ctx(), before.ID, []string{})
	if failed == nil && before.ID != "" && now.Version == before.Version && now.DN == before.DN &&
		now.Marker.State == before.Marker.State && now.Marker.Request == before.Marker.Request {
		b.GiveBack(q.spent.receipt)
		q.spent = spending{}
	}
}
