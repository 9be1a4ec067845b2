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
	fieldBulkMap   protowire.Number = 15
	fieldBulkSet   protowire.Number = 16

	fieldItems protowire.Number = 1 // of Array, Map and Bulks
)

// sizeValue is the size of a value in bytes, without what stands before it in a message.
func sizeValue(value *routing.Value) int {
	field := fieldOf(value)
	switch field {
	case fieldInteger:
		return 1 + protowire.SizeVarint(uint64(value.Integer))
	case fieldDouble:
		return 1 + protowire.SizeFixed64()
	case fieldBoolean:
		return 2
	}
	return protowire.SizeTag(field) + protowire.SizeBytes(sizeContent(value, field))
}

// sizeContent is the size of what a value in a field with a length holds.
func sizeContent(value *routing.Value, field protowire.Number) (size int) {
	switch field {
	case fieldNil, fieldPerNode:
		return 0
	case fieldBulk, fieldSimple, fieldBigNumber:
		return len(value.Text)
	case fieldVerbatim:
		return len(marshal(encodeVerbatim(value.Text)))
	case fieldError:
		return len(marshal(encodeServerError(value)))
	case fieldBulks, fieldBulkMap, fieldBulkSet:
		for i := range value.Items {
			size += 1 + protowire.SizeBytes(len(value.Items[i].Text))
		}
		return size
	}
	for i := range value.Items {
		size += 1 + protowire.SizeBytes(sizeValue(&value.Items[i]))
	}
	return size
}

// appendValue writes a value, without what stands before it in a message.
func appendValue(b []byte, value *routing.Value) []byte {
	field := fieldOf(value)
	switch field {
	case fieldInteger:
		return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(value.Integer))
	case fieldDouble:
		return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), math.Float64bits(value.Double))
	case fieldBoolean:
		return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), protowire.EncodeBool(value.Integer != 0))
	}
	b = protowire.AppendTag(b, field, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(sizeContent(value, field)))
	switch field {
	case fieldBulk, fieldSimple, fieldBigNumber:
		return append(b, value.Text...)
	case fieldVerbatim:
		return append(b, marshal(encodeVerbatim(value.Text))...)
	case fieldError:
		return append(b, marshal(encodeServerError(value))...)
	case fieldBulks, fieldBulkMap, fieldBulkSet:
		for i := range value.Items {
			b = protowire.AppendBytes(protowire.AppendTag(b, fieldItems, protowire.BytesType), value.Items[i].Text)
		}
		return b
	}
	for i := range value.Items {
		item := &value.Items[i]
		b = protowire.AppendTag(b, fieldItems, protowire.BytesType)
		b = appendValue(protowire.AppendVarint(b, uint64(sizeValue(item))), item)
	}
	return b
}

// fieldOf is the field that a value goes into.
func fieldOf(value *routing.Value) protowire.Number {
	switch value.Kind {
	case routing.KindNil:
		return fieldNil
	case routing.KindInteger:
		return fieldInteger
	case routing.KindDouble:
		return fieldDouble
	case routing.KindBoolean:
		return fieldBoolean
	case routing.KindBulk:
		return fieldBulk
	case routing.KindSimple:
		return fieldSimple
	case routing.KindArray:
		return compact(value, fieldBulks, fieldArray)
	case routing.KindMap:
		return compact(value, fieldBulkMap, fieldMap)
	case routing.KindSet:
		return compact(value, fieldBulkSet, fieldSet)
	case routing.KindVerbatim:
		return fieldVerbatim
	case routing.KindBigNumber:
		return fieldBigNumber
	case routing.KindPerNode:
		return fieldPerNode
	}
	return fieldError
}

// compact chooses the form of an aggregate: the short one where it holds bulk strings only, and at
// least one.
func compact(value *routing.Value, short, long protowire.Number) protowire.Number {
	for i := range value.Items {
		if value.Items[i].Kind != routing.KindBulk {
			return long
		}
	}
	if len(value.Items) == 0 {
		return long
	}
	return short
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
