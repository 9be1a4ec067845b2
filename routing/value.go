package routing

import "strings"

// Kind says what a Value is.
type Kind uint8

// The kinds of replies, as RESP3 tells them apart.
const (
	KindNil Kind = iota
	KindInteger
	KindDouble
	KindBoolean
	KindBulk
	KindSimple
	KindArray
	KindMap
	KindSet
	KindVerbatim
	KindBigNumber
	KindError
	// KindPerNode is a combined value that is one entry for each leg: the entries are the
	// replies of the legs themselves.
	KindPerNode
)

var kindNames = [...]string{"nil", "integer", "double", "boolean", "bulk string", "simple string",
	"array", "map", "set", "verbatim string", "big number", "error", "reply per node"}

func (k Kind) String() string { return kindNames[k] }

// Value is one reply of a server.
type Value struct {
	Kind    Kind
	Integer int64   // KindInteger; 0 or 1 of KindBoolean
	Double  float64 // KindDouble
	// Text is the bytes of a bulk, simple or verbatim string (with its "txt:" prefix), the digits
	// of a big number, or the whole line of an error, as "WRONGTYPE Operation against ...".
	Text  []byte
	Items []Value // elements of an array or a set; keys and values of a map by turns
}

// Integer, Simple, Bulk, ArrayOf and ErrorReply are the values that the client makes itself.
func Integer(n int64) Value        { return Value{Kind: KindInteger, Integer: n} }
func Simple(text string) Value     { return Value{Kind: KindSimple, Text: []byte(text)} }
func Bulk(text string) Value       { return Value{Kind: KindBulk, Text: []byte(text)} }
func ArrayOf(items ...Value) Value { return Value{Kind: KindArray, Items: items} }
func ErrorReply(line string) Value { return Value{Kind: KindError, Text: []byte(line)} }
func (v Value) IsNil() bool        { return v.Kind == KindNil }
func (v Value) IsError() bool      { return v.Kind == KindError }
func (v Value) isText() bool       { return v.Kind == KindBulk || v.Kind == KindSimple }
func (v Value) ErrorCode() string  { return ErrorCode(string(v.Text)) }
func (v Value) textOr(d string) string {
	if v.isText() {
		return string(v.Text)
	}
	return d
}

// ErrorCode is the first word of an error line where it is in capitals, as the server writes its
// codes ("WRONGTYPE"), else empty.
func ErrorCode(line string) string {
	word, _, _ := strings.Cut(line, " ")
	for _, c := range []byte(word) {
		if (c < 'A' || c > 'Z') && c != '_' && c != '-' && (c < '0' || c > '9') {
			return ""
		}
	}
	return word
}
