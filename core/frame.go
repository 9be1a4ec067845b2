package core

import (
	"bufio"
	"errors"
	"io"
	"strconv"
)

// frame is one message of a server on a connection with subscriptions.
type frame struct {
	kind  byte     // of RESP3; also what RESP2 pushes as an array is a '>'
	words [][]byte // its strings in their order, also those of inner aggregates; until the next frame
}

// frames reads what a server says on a connection with subscriptions. The library underneath would
// read that on a goroutine of its own, where a malformed message is a panic that nobody can
// recover; here it is an error.
type frames struct {
	in   *bufio.Reader
	text []byte // of the words
	ends []int  // of each word in text
	frame
}

const (
	// A server sends no string longer than that (proto-max-bulk-len), and no push has so many parts.
	maxText  = 512 << 20
	maxParts = 1024
	// Room for text is kept up to so many bytes.
	keptText = 64 << 10
)

var (
	errLongLine = errors.New("malformed message: a line without end")
	errLength   = errors.New("malformed message: impossible length")
	errParts    = errors.New("malformed message: too many parts")
	errNoKind   = errors.New("malformed message: unknown type")
)

func newFrames(from io.Reader) *frames {
	return &frames{in: bufio.NewReaderSize(from, connBuffer)}
}

// next reads a frame. It is good until the next call.
func (r *frames) next() (*frame, error) {
	if cap(r.text) > keptText {
		r.text = nil
	}
	r.text, r.ends, r.words = r.text[:0], r.ends[:0], r.words[:0]
	kind, err := r.item(0)
	if err != nil {
		return nil, err
	}
	if r.kind = kind; kind == '*' {
		r.kind = '>'
	}
	start := 0
	for _, end := range r.ends {
		r.words = append(r.words, r.text[start:end:end])
		start = end
	}
	return &r.frame, nil
}

// item reads a value and adds its strings to the words.
func (r *frames) item(depth int) (kind byte, err error) {
	line, err := r.line()
	if err != nil {
		return 0, err
	}
	switch {
	case len(r.ends) == maxParts || depth > maxDepth:
		return 0, errParts
	case len(line) == 0:
		return 0, errNoKind
	}
	kind, line = line[0], line[1:]
	switch kind {
	case '+', '-', ':', ',', '#', '(', '_':
		r.text = append(r.text, line...)
		r.ends = append(r.ends, len(r.text))
	case '$', '=', '!':
		err = r.bulk(line)
	case '*', '>', '~':
		err = r.items(line, 1, depth)
	case '%':
		err = r.items(line, 2, depth)
	case '|': // attributes, which nobody asked for, go before the value
		if err = r.items(line, 2, depth); err == nil && depth == 0 {
			r.text, r.ends = r.text[:0], r.ends[:0]
		}
		if err == nil {
			return r.item(depth + 1)
		}
	default:
		err = errNoKind
	}
	return kind, err
}

// items reads the values of an aggregate, each of several parts.
func (r *frames) items(length []byte, parts, depth int) error {
	count, err := parseLength(length, maxParts)
	for range count * parts {
		if err == nil {
			_, err = r.item(depth + 1)
		}
	}
	return err
}

// bulk reads a string. Room is made as it comes, not as it was announced.
func (r *frames) bulk(length []byte) error {
	null := string(length) == "-1"
	size, err := parseLength(length, maxText)
	if err != nil {
		return err
	}
	for left := size; left > 0; {
		step := min(left, keptText)
		from := len(r.text)
		r.text = append(r.text, make([]byte, step)...)
		if _, err := io.ReadFull(r.in, r.text[from:]); err != nil {
			return noEOF(err)
		}
		left -= step
	}
	r.ends = append(r.ends, len(r.text))
	if null {
		return nil
	}
	end, err := r.line()
	if err == nil && len(end) > 0 {
		err = errLength
	}
	return err
}

// line reads to the end of a line, which is good until the next read.
func (r *frames) line() ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, errLongLine
	case err != nil:
		return nil, noEOF(err)
	case len(line) < 2 || line[len(line)-2] != '\r':
		return nil, errNoKind
	}
	return line[:len(line)-2], nil
}

// parseLength reads a length; the null of RESP2, -1, is empty.
func parseLength(text []byte, most int) (int, error) {
	if string(text) == "-1" {
		return 0, nil
	}
	length, err := strconv.Atoi(string(text))
	if err != nil || length < 0 || length > most {
		return 0, errLength
	}
	return length, nil
}

// noEOF says in our terms that the server hung up.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errServerClosed
	}
	return err
}
