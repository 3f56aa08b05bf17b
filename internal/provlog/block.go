package provlog

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"hash/fnv"
	"io"
	"math"
	"time"
)

// A block is a part of a segment of about blockBytes that ends with a line. The
// index has an entry of fixed size for it: a header, and a Bloom filter of the
// terms of its lines. 256 KiB have some six hundred lines of four thousand terms,
// of which the filter takes one in a thousand for another.
const (
	blockBytes  = 256 << 10
	longestLine = 4 << 20 // what is longer is no line of ours
	headerBytes = 64
	bloomBytes  = 8 << 10
	entryBytes  = headerBytes + bloomBytes
	bloomHashes = 6
)

// block is what the index says of one, without its filter.
type block struct {
	offset, length int64
	lines, failed  int
	first, last    time.Time // the earliest and the latest of its lines
}

func (b block) end() int64 { return b.offset + b.length }

// entry is a block with its filter.
type entry struct {
	block
	bloom [bloomBytes]byte
}

// summary makes the entry of a block from its lines.
func summary(offset int64, text []byte) *entry {
	e := &entry{block: block{offset: offset, length: int64(len(text))}}
	for line := range bytes.Lines(text) {
		var r Record
		if json.Unmarshal(line, &r) != nil {
			continue // torn, or nobody's
		}
		e.lines++
		if r.Failed() {
			e.failed++
		}
		if e.lines == 1 || r.Time.Before(e.first) {
			e.first = r.Time
		}
		if e.lines == 1 || r.Time.After(e.last) {
			e.last = r.Time
		}
		r.terms(func(kind byte, value string) { mark(&e.bloom, term(kind, value)) })
	}
	return e
}

// term is the hash of a term.
func term(kind byte, value string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte{kind})
	_, _ = io.WriteString(h, value)
	x := h.Sum64() // mixed once more: its halves are used as two hashes
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return x
}

// bits are the places of a term in a filter.
func bits(term uint64, each func(at uint32)) {
	a, b := uint32(term), uint32(term>>32)|1
	for range bloomHashes {
		each(a % (bloomBytes * 8))
		a += b
	}
}

func mark(bloom *[bloomBytes]byte, term uint64) {
	bits(term, func(at uint32) { bloom[at/8] |= 1 << (at % 8) })
}

// may reports whether a block can have a line with the term.
func may(bloom *[bloomBytes]byte, term uint64) bool {
	all := true
	bits(term, func(at uint32) { all = all && bloom[at/8]&(1<<(at%8)) != 0 })
	return all
}

var errDamaged = errors.New("the index is damaged")

// encode writes an entry as the index has it: numbers, and a checksum of header
// and filter each.
func (e *entry) encode() []byte {
	text := make([]byte, entryBytes)
	for i, n := range []int64{e.offset, e.length, int64(e.lines), int64(e.failed), nanoseconds(e.first), nanoseconds(e.last)} {
		binary.LittleEndian.PutUint64(text[8*i:], uint64(n))
	}
	copy(text[headerBytes:], e.bloom[:])
	binary.LittleEndian.PutUint32(text[56:], crc32.ChecksumIEEE(e.bloom[:]))
	binary.LittleEndian.PutUint32(text[60:], crc32.ChecksumIEEE(text[:60]))
	return text
}

// decodeHeader reads the header of an entry that begins where the one before it ends.
func decodeHeader(text []byte, begin int64) (block, error) {
	if crc32.ChecksumIEEE(text[:60]) != binary.LittleEndian.Uint32(text[60:]) {
		return block{}, errDamaged
	}
	n := func(i int) int64 { return int64(binary.LittleEndian.Uint64(text[8*i:])) }
	b := block{offset: n(0), length: n(1), lines: int(n(2)), failed: int(n(3)), first: time.Unix(0, n(4)), last: time.Unix(0, n(5))}
	if b.offset != begin || b.length <= 0 || b.length > longestLine {
		return block{}, errDamaged
	}
	return b, nil
}

// nanoseconds is a time in an index; one that these cannot hold is as far away as can be.
func nanoseconds(t time.Time) int64 {
	switch {
	case t.Year() < 1700:
		return math.MinInt64
	case t.Year() > 2200:
		return math.MaxInt64
	}
	return t.UnixNano()
}

// nextBlock reads the block that begins at an offset of a segment with a size. It
// is nil where there are not enough lines yet, unless what is there is all.
func nextBlock(file io.ReaderAt, offset, size int64, all bool) ([]byte, error) {
	for want := int64(blockBytes); ; want *= 2 {
		if size-offset < want && !all {
			return nil, nil
		}
		text := make([]byte, min(want, size-offset))
		if _, err := file.ReadAt(text, offset); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if end := bytes.LastIndexByte(text, '\n'); end >= 0 {
			return text[:end+1], nil
		}
		if int64(len(text)) == size-offset { // a line that is being written
			return nil, nil
		}
		if want >= longestLine { // not ours
			return text, nil
		}
	}
}
