package gateway

import "slices"

// task is what the plan of a Bulk has to know of an operation.
type task struct {
	makes string   // the bulkId of the resource that it creates, "" for none
	needs []string // the bulkIds in its data
	on    string   // the bulkId in its path, "" for none
	holds []hold
}

// hold is something that an operation changes or relies on. Two operations that
// hold the same stay in the order of the request, unless both hold it as the
// same kind of sharer.
type hold struct {
	what string
	as   string // "" is alone
}

// step is a part of the work. It may begin when the steps of after are done,
// all of which come before it in the plan.
type step struct {
	task  int  // or gate
	link  bool // adds to a resource what was left out of it
	after []int
}

// gate is the task of a step without work, for which many wait at once.
const gate = -1

// cuts are the bulkIds that are left out of tasks at first, by task.
type cuts map[int]map[string]bool

// plan orders the operations of a Bulk. needs and on, which have to name what
// another task makes, are obeyed always; a circle of needs is cut by leaving
// out of a task what the request has no sooner than the task itself, and adding
// it by a step of its own, the link. The order of the request among operations
// that hold the same is kept wherever the needs leave room for it.
func plan(tasks []task) ([]step, cuts) {
	makers := map[string]int{}
	for i, t := range tasks {
		if t.makes != "" {
			makers[t.makes] = i
		}
	}
	p := planner{tasks: tasks, makers: makers, cut: circles(tasks, makers), hard: make([][]int, len(tasks))}
	for i, t := range tasks {
		for _, id := range t.needs {
			if !p.cut[i][id] {
				p.hard[i] = append(p.hard[i], makers[id])
			}
		}
		if t.on != "" { // it has to be whole, and so what its link adds has to be there
			p.hard[i] = append(p.hard[i], makers[t.on])
			for id := range p.cut[makers[t.on]] {
				p.hard[i] = append(p.hard[i], makers[id])
			}
		}
		p.hard[i] = once(p.hard[i])
	}
	return p.inOrder(p.arrange()), p.cut
}

type planner struct {
	tasks  []task
	makers map[string]int
	cut    cuts
	hard   [][]int // the tasks that a task has to wait for
}

// inOrder makes the steps of the tasks, in an order that obeys hard.
func (p planner) inOrder(order []int) []step {
	var steps []step
	add := func(s step) int {
		s.after = once(s.after)
		steps = append(steps, s)
		return len(steps) - 1
	}
	made := make([]int, len(p.tasks))  // the step after which a resource is there
	whole := make([]int, len(p.tasks)) // and the one after which nothing is missing
	missing, waiting := map[int]int{}, map[int][]int{}
	for i := range p.cut {
		for _, j := range p.linked(i) {
			missing[i]++
			waiting[j] = append(waiting[j], i)
		}
	}
	q := queue{add: add, lines: map[string]*line{}}
	for _, i := range order {
		after := q.enter(p.tasks[i].holds)
		for _, j := range p.hard[i] {
			after = append(after, made[j])
		}
		if on := p.tasks[i].on; on != "" {
			after = append(after, whole[p.makers[on]])
		}
		made[i] = add(step{task: i, after: after})
		whole[i] = made[i]
		q.entered(p.tasks[i].holds, made[i])
		for _, j := range once(waiting[i]) {
			if missing[j]--; missing[j] > 0 {
				continue
			}
			var after []int
			for _, k := range p.linked(j) {
				after = append(after, made[k])
			}
			whole[j] = add(step{task: j, link: true, after: after})
		}
	}
	return steps
}

// linked are the tasks after which a cut task can be completed.
func (p planner) linked(i int) []int {
	all := []int{i}
	for id := range p.cut[i] {
		all = append(all, p.makers[id])
	}
	return once(all)
}

// arrange returns the tasks in the order in which they may begin: that of the
// request, but for what has to wait for others.
func (p planner) arrange() []int {
	g := p.waiting()
	n := len(p.tasks)
	var ready, able pile // tasks that need not wait, and those that could begin if they had to
	for i := range n {
		if g.waits[i] == 0 {
			ready.put(i)
		}
		if g.needs[i] == 0 {
			able.put(i)
		}
	}
	var release func(i int)
	release = func(i int) {
		for _, j := range g.next[i] {
			switch g.waits[j]--; {
			case g.waits[j] > 0:
			case j < n:
				ready.put(j)
			default: // a gate opens at once
				release(j)
			}
		}
	}
	var order []int
	placed := make([]bool, n)
	for len(order) < n {
		i := ready.take()
		if i < 0 { // the needs turn the request's order around: they win
			i = able.take()
		}
		if placed[i] {
			continue
		}
		placed[i] = true
		order = append(order, i)
		for _, j := range g.held[i] {
			if g.needs[j]--; g.needs[j] == 0 {
				able.put(j)
			}
		}
		release(i)
	}
	return order
}

// graph says who waits for whom: the tasks by their number, then gates.
type graph struct {
	waits []int   // for how many others
	next  [][]int // who waits for it
	needs []int   // how many others it cannot do without
	held  [][]int // who cannot do without it
}

// waiting draws the graph of the tasks in the order of the request.
func (p planner) waiting() graph {
	n := len(p.tasks)
	g := graph{make([]int, n), make([][]int, n), make([]int, n), make([][]int, n)}
	node := func(s step) int {
		g.waits, g.next = append(g.waits, len(s.after)), append(g.next, nil)
		for _, a := range s.after {
			g.next[a] = append(g.next[a], len(g.waits)-1)
		}
		return len(g.waits) - 1
	}
	q := queue{add: node, lines: map[string]*line{}}
	for i, t := range p.tasks {
		for _, a := range once(q.enter(t.holds)) {
			g.waits[i]++
			g.next[a] = append(g.next[a], i)
		}
		for _, a := range p.hard[i] {
			g.waits[i]++
			g.needs[i]++
			g.next[a], g.held[a] = append(g.next[a], i), append(g.held[a], i)
		}
		q.entered(t.holds, i)
	}
	return g
}

// queue finds out whom the next operation has to wait for. Sharers of one kind
// go together; where one of another kind comes, it waits for all of them.
type queue struct {
	add   func(step) int
	lines map[string]*line
}

// line is what is known of one thing that is held.
type line struct {
	as      string
	sharers []int
	before  []int // what all of the sharers waited for: one step at most
}

func (q queue) enter(holds []hold) []int {
	var after []int
	for _, h := range holds {
		l := q.lines[h.what]
		if l == nil {
			l = &line{as: h.as}
			q.lines[h.what] = l
		} else if len(l.sharers) > 0 && (h.as == "" || h.as != l.as) {
			before := l.sharers
			if len(before) > 1 {
				before = []int{q.add(step{task: gate, after: before})}
			}
			*l = line{as: h.as, before: before}
		}
		after = append(after, l.before...)
	}
	return after
}

func (q queue) entered(holds []hold, at int) {
	for _, h := range holds {
		l := q.lines[h.what]
		l.sharers = append(l.sharers, at)
	}
}

// pile gives out the smallest number first.
type pile struct{ numbers []int }

func (p *pile) put(n int) {
	i, _ := slices.BinarySearch(p.numbers, n)
	p.numbers = slices.Insert(p.numbers, i, n)
}

// take returns -1 where there is none.
func (p *pile) take() int {
	if len(p.numbers) == 0 {
		return -1
	}
	n := p.numbers[0]
	p.numbers = p.numbers[1:]
	return n
}

// once sorts numbers and leaves out what is there twice.
func once(numbers []int) []int {
	slices.Sort(numbers)
	return slices.Compact(numbers)
}
