package suite

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Value is a reply in the notation of the vectors: {"s"} simple string, {"b"} bulk, {"i"} integer,
// {"nil"}, {"a"} array, {"m"} map as pairs, {"e"} error line. A bare string is text of either kind.
// Answers of drivers may also hold {"d"} double, {"t"} boolean, {"u"} set, {"v"} verbatim string,
// {"n"} big number and {"p"}: one entry for each outcome.
type Value struct {
	Kind  string // the name of the notation; empty: a bare string
	Text  string // bytes
	Int   int64
	Items []Value // keys and values of a map by turns
}

// UnmarshalJSON reads the notation.
func (v *Value) UnmarshalJSON(raw []byte) error {
	if raw[0] == '"' {
		return json.Unmarshal(raw, &v.Text)
	}
	var one map[string]json.RawMessage
	if err := json.Unmarshal(raw, &one); err != nil {
		return err
	}
	if len(one) != 1 {
		return fmt.Errorf("a value has one kind, not %d", len(one))
	}
	for v.Kind, raw = range one {
	}
	switch v.Kind {
	case "s", "b", "e", "d", "v", "n":
		return json.Unmarshal(raw, &v.Text)
	case "i":
		return json.Unmarshal(raw, &v.Int)
	case "t":
		var truth bool
		err := json.Unmarshal(raw, &truth)
		if truth {
			v.Int = 1
		}
		return err
	case "a", "u":
		return decode(raw, &v.Items)
	case "m":
		var pairs [][2]Value
		err := decode(raw, &pairs)
		for _, pair := range pairs {
			v.Items = append(v.Items, pair[0], pair[1])
		}
		return err
	case "nil", "p":
		return nil
	}
	return fmt.Errorf("a value of kind %q", v.Kind)
}

// MarshalJSON writes the notation; bytes that are no ASCII as the Latin-1 characters they may be.
func (v Value) MarshalJSON() ([]byte, error) {
	var content any
	switch v.Kind {
	case "":
		return json.Marshal(latin1(v.Text))
	case "i":
		content = v.Int
	case "t":
		content = v.Int != 0
	case "nil", "p":
		content = 1
	case "a", "u":
		content = append([]Value{}, v.Items...)
	case "m":
		pairs := [][2]Value{}
		for i := 0; i+1 < len(v.Items); i += 2 {
			pairs = append(pairs, [2]Value{v.Items[i], v.Items[i+1]})
		}
		content = pairs
	default:
		content = latin1(v.Text)
	}
	return json.Marshal(map[string]any{v.Kind: content})
}

func latin1(bytes string) string {
	runes := make([]rune, 0, len(bytes))
	for _, b := range []byte(bytes) {
		runes = append(runes, rune(b))
	}
	return string(runes)
}

// fromLatin1 turns the texts of an answer back into bytes.
func (v *Value) fromLatin1() {
	var bytes strings.Builder
	for _, r := range v.Text {
		bytes.WriteByte(byte(r))
	}
	v.Text = bytes.String()
	for i := range v.Items {
		v.Items[i].fromLatin1()
	}
}

func (v Value) String() string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// matches says whether a value is the expected one. Maps and sets have no order. Of an error the
// expected text is a part.
func (v Value) matches(seen Value) bool {
	switch v.Kind {
	case "":
		return (seen.Kind == "s" || seen.Kind == "b" || seen.Kind == "") && v.Text == seen.Text
	case "e":
		return seen.Kind == "e" && strings.Contains(strings.ToLower(seen.Text), strings.ToLower(v.Text))
	case "m", "u":
		return v.Kind == seen.Kind && v.matchesUnordered(seen)
	case "a":
		return seen.Kind == "a" && slices.EqualFunc(v.Items, seen.Items, Value.matches)
	}
	return v.Kind == seen.Kind && v.Text == seen.Text && v.Int == seen.Int
}

func (v Value) matchesUnordered(seen Value) bool {
	step := 1
	if v.Kind == "m" {
		step = 2
	}
	left := slices.Collect(slices.Chunk(seen.Items, step))
	for item := range slices.Chunk(v.Items, step) {
		i := slices.IndexFunc(left, func(other []Value) bool { return slices.EqualFunc(item, other, Value.matches) })
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return len(left) == 0
}

func text(bytes string) Value      { return Value{Text: bytes} }
func array(items ...Value) Value   { return Value{Kind: "a", Items: items} }
func wordsOf(line string) []string { return strings.Fields(line) }
func number(n int) string          { return strconv.Itoa(n) }
