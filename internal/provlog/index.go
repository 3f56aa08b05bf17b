package provlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
)

// An index begins with what tells whose it is: a word for its form, and a checksum
// of the beginning of its segment, where the id of a request is.
const (
	preambleBytes = 16
	form          = "provlog1"
	likeness      = 256 // bytes of a segment that tell it from others
)

// preamble is that of the index of a segment; nil where it has no line yet.
func preamble(file io.ReaderAt) ([]byte, error) {
	begin := make([]byte, likeness)
	n, err := file.ReadAt(begin, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	begin = begin[:n]
	if end := bytes.IndexByte(begin, '\n'); end >= 0 {
		begin = begin[:end+1]
	} else if n < likeness {
		return nil, nil
	}
	text := make([]byte, preambleBytes)
	copy(text, form)
	binary.LittleEndian.PutUint32(text[8:], crc32.ChecksumIEEE(begin))
	return text, nil
}

// index reads the index of a segment.
type index struct {
	file  *os.File // nil where there is none that is good
	count int      // of its entries, good or not
}

// openIndex opens the index of a segment with a size. One that is another's has no
// entries, nor has one that is not there.
func openIndex(seg io.ReaderAt, path string) (index, error) {
	file, err := os.Open(indexPath(path))
	if gone(err) {
		return index{}, nil
	}
	if err != nil {
		return index{}, err
	}
	count, err := entriesOf(file, seg)
	if err != nil || count < 0 {
		return index{}, errors.Join(err, file.Close())
	}
	return index{file, count}, nil
}

// entriesOf counts the entries of an index, -1 where it is not that of the segment.
func entriesOf(file *os.File, seg io.ReaderAt) (int, error) {
	want, err := preamble(seg)
	if err != nil || want == nil {
		return -1, err
	}
	have := make([]byte, preambleBytes)
	if _, err := file.ReadAt(have, 0); err != nil || !bytes.Equal(have, want) {
		return -1, nil // what cannot be read is made again
	}
	info, err := file.Stat()
	if err != nil {
		return -1, err
	}
	return int((info.Size() - preambleBytes) / entryBytes), nil
}

func (x index) close() {
	if x.file != nil {
		_ = x.file.Close() // only read
	}
}

// at is where an entry begins in an index.
func at(i int) int64 { return preambleBytes + int64(i)*entryBytes }

// header reads the header of an entry; begin is where its block has to begin.
func (x index) header(i int, begin int64) (block, error) {
	text := make([]byte, headerBytes)
	if _, err := x.file.ReadAt(text, at(i)); err != nil {
		return block{}, errDamaged
	}
	return decodeHeader(text, begin)
}

// bloom reads the filter of an entry.
func (x index) bloom(i int, into *[bloomBytes]byte) error {
	var text [entryBytes]byte
	if _, err := x.file.ReadAt(text[:], at(i)); err != nil {
		return errDamaged
	}
	copy(into[:], text[headerBytes:])
	if crc32.ChecksumIEEE(into[:]) != binary.LittleEndian.Uint32(text[56:]) {
		return errDamaged
	}
	return nil
}

// blocks reads the headers of all entries up to the first that is not good, or that
// speaks of what the segment has not got.
func (x index) blocks(size int64) []block {
	var all []block
	begin := int64(0)
	for i := range x.count {
		b, err := x.header(i, begin)
		if err != nil || b.end() > size {
			break
		}
		all = append(all, b)
		begin = b.end()
	}
	return all
}
