package core

import (
	"errors"
	"fmt"
)

// Limits of what a server may say. A reply beyond them is an error, since the library underneath
// makes room for what a length promises before it has come, and reads nested replies by recursion:
// a server that lies could end the process.
const (
	maxReplyElements = 1 << 24   // of one reply, over all levels, as they are promised
	maxBulkBytes     = 512 << 20 // of one string: the server's own default (proto-max-bulk-len)
	maxLineBytes     = 1 << 20   // of an error, a number, a length
	maxNesting       = 128       // levels; parseReply refuses politely from maxDepth on
)

// maxReplyBytes is of one reply; what carries it over the border ends at twice that. The tests have
// a smaller one, since they have not the memory.
var maxReplyBytes = 1 << 30

var (
	errReplyLength = errors.New("malformed reply: a length that is none")
	errReplyType   = errors.New("malformed reply: unknown type")
	errReplyLine   = errors.New("malformed reply: a line without an end")
	errReplyString = errors.New("malformed reply: a string that goes on after its end")
	errReplySize   = fmt.Errorf("the reply is larger than the limit (%d bytes, %d elements, %d bytes of one string)", maxReplyBytes, maxReplyElements, maxBulkBytes)
	errReplyNested = fmt.Errorf("the reply is nested deeper than %d levels", maxNesting)
)

// guard follows the bytes of replies as they come and finds fault with those that would harm the
// library. It keeps no bytes but those of a length.
//
// Streamed strings and aggregates ("$?", "*?") are refused: no Valkey sends them.
type guard struct {
	state  guardState
	kind   byte
	number int64 // of the length being read
	minus  bool
	line   int   // bytes of the line so far
	skip   int64 // bytes of the string, with its end, that are still to come
	bytes  int64 // of the reply so far
	// elements that the reply has promised so far. Those that have come count too: a null of three
	// bytes is more than a hundred in memory.
	elements int64
	open     []int64 // by level, the elements that are still to come
}

type guardState uint8

const (
	atType guardState = iota
	inLine
	inLength
	inString
	lengthEnd // after the carriage return
	stringReturn
	stringEnd
)

// check looks at what was read. After an error the connection is of no use.
func (g *guard) check(p []byte) error {
	for len(p) > 0 {
		if g.state == atType {
			if n := wholeString(p); n > 0 {
				if err := g.took(int64(n)); err != nil {
					return err
				}
				g.element()
				p = p[n:]
				continue
			}
		}
		if g.state == inString {
			n := min(g.skip, int64(len(p)))
			g.skip -= n
			if err := g.took(n); err != nil {
				return err
			}
			if p = p[n:]; g.skip == 0 {
				g.state = stringReturn
			}
			continue
		}
		if err := g.took(1); err != nil {
			return err
		}
		if err := g.step(p[0]); err != nil {
			return err
		}
		p = p[1:]
	}
	return nil
}

// within says that a reply has begun and not ended.
func (g *guard) within() bool { return g.bytes > 0 }

// wholeString is how many bytes the well-formed string takes that p begins with and holds to its
// end; 0 where that is not so. Most replies are such strings, and byte by byte they take three
// times as long.
func wholeString(p []byte) int {
	if p[0] != '$' {
		return 0
	}
	length, i := 0, 1
	for ; i < len(p) && i < 8 && '0' <= p[i] && p[i] <= '9'; i++ {
		length = 10*length + int(p[i]-'0')
	}
	end := i + 2 + length
	if i == 1 || len(p) < end+2 || p[i] != '\r' || p[i+1] != '\n' || p[end] != '\r' || p[end+1] != '\n' {
		return 0
	}
	return end + 2
}

func (g *guard) took(n int64) error {
	if g.bytes += n; g.bytes > int64(maxReplyBytes) {
		return errReplySize
	}
	return nil
}

func (g *guard) step(b byte) error {
	switch g.state {
	case atType:
		return g.begin(b)
	case inLine:
		if g.line++; g.line > maxLineBytes {
			return errReplyLine
		}
		if b == '\n' {
			g.element()
		}
	case inLength:
		return g.digit(b)
	case lengthEnd:
		if b != '\n' {
			return errReplyLength
		}
		return g.promised()
	case stringReturn:
		if b != '\r' {
			return errReplyString
		}
		g.state = stringEnd
	case stringEnd:
		if b != '\n' {
			return errReplyString
		}
		g.element()
	}
	return nil
}

func (g *guard) begin(kind byte) error {
	g.kind, g.line, g.number, g.minus = kind, 0, 0, false
	switch kind {
	case '+', '-', ':', ',', '(', '#', '_':
		g.state = inLine
	case '$', '=', '!', '*', '~', '>', '%', '|':
		g.state = inLength
	default:
		return errReplyType
	}
	return nil
}

func (g *guard) digit(b byte) error {
	g.line++
	switch {
	case b == '-' && g.line == 1:
		g.minus = true
	case b == '\r' && g.line > 1:
		g.state = lengthEnd
	case b < '0' || b > '9' || g.line > 11: // ten digits hold every length within the limits
		return errReplyLength
	default:
		g.number = 10*g.number + int64(b-'0')
	}
	return nil
}

// promised begins what a length announces: a string, or elements. -1 is the null of RESP2.
func (g *guard) promised() error {
	if g.minus {
		if g.number != 1 || g.kind != '$' && g.kind != '*' {
			return errReplyLength
		}
		g.element()
		return nil
	}
	switch g.kind {
	case '$', '=', '!':
		if g.number > maxBulkBytes {
			return errReplySize
		}
		if g.state, g.skip = inString, g.number; g.skip == 0 {
			g.state = stringReturn
		}
		return nil
	case '%':
		g.number *= 2
	case '|': // attributes stand before the element that they are of
		g.number = 2*g.number + 1
	}
	if g.number == 0 {
		g.element()
		return nil
	}
	if g.elements += g.number; g.elements > maxReplyElements {
		return errReplySize
	}
	if len(g.open) == maxNesting {
		return errReplyNested
	}
	g.open, g.state = append(g.open, g.number), atType
	return nil
}

// element ends an element, and every aggregate of which it is the last.
func (g *guard) element() {
	g.state = atType
	for len(g.open) > 0 {
		last := len(g.open) - 1
		if g.open[last]--; g.open[last] > 0 {
			return
		}
		g.open = g.open[:last]
	}
	g.bytes, g.elements = 0, 0 // the reply is whole
}
