package main

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"libglide/protobuf"
	"libglide/routing"
)

// Values are written field by field, without message objects between: a reply of ten thousand
// elements would need as many. The fields are those of message Value.
const (
	fieldNil       protowire.Number = 1
	fieldInteger   protowire.Number = 2
	fieldDouble    protowire.Number = 3
	fieldBoolean   protowire.Number = 4
	fieldBulk      protowire.Number = 5
	fieldSimple    protowire.Number = 6
	fieldArray     protowire.Number = 7
	fieldMap       protowire.Number = 8
	fieldSet       protowire.Number = 9
	fieldVerbatim  protowire.Number = 10
	fieldBigNumber protowire.Number = 11
	fieldError     protowire.Number = 12
	fieldBulks     protowire.Number = 13
	fieldPerNode   protowire.Number = 14

	fieldItems protowire.Number = 1 // of Array, Map and Bulks
)

// sizeValue is the size of a value in bytes, without what stands before it in a message.
func sizeValue(value *routing.Value) int {
	switch value.Kind {
	case routing.KindInteger:
		return 1 + protowire.SizeVarint(uint64(value.Integer))
	case routing.KindDouble:
		return 1 + protowire.SizeFixed64()
	case routing.KindBoolean:
		return 2
	}
	return 1 + protowire.SizeBytes(sizeContent(value))
}

// sizeContent is the size of what a value of a kind with a length holds.
func sizeContent(value *routing.Value) (size int) {
	switch value.Kind {
	case routing.KindNil, routing.KindPerNode:
		return 0
	case routing.KindBulk, routing.KindSimple, routing.KindBigNumber:
		return len(value.Text)
	case routing.KindVerbatim:
		return len(marshal(encodeVerbatim(value.Text)))
	case routing.KindError:
		return len(marshal(encodeServerError(value)))
	}
	bulks := isBulks(value)
	for i := range value.Items {
		if bulks {
			size += 1 + protowire.SizeBytes(len(value.Items[i].Text))
		} else {
			size += 1 + protowire.SizeBytes(sizeValue(&value.Items[i]))
		}
	}
	return size
}

// appendValue writes a value, without what stands before it in a message.
func appendValue(b []byte, value *routing.Value) []byte {
	switch value.Kind {
	case routing.KindInteger:
		return protowire.AppendVarint(protowire.AppendTag(b, fieldInteger, protowire.VarintType), uint64(value.Integer))
	case routing.KindDouble:
		return protowire.AppendFixed64(protowire.AppendTag(b, fieldDouble, protowire.Fixed64Type), math.Float64bits(value.Double))
	case routing.KindBoolean:
		return protowire.AppendVarint(protowire.AppendTag(b, fieldBoolean, protowire.VarintType), protowire.EncodeBool(value.Integer != 0))
	}
	field := fieldOf(value)
	b = protowire.AppendTag(b, field, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(sizeContent(value)))
	switch field {
	case fieldBulk, fieldSimple, fieldBigNumber:
		return append(b, value.Text...)
	case fieldVerbatim:
		return append(b, marshal(encodeVerbatim(value.Text))...)
	case fieldError:
		return append(b, marshal(encodeServerError(value))...)
	}
	for i := range value.Items {
		item := &value.Items[i]
		b = protowire.AppendTag(b, fieldItems, protowire.BytesType)
		if field == fieldBulks {
			b = protowire.AppendBytes(b, item.Text)
		} else {
			b = protowire.AppendVarint(b, uint64(sizeValue(item)))
			b = appendValue(b, item)
		}
	}
	return b
}

// fieldOf is the field of a value of a kind with a length.
func fieldOf(value *routing.Value) protowire.Number {
	switch value.Kind {
	case routing.KindNil:
		return fieldNil
	case routing.KindBulk:
		return fieldBulk
	case routing.KindSimple:
		return fieldSimple
	case routing.KindArray:
		if isBulks(value) {
			return fieldBulks
		}
		return fieldArray
	case routing.KindMap:
		return fieldMap
	case routing.KindSet:
		return fieldSet
	case routing.KindVerbatim:
		return fieldVerbatim
	case routing.KindBigNumber:
		return fieldBigNumber
	case routing.KindPerNode:
		return fieldPerNode
	}
	return fieldError
}

// isBulks says whether the value takes the compact form of an array that holds bulk strings only,
// and at least one.
func isBulks(value *routing.Value) bool {
	if value.Kind != routing.KindArray || len(value.Items) == 0 {
		return false
	}
	for i := range value.Items {
		if value.Items[i].Kind != routing.KindBulk {
			return false
		}
	}
	return true
}

// encodeVerbatim splits "txt:some text".
func encodeVerbatim(bytes []byte) *protobuf.Verbatim {
	if len(bytes) < 4 || bytes[3] != ':' {
		return &protobuf.Verbatim{Text: bytes}
	}
	return &protobuf.Verbatim{Format: text(string(bytes[:3])), Text: bytes[4:]}
}

func encodeServerError(value *routing.Value) *protobuf.ServerError {
	return &protobuf.ServerError{Code: value.ErrorCode(), Message: text(string(value.Text))}
}
