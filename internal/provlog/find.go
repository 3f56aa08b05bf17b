package provlog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
)

// Log reads a log, whoever writes it at the time. It has no state.
type Log struct {
	path string
	end  *Place // of what is read of it, nil for all
}

// At is the log whose current file is at a path.
func At(path string) Log { return Log{path: path} }

// Line is a line of a log, as it is there and as a record.
type Line struct {
	Record Record
	Text   []byte // without line end
}

// Result is what a query has found.
type Result struct {
	Lines []Line // the newest that match, the newest last
	// More is how many older lines match beside; if AtLeast, there may be yet more.
	More    int
	AtLeast bool
	Work    Work
}

// Work is what a query has cost.
type Work struct {
	Lines int   // that were looked at
	Bytes int64 // that were read of segments
}

// countBytes is how much is read to count what there is beside the lines of a result.
const countBytes = 32 << 20

// NamesKnown reports whether names can be asked for: the key that they are hashed
// with is there. The error says why it cannot be read.
func (l Log) NamesKnown() (bool, error) {
	key, err := readKey(l.path)
	return key != nil, err
}

// Find returns the newest lines that match, limit at most.
func (l Log) Find(ctx context.Context, q Query, limit int) (Result, error) {
	var result Result
	s, all, err := l.begin(q)
	if err != nil {
		return result, err
	}
	defer all.close()
	full := int64(-1) // what had been read when the result was full
	for _, seg := range slices.Backward(all) {
		if result.AtLeast {
			break
		}
		err := s.inBlocks(seg, func(f *os.File, blocks []candidate) error {
			for _, b := range slices.Backward(blocks) {
				if err := ctx.Err(); err != nil {
					return err
				}
				if len(result.Lines) == limit {
					if full < 0 {
						full = result.Work.Bytes
					}
					if n, ok := s.counts(b.block); ok && b.known {
						result.More += n
						continue
					}
					if result.Work.Bytes-full > countBytes {
						result.AtLeast = true
						return nil
					}
				}
				lines, err := s.read(f, b.block, &result.Work)
				if err != nil {
					return err
				}
				room := min(limit-len(result.Lines), len(lines))
				slices.Reverse(lines)
				result.Lines = append(result.Lines, lines[:room]...)
				result.More += len(lines) - room
			}
			return nil
		})
		if err != nil {
			return result, err
		}
	}
	slices.Reverse(result.Lines)
	slices.SortStableFunc(result.Lines, func(a, b Line) int { return a.Record.Time.Compare(b.Record.Time) })
	return result, nil
}

// Each calls for every line that matches, the oldest first, until there are no more
// or there is an error.
func (l Log) Each(ctx context.Context, q Query, each func(Line) error) error {
	s, all, err := l.begin(q)
	if err != nil {
		return err
	}
	defer all.close()
	for _, seg := range all {
		err := s.inBlocks(seg, func(f *os.File, blocks []candidate) error {
			for _, b := range blocks {
				lines, err := s.read(f, b.block, &Work{})
				if err = errors.Join(err, ctx.Err()); err != nil {
					return err
				}
				for _, line := range lines {
					if err := each(line); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// begin prepares a query and lists the segments for it.
func (l Log) begin(q Query) (search, parts, error) {
	key, err := readKey(l.path)
	if err != nil {
		key = nil // lines are found by all else; NamesKnown tells
	}
	all, err := partsOf(l.path)
	if err == nil && l.end != nil {
		all, err = all.upTo(*l.end)
	}
	return q.prepare(key), all, err
}

// candidate is a block that may have lines that are wanted; known says that an index
// has told so, and how many lines it has.
type candidate struct {
	block
	known bool
}

// inBlocks calls with the blocks of a segment that may have lines that are wanted.
func (s search) inBlocks(seg part, use func(*os.File, []candidate) error) error {
	f := seg.file
	if f == nil {
		var err error
		if f, err = os.Open(seg.path); err != nil {
			return ignoreGone(err) // removed for its age meanwhile
		}
		defer func() { _ = f.Close() }() // only read
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	if seg.end != nil {
		size = min(size, *seg.end)
	}
	blocks, err := s.candidates(f, seg.path, size)
	if err != nil {
		return err
	}
	return use(f, blocks)
}

// candidates asks the index of a segment. What it does not speak of is all to be
// read.
func (s search) candidates(f *os.File, path string, size int64) ([]candidate, error) {
	x, err := openIndex(f, path)
	if err != nil {
		x = index{} // it can be done without
	}
	defer x.close()
	var all []candidate
	offset := int64(0)
	var bloom [bloomBytes]byte
	for i, b := range x.blocks(size) {
		if s.meets(b) {
			if err := x.bloom(i, &bloom); err != nil {
				break
			}
			if s.may(&bloom) {
				all = append(all, candidate{b, true})
			}
		}
		offset = b.end()
	}
	for offset < size {
		end, err := cutAfter(f, min(offset+blockBytes, size), min(offset+longestLine, size))
		if err != nil {
			return nil, err
		}
		all = append(all, candidate{block{offset: offset, length: end - offset}, false})
		offset = end
	}
	return all, nil
}

// cutAfter finds the end of the line that an offset is in. One that is longer than ours
// are is cut anywhere: nothing of it is read as a line.
func cutAfter(f *os.File, offset, size int64) (int64, error) {
	text := make([]byte, 4096)
	for offset < size {
		n, err := f.ReadAt(text, offset-1) // the byte before may be a line's end
		if n == 0 {
			return size, err
		}
		if i := bytes.IndexByte(text[:n], '\n'); i >= 0 {
			return offset + int64(i), nil
		}
		offset += int64(n)
	}
	return size, nil
}

// read returns the lines of a block that are wanted.
func (s search) read(f *os.File, b block, work *Work) ([]Line, error) {
	text := make([]byte, b.length)
	n, err := f.ReadAt(text, b.offset)
	if n < len(text) && err != nil {
		if text = text[:n]; n == 0 { // it was cut meanwhile
			return nil, nil
		}
	}
	work.Bytes += int64(n)
	var lines []Line
	for line := range bytes.Lines(text) {
		work.Lines++
		if found, ok := s.line(line); ok {
			lines = append(lines, found)
		}
	}
	return lines, nil
}

// line reads a line, if it is whole and wanted.
func (s search) line(text []byte) (Line, bool) {
	text, whole := bytes.CutSuffix(text, []byte("\n"))
	var r Record
	if !whole || !s.worth(text) || json.Unmarshal(text, &r) != nil || !s.matches(&r) {
		return Line{}, false
	}
	return Line{r, bytes.Clone(text)}, true
}
