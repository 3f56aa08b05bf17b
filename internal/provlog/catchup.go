package provlog

import (
	"errors"
	"os"
)

// catchUp brings the index of a segment up to what is in it: all of it where it is
// closed, all but the block that is being written where it is not. Whoever calls
// it holds the lock of indexes. A segment that is closed and replaced meanwhile may
// leave an index that is another's, which nobody believes. stop says that there is no more time.
func catchUp(s segment, stop func() bool) error {
	seg, err := os.Open(s.path)
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = seg.Close() }() // only read
	file, err := os.OpenFile(indexPath(s.path), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(extend(file, seg, !s.closed.IsZero(), stop), file.Close())
}

// extend writes the entries that an index lacks.
func extend(file, seg *os.File, closed bool, stop func() bool) error {
	begin, err := preamble(seg)
	if err != nil || begin == nil {
		return err
	}
	info, err := seg.Stat()
	if err != nil {
		return err
	}
	count, err := entriesOf(file, seg)
	if err != nil {
		return err
	}
	if count < 0 { // of another segment, or none yet
		if err := file.Truncate(0); err != nil {
			return err
		}
		if _, err := file.WriteAt(begin, 0); err != nil {
			return err
		}
	}
	count, offset := sound(index{file, max(count, 0)}, info.Size(), stop)
	if stop() {
		return nil
	}
	if err := file.Truncate(at(count)); err != nil { // what is behind it is not good
		return err
	}
	for !stop() {
		text, err := nextBlock(seg, offset, info.Size(), closed)
		if err != nil || text == nil {
			return err
		}
		if _, err := file.WriteAt(summary(offset, text).encode(), at(count)); err != nil {
			return err
		}
		count, offset = count+1, offset+int64(len(text))
	}
	return nil
}

// sound returns how many entries of an index are good, from its beginning, and
// where what they tell of ends.
func sound(x index, size int64, stop func() bool) (count int, offset int64) {
	var bloom [bloomBytes]byte
	for _, b := range x.blocks(size) {
		if stop() || x.bloom(count, &bloom) != nil {
			break
		}
		count, offset = count+1, b.end()
	}
	return count, offset
}
