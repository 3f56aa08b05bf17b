package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// text writes a plan as one line: 0 1<0 gate<0,1 link1<...
func (p planned) text() string {
	var all []string
	for _, s := range p.steps {
		one := map[bool]string{false: "", true: "link"}[s.link] + fmt.Sprint(s.task)
		if s.task == gate {
			one = "gate"
		}
		var after []string
		for _, a := range s.after {
			after = append(after, fmt.Sprint(a))
		}
		if len(after) > 0 {
			one += "<" + strings.Join(after, ",")
		}
		all = append(all, one)
	}
	return strings.Join(all, " ")
}

type planned struct {
	steps []step
	cut   cuts
}

func planOf(tasks []task) planned {
	steps, cut := plan(tasks)
	return planned{steps, cut}
}

func TestPlan(t *testing.T) {
	alone := func(what ...string) (all []hold) {
		for _, w := range what {
			all = append(all, hold{what: w})
		}
		return all
	}
	posts, deletes := []hold{{"keys", "post"}}, []hold{{"keys", "delete"}}
	for name, tc := range map[string]struct {
		tasks []task
		want  string // numbers after < are those of steps, from 0
	}{
		"nothing":                      {nil, ""},
		"strangers":                    {[]task{{}, {}, {}}, "0 1 2"},
		"one thing":                    {[]task{{holds: alone("a")}, {holds: alone("b")}, {holds: alone("a")}}, "0 1 2<0"},
		"sharers":                      {[]task{{holds: posts}, {holds: posts}, {holds: deletes}, {holds: deletes}}, "0 1 gate<0,1 2<2 3<2"},
		"sharers around one":           {[]task{{holds: posts}, {holds: alone("keys")}, {holds: posts}, {holds: posts}}, "0 1<0 2<1 3<1"},
		"in the order of need":         {[]task{{makes: "a", needs: []string{"b"}}, {makes: "b"}}, "1 0<0"},
		"a path waits":                 {[]task{{on: "a"}, {makes: "a"}}, "1 0<0"},
		"a pair":                       {[]task{{makes: "a", needs: []string{"b"}}, {makes: "b", needs: []string{"a"}}}, "0 1<0 link0<0,1"},
		"itself":                       {[]task{{makes: "a", needs: []string{"a"}}}, "0 link0<0"},
		"a path waits for the link":    {[]task{{on: "a"}, {makes: "a", needs: []string{"b"}}, {makes: "b", needs: []string{"a"}}}, "1 2<0 link1<0,1 0<0,1,2"},
		"beside a circle":              {[]task{{needs: []string{"a"}}, {makes: "a", needs: []string{"b"}}, {makes: "b", needs: []string{"a"}}}, "1 0<0 2<0 link1<0,2"},
		"one target, needs turn round": {[]task{{holds: alone("x"), needs: []string{"u"}}, {holds: alone("x")}, {makes: "u"}}, "2 0<0 1<1"},
		"needs win over the order": {[]task{{holds: alone("x", "y"), needs: []string{"u"}}, {holds: alone("y", "z")}, {makes: "u", holds: alone("z")}},
			"1 2<0 0<0,1"},
	} {
		if d := cmp.Diff(tc.want, planOf(tc.tasks).text()); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// tasksGen draws tasks that need each other in every way.
func tasksGen(t *rapid.T) []task {
	n := rapid.IntRange(0, 9).Draw(t, "tasks")
	tasks := make([]task, n)
	var made []string
	for i := range tasks {
		if rapid.Bool().Draw(t, "makes") {
			tasks[i].makes = fmt.Sprint("b", i)
			made = append(made, tasks[i].makes)
		}
	}
	for i := range tasks {
		what := rapid.IntRange(0, 3)
		seen := map[int]bool{}
		for range rapid.IntRange(0, 3).Draw(t, "holds") {
			if w := what.Draw(t, "what"); !seen[w] {
				seen[w] = true
				tasks[i].holds = append(tasks[i].holds, hold{fmt.Sprint(w), rapid.SampledFrom([]string{"", "p", "d"}).Draw(t, "as")})
			}
		}
		if len(made) == 0 {
			continue
		}
		tasks[i].needs = rapid.SliceOfNDistinct(rapid.SampledFrom(made), 0, min(2, len(made)), rapid.ID[string]).Draw(t, "needs")
		if tasks[i].makes == "" && rapid.Bool().Draw(t, "on") {
			tasks[i].on = rapid.SampledFrom(made).Draw(t, "on what")
		}
	}
	return tasks
}

// Whatever needs whatever: everything is done once, after what it needs, and
// what conflicts is never done at the same time; the request's order holds
// where no need turns it round.
func TestPlansHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tasks := tasksGen(t)
		p := planOf(tasks)
		at, link, maker := map[int]int{}, map[int]int{}, map[string]int{}
		for i, task := range tasks {
			if task.makes != "" {
				maker[task.makes] = i
			}
		}
		before := make([]map[int]bool, len(p.steps)) // all that a step waits for
		for i, s := range p.steps {
			before[i] = map[int]bool{}
			for _, a := range s.after {
				if a >= i {
					t.Fatalf("step %d waits for %d: %s", i, a, p.text())
				}
				before[i][a] = true
				for b := range before[a] {
					before[i][b] = true
				}
			}
			known := at
			if s.link {
				known = link
			}
			if _, twice := known[s.task]; twice && s.task != gate {
				t.Fatalf("twice: %s", p.text())
			}
			known[s.task] = i
		}
		delete(at, gate)
		if len(at) != len(tasks) || len(link) != len(p.cut) {
			t.Fatalf("%d tasks, %d cut: %s", len(tasks), len(p.cut), p.text())
		}
		turned := false // whether some need goes against the request's order
		for i, task := range tasks {
			for _, id := range task.needs {
				m := maker[id]
				switch {
				case p.cut[i][id]:
					if task.makes == "" || !before[link[i]][at[m]] && m != i || !before[link[i]][at[i]] {
						t.Fatalf("the link of %d: %s", i, p.text())
					}
				case !before[at[i]][at[m]]:
					t.Fatalf("%d needs %d: %s", i, m, p.text())
				}
				turned = turned || m > i
			}
			if task.on != "" {
				m := maker[task.on]
				if l, cut := link[m]; !before[at[i]][at[m]] || cut && !before[at[i]][l] {
					t.Fatalf("%d is on %d: %s", i, m, p.text())
				}
				turned = turned || m > i
			}
		}
		for i := range tasks {
			for j := range i {
				if !conflicting(tasks[i], tasks[j]) {
					continue
				}
				inOrder, turnedRound := before[at[i]][at[j]], before[at[j]][at[i]]
				if !inOrder && !turnedRound {
					t.Fatalf("%d and %d at once: %s", j, i, p.text())
				}
				if turnedRound && !turned && len(p.cut) == 0 {
					t.Fatalf("%d before %d: %s", i, j, p.text())
				}
			}
		}
	})
}

func conflicting(a, b task) bool {
	return slices.ContainsFunc(a.holds, func(h hold) bool {
		return slices.ContainsFunc(b.holds, func(o hold) bool { return h.what == o.what && (h.as == "" || h.as != o.as) })
	})
}

// A large Bulk is planned in the time of its size.
func BenchmarkPlan(b *testing.B) {
	var tasks []task
	for i := range 10_000 {
		tasks = append(tasks, task{makes: fmt.Sprint(i), holds: []hold{{"keys", []string{"post", "delete"}[i/5000]}}, needs: []string{fmt.Sprint((i + 1) % 10_000)}})
	}
	for b.Loop() {
		plan(tasks)
	}
}
