package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"scimgate/internal/scim"
)

// job is a Bulk that is being done. One goroutine, that of run, changes it; the
// calls that it makes run side by side and know nothing of each other.
type job struct {
	gateway *Gateway
	tenant  *tenant
	outer   echo.Context
	event   *event
	works   []*work
	steps   []step
	cut     cuts
	most    int // errors after which nothing more is begun; 0 for no limit
	errors  int
	ids     map[string]string // of what was made, by bulkId
}

// work is an operation and what came of it.
type work struct {
	scim.BulkOperation
	typ   *resourceType
	id    string // "" until it is known
	on    string // the bulkId in the path
	needs []string
	taken map[string]any // what was left out of a create, for the link

	begun   bool
	status  int
	version string
	failure *scim.Error
}

// newJob plans a Bulk.
func newJob(g *Gateway, t *tenant, c echo.Context, request scim.Bulk) *job {
	j := &job{gateway: g, tenant: t, outer: c, event: eventOf(c), most: request.FailOnErrors, ids: map[string]string{}}
	makers, targets := map[string]bool{}, map[string]bool{}
	for _, o := range request.Operations {
		w := &work{BulkOperation: o, failure: o.Fault}
		j.works = append(j.works, w)
		if w.failure == nil {
			w.typ, w.id, w.on, w.failure = j.address(o)
		}
		if o.Method == http.MethodPost && o.BulkID != "" {
			makers[o.BulkID] = true
		}
		if w.id != "" {
			targets[strings.ToLower(w.id)] = true
		}
	}
	made := map[string]bool{}
	for _, w := range j.works {
		w.refers(makers)
		if w.Method == http.MethodPost && w.failure == nil {
			made[w.BulkID] = true
		}
	}
	tasks := make([]task, len(j.works))
	for i, w := range j.works {
		tasks[i] = w.task(made, targets)
	}
	j.steps, j.cut = plan(tasks)
	return j
}

// refers finds the bulkIds that an operation needs. One that no POST of the
// request has can never be known.
func (w *work) refers(makers map[string]bool) {
	if w.failure != nil {
		return
	}
	w.needs = scim.BulkReferences(w.Data)
	all := w.needs
	if w.on != "" {
		all = append([]string{w.on}, w.needs...)
	}
	for _, id := range all {
		if !makers[id] {
			w.failure = scim.BadRequest(scim.TypeInvalidValue, "no POST of this request has the bulkId %q; add the POST, or name the id of what is there already", id)
			return
		}
	}
}

// task says what the plan has to know. made are the bulkIds that an operation
// will try to make; an operation that fails beforehand holds nothing up.
func (w *work) task(made, targets map[string]bool) task {
	if w.failure != nil {
		return task{}
	}
	t := task{holds: w.holds(targets)}
	if w.Method == http.MethodPost {
		t.makes = w.BulkID
	}
	for _, id := range w.needs {
		if made[id] {
			t.needs = append(t.needs, id)
		}
	}
	if made[w.on] {
		t.on = w.on
	}
	return t
}

// run does the steps, several at a time, each as soon as what it waits for is
// done.
func (j *job) run() {
	waits := make([]int, len(j.steps))
	next := make([][]int, len(j.steps))
	var ready pile
	for i, s := range j.steps {
		waits[i] = len(s.after)
		for _, before := range s.after {
			next[before] = append(next[before], i)
		}
		if waits[i] == 0 {
			ready.put(i)
		}
	}
	finish := func(i int) {
		for _, n := range next[i] {
			if waits[n]--; waits[n] == 0 {
				ready.put(n)
			}
		}
	}
	type finished struct {
		step int
		outcome
	}
	done := make(chan finished)
	for running := 0; ; {
		for running < bulkSideBySide {
			i := ready.take()
			if i < 0 {
				break
			}
			k, ok := j.begin(j.steps[i])
			if !ok {
				finish(i)
				continue
			}
			running++
			go func() { done <- finished{i, j.perform(k)} }()
		}
		if running == 0 {
			return
		}
		f := <-done
		running--
		j.end(j.steps[f.step], f.outcome)
		finish(f.step)
	}
}

// begin returns the call of a step, if there is one to make.
func (j *job) begin(s step) (call, bool) {
	if s.task == gate {
		return call{}, false
	}
	w := j.works[s.task]
	stopped := j.most > 0 && j.errors >= j.most
	switch {
	case s.link && (w.failure != nil || !w.begun || len(w.taken) == 0):
		return call{}, false
	case stopped && s.link:
		j.refuse(w, incomplete("failOnErrors was reached"))
		return call{}, false
	case stopped:
		return call{}, false
	case w.failure != nil:
		j.refuse(w, w.failure)
		return call{}, false
	case !s.link && j.tenant.off(): // a link ends what was begun before
		j.refuse(w, switchedOff())
		return call{}, false
	case j.outer.Request().Context().Err() != nil:
		j.refuse(w, late(s.link))
		return call{}, false
	}
	if missing := j.missing(w, s); len(missing) > 0 {
		j.refuse(w, dependent(missing, s.link))
		return call{}, false
	}
	w.begun = true
	if s.link {
		add := map[string]any{"op": "add", "value": scim.ResolveBulk(w.taken, j.ids)}
		return call{typ: w.typ, method: http.MethodPatch, id: w.id, data: map[string]any{"Operations": []any{add}}}, true
	}
	if w.on != "" {
		w.id = j.ids[w.on]
	}
	data := w.Data
	if cut := j.cut[s.task]; cut != nil {
		data, w.taken = scim.WithoutBulk(data, cut)
	}
	return call{typ: w.typ, method: w.Method, id: w.id, version: w.Version, data: scim.ResolveBulk(data, j.ids)}, true
}

// missing are the bulkIds that a step needs and that stand for nothing, since
// the operations that were to make it have failed.
func (j *job) missing(w *work, s step) []string {
	var missing []string
	for _, id := range append(slices.Clone(w.needs), w.on) {
		if id == "" || !s.link && j.cut[s.task][id] {
			continue
		}
		if _, ok := j.ids[id]; !ok {
			missing = append(missing, id)
		}
	}
	return missing
}

// end notes what came of a step.
func (j *job) end(s step, o outcome) {
	w := j.works[s.task]
	switch {
	case o.failure != nil && s.link:
		j.fail(w, unlinked(o.failure))
		return
	case o.failure != nil:
		j.fail(w, o.failure)
		return
	case s.link:
		w.version = o.version // "" where the answer does not tell
		return
	}
	w.status, w.version, w.id = o.status, o.version, o.id
	if w.Method == http.MethodPost {
		j.ids[w.BulkID] = o.id
	}
}

func (j *job) fail(w *work, e *scim.Error) {
	w.begun, w.failure, w.status, w.version = true, e, e.Status, ""
	j.errors++
}

// dependent is the answer to an operation that was not tried, or to a link.
func dependent(missing []string, link bool) *scim.Error {
	why := fmt.Sprintf("the operations with the bulkIds %s have failed", quoted(missing))
	if link {
		return incomplete(why)
	}
	return &scim.Error{Status: http.StatusConflict, Type: scim.TypeInvalidValue, Detail: "not tried, because " + why + "; mend them and send this again"}
}

// incomplete is the answer to a create whose references could not be added:
// RFC 7644 section 3.7.1 has 409 for what refers to each other in a circle and
// cannot be resolved.
func incomplete(why string) *scim.Error {
	return &scim.Error{Status: http.StatusConflict, Type: scim.TypeInvalidValue,
		Detail: "the resource was created and is at location, but without its references in a circle of bulkIds: " + why + "; add them with a PATCH"}
}

func unlinked(e *scim.Error) *scim.Error {
	if e.Status >= http.StatusInternalServerError {
		told := *e
		told.Detail = "the resource was created and is at location, but its references in a circle of bulkIds could not be added: " + e.Detail
		return &told
	}
	return incomplete(e.Detail)
}

// late is the answer to what was not begun when the time of the Bulk was over.
func late(link bool) *scim.Error {
	const why = "the time for the whole Bulk was over"
	if link {
		return incomplete(why)
	}
	return &scim.Error{Status: http.StatusServiceUnavailable, Detail: "not tried, because " + why + "; send this operation again"}
}
