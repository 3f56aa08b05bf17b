package gateway

// circles finds the tasks that need each other, directly or through others, and
// returns what has to be left out of them so that no circle remains: in each,
// the needs that the request has no sooner than the task itself.
func circles(tasks []task, makers map[string]int) cuts {
	f := finder{tasks: tasks, makers: makers, seen: make([]int, len(tasks)), low: make([]int, len(tasks)), circle: make([]int, len(tasks))}
	for i := range tasks {
		if f.seen[i] == 0 {
			f.visit(i)
		}
	}
	cut := cuts{}
	for i, t := range tasks {
		for _, id := range t.needs {
			if j := makers[id]; j >= i && f.circle[j] == f.circle[i] {
				if cut[i] == nil {
					cut[i] = map[string]bool{}
				}
				cut[i][id] = true
			}
		}
	}
	return cut
}

// finder finds strongly connected components (Tarjan's algorithm).
type finder struct {
	tasks     []task
	makers    map[string]int
	seen, low []int // when a task was visited, from 1; the earliest that it reaches
	circle    []int // the number of its component, from 1
	path      []int
	visits    int
	found     int
}

func (f *finder) visit(i int) {
	f.visits++
	f.seen[i], f.low[i] = f.visits, f.visits
	f.path = append(f.path, i)
	for _, id := range f.tasks[i].needs {
		j := f.makers[id]
		switch {
		case f.seen[j] == 0:
			f.visit(j)
			f.low[i] = min(f.low[i], f.low[j])
		case f.circle[j] == 0:
			f.low[i] = min(f.low[i], f.seen[j])
		}
	}
	if f.low[i] != f.seen[i] {
		return
	}
	f.found++
	for {
		last := f.path[len(f.path)-1]
		f.path = f.path[:len(f.path)-1]
		f.circle[last] = f.found
		if last == i {
			return
		}
	}
}
