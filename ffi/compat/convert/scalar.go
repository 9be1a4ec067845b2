package convert

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"libglide/routing"
)

func asItIs(v routing.Value) (routing.Value, error) { return v, nil }

// orNil lets nil pass.
func orNil(inner Conversion) Conversion {
	return func(v routing.Value) (routing.Value, error) {
		if v.IsNil() {
			return v, nil
		}
		return inner(v)
	}
}

func double(v routing.Value) (routing.Value, error) {
	switch v.Kind {
	case routing.KindDouble:
		return v, nil
	case routing.KindInteger:
		return doubleOf(float64(v.Integer)), nil
	case routing.KindBulk, routing.KindSimple:
		// Go also reads hexadecimal and digits apart by underscores, which the server never writes.
		number, err := strconv.ParseFloat(string(v.Text), 64)
		if (err == nil || errors.Is(err, strconv.ErrRange)) && !strings.ContainsAny(string(v.Text), "xX_") {
			return doubleOf(number), nil
		}
	}
	return v, typeError("Response couldn't be converted to a double", v)
}

func doubleOf(number float64) routing.Value {
	return routing.Value{Kind: routing.KindDouble, Double: number}
}

func boolean(v routing.Value) (routing.Value, error) {
	switch {
	case v.Kind == routing.KindBoolean:
		return v, nil
	case v.IsNil():
		return booleanOf(false), nil
	case v.Kind == routing.KindInteger:
		return booleanOf(v.Integer != 0), nil
	case isSimple(v, "OK") || isText(v, "1"):
		return booleanOf(true), nil
	case isText(v, "0"):
		return booleanOf(false), nil
	}
	return v, typeError("Response couldn't be converted to a boolean", v)
}

func booleanOf(truth bool) routing.Value {
	v := routing.Value{Kind: routing.KindBoolean}
	if truth {
		v.Integer = 1
	}
	return v
}

// bulk makes text of anything that is one value.
func bulk(v routing.Value) (routing.Value, error) {
	switch v.Kind {
	case routing.KindBulk:
		return v, nil
	case routing.KindSimple, routing.KindBigNumber:
		return routing.Value{Kind: routing.KindBulk, Text: v.Text}, nil
	case routing.KindVerbatim:
		return routing.Value{Kind: routing.KindBulk, Text: Verbatim(v.Text)}, nil
	case routing.KindInteger:
		return routing.Bulk(strconv.FormatInt(v.Integer, 10)), nil
	case routing.KindDouble:
		return routing.Bulk(strconv.FormatFloat(v.Double, 'f', -1, 64)), nil
	}
	return v, typeError("Response couldn't be converted to a string", v)
}

// text is bulk for what must be UTF-8.
func text(v routing.Value) (routing.Value, error) {
	converted, err := bulk(v)
	if err == nil && !utf8.Valid(converted.Text) {
		return v, typeError("Response is not valid UTF-8", v)
	}
	return converted, err
}

// Verbatim is the text of a verbatim string without its format ("txt:").
func Verbatim(text []byte) []byte {
	if len(text) >= 4 && text[3] == ':' {
		return text[4:]
	}
	return text
}

// toggled reads what JSON.TOGGLE says of one value.
func toggled(v routing.Value) (routing.Value, error) {
	if v.Kind == routing.KindBulk {
		switch string(v.Text) {
		case "true":
			return booleanOf(true), nil
		case "false":
			return booleanOf(false), nil
		}
	}
	return boolean(v)
}

// shades are the blocks that LOLWUT draws with colours, told by the escape sequences around one
// blank each.
var shades = strings.NewReplacer(
	"\x1b[0;97;107m \x1b[0m", "\u2591",
	"\x1b[0;37;47m \x1b[0m", "\u2592",
	"\x1b[0;90;100m \x1b[0m", "\u2593",
	"\x1b[0;30;40m \x1b[0m", " ",
)

func lolwut(v routing.Value) (routing.Value, error) {
	if v.Kind != routing.KindBulk && v.Kind != routing.KindVerbatim {
		return v, typeError("LOLWUT answers with a string", v)
	}
	drawn, err := bulk(v)
	if strings.Contains(string(drawn.Text), "\x1b[0m") {
		drawn = routing.Bulk(shades.Replace(string(drawn.Text)))
	}
	return drawn, err
}

func isString(v routing.Value) bool {
	return v.Kind == routing.KindBulk || v.Kind == routing.KindSimple
}

func isText(v routing.Value, text string) bool { return isString(v) && string(v.Text) == text }
