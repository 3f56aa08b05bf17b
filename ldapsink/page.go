package ldapsink

import (
	"context"
	"errors"
	"sync"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// Long lists. Some servers return no more than so many entries to one search
// (Active Directory: 1,000) unless the client asks for page after page (RFC
// 2696). Servers keep the place in such a search with the connection, and some
// only one at a time, so it runs on a connection that nobody else uses.

// pageOfAny is the size of a page where the flavor has none of its own: the
// server has just refused to return all at once, at a number that it keeps to
// itself.
const pageOfAny = 500

// pagesAtOnce bounds how many connections are used for long lists at a time.
const pagesAtOnce = 2

// lanes are connections for one search at a time, kept for the next.
type lanes struct {
	free chan struct{} // holds a token for each that is in use

	mu     sync.Mutex
	idle   []*link
	closed bool
}

func newLanes() *lanes { return &lanes{free: make(chan struct{}, pagesAtOnce)} }

// lane returns a link for oneself, to the server that the pool's link l is to.
func (s *Sink) lane(ctx context.Context, l *link) (own *link, release func(), err error) {
	select {
	case s.lanes.free <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	own = s.lanes.take(l.server)
	if own == nil {
		if own, err = s.pool.connect(ctx, l.server); err != nil {
			<-s.lanes.free
			return nil, nil, err
		}
	}
	return own, func() {
		s.lanes.put(own)
		<-s.lanes.free
	}, nil
}

// take returns an idle link to a server, or nil. Those to others are closed:
// they are not in use any more.
func (a *lanes) take(server string) *link {
	a.mu.Lock()
	defer a.mu.Unlock()
	for n := len(a.idle); n > 0; n = len(a.idle) {
		l := a.idle[n-1]
		a.idle = a.idle[:n-1]
		if l.server == server && l.alive() {
			return l
		}
		l.close()
	}
	return nil
}

func (a *lanes) put(l *link) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || !l.alive() {
		l.close()
		return
	}
	a.idle = append(a.idle, l)
}

func (a *lanes) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for _, l := range a.idle {
		l.close()
	}
	a.idle = nil
}

// errEnough ends a search that has found as many entries as are too many.
var errEnough = errors.New("enough")

// byPages makes a search page by page and hands each entry to found, until it
// says that it has enough.
func (s *Sink) byPages(ctx context.Context, l *link, request *ldap.SearchRequest, found func(*ldap.Entry) error) error {
	own, release, err := s.lane(ctx, l)
	if err != nil {
		return err
	}
	defer release()
	size := s.flavor.pageSize
	if size == 0 {
		size = pageOfAny
	}
	whole := *request
	whole.SizeLimit = 0 // counts for all pages together
	paging := ldap.NewControlPaging(uint32(size))
	for {
		whole.Controls = append(request.Controls[:len(request.Controls):len(request.Controls)], paging)
		controls, err := ask(ctx, s.pool, own, true, func(conn *ldap.Conn) ([]ldap.Control, error) {
			return collect(ctx, conn, &whole, found)
		})
		if err != nil {
			own.close() // the server keeps a place in a search that nobody goes on with
			if errors.Is(err, errEnough) {
				return nil
			}
			return err
		}
		answer, ok := ldap.FindControl(controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		switch {
		case !ok: // 389 DS answers so to a place that it does not know: this is not the end
			own.close()
			return failf(directory.Unavailable, "the server has lost its place in the list")
		case len(answer.Cookie) == 0:
			return nil
		}
		paging.SetCookie(answer.Cookie)
	}
}

// cutShort reports whether an error means that the server has found more entries
// than it returns to one search, and would return them page by page.
func cutShort(l *link, err error) bool {
	return ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) && l.supports(ldap.ControlTypePaging)
}

// searchOn makes a search on a link and hands each entry to found. limit is how many
// are too many for the caller, 0 for no limit; many says that very many are
// expected, so that the first attempt at a server with small pages would be lost;
// restart forgets what was found by such an attempt.
func (s *Sink) searchOn(ctx context.Context, l *link, request *ldap.SearchRequest, many bool, restart func(), found func(*ldap.Entry) error) error {
	if many && s.flavor.pageSize > 0 && l.supports(ldap.ControlTypePaging) {
		return s.byPages(ctx, l, request, found)
	}
	n := 0
	_, err := ask(ctx, s.pool, l, true, func(conn *ldap.Conn) ([]ldap.Control, error) {
		return collect(ctx, conn, request, func(e *ldap.Entry) error {
			n++
			if err := found(e); !errors.Is(err, errEnough) { // the server counts by itself
				return err
			}
			return nil
		})
	})
	// Only of a search that was answered is it known how many it has found; where the
	// context has ended the error may be that of another search.
	if ctx.Err() == nil && cutShort(l, err) && (request.SizeLimit == 0 || n < request.SizeLimit) {
		restart()
		return s.byPages(ctx, l, request, found)
	}
	return err
}
