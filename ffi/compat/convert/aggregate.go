package convert

import "libglide/routing"

func mapValue(items []routing.Value) routing.Value {
	return routing.Value{Kind: routing.KindMap, Items: items}
}

// apply is a conversion that may be nil, for none.
func (c Conversion) apply(v routing.Value) (routing.Value, error) {
	if c == nil {
		return v, nil
	}
	return c(v)
}

// arrayOf converts each element of an array.
func arrayOf(inner Conversion) Conversion {
	return func(v routing.Value) (routing.Value, error) {
		if v.Kind != routing.KindArray {
			return v, typeError("Response is no array", v)
		}
		return each(v, inner)
	}
}

func each(v routing.Value, inner Conversion) (routing.Value, error) {
	items := make([]routing.Value, len(v.Items))
	for i, item := range v.Items {
		var err error
		if items[i], err = inner.apply(item); err != nil {
			return v, err
		}
	}
	return routing.Value{Kind: v.Kind, Items: items}, nil
}

func toSet(v routing.Value) (routing.Value, error) {
	switch v.Kind {
	case routing.KindNil, routing.KindSet:
		return v, nil
	case routing.KindArray:
		return routing.Value{Kind: routing.KindSet, Items: v.Items}, nil
	}
	return v, typeError("Response couldn't be converted to a set", v)
}

// stringOrSet makes a set of an array. A set itself is no answer that comes here.
func stringOrSet(v routing.Value) (routing.Value, error) {
	switch v.Kind {
	case routing.KindArray:
		return toSet(v)
	case routing.KindNil, routing.KindBulk, routing.KindSimple, routing.KindVerbatim:
		return v, nil
	}
	return v, typeError("Response couldn't be converted to a set", v)
}

// mapOf makes a map of a map or of an array with keys and values, converting each.
func mapOf(key, value Conversion) Conversion {
	return func(v routing.Value) (routing.Value, error) {
		switch v.Kind {
		case routing.KindNil:
			return v, nil
		case routing.KindMap:
			return pairUp(v, key, value)
		case routing.KindArray:
			return arrayToMap(v, key, value)
		}
		return v, typeError("Response couldn't be converted to a map", v)
	}
}

// pairUp converts the keys and values of a map.
func pairUp(v routing.Value, key, value Conversion) (routing.Value, error) {
	if key == nil && value == nil {
		return v, nil
	}
	items := make([]routing.Value, len(v.Items))
	for i := range v.Items {
		side := key
		if i%2 == 1 {
			side = value
		}
		var err error
		if items[i], err = side.apply(v.Items[i]); err != nil {
			return v, err
		}
	}
	return mapValue(items), nil
}

// arrayToMap takes an element that is itself an array for a pair, nil for nothing, and any other
// for a key whose value follows.
func arrayToMap(v routing.Value, key, value Conversion) (routing.Value, error) {
	if v.Kind != routing.KindArray {
		return v, typeError("Response couldn't be converted to a map", v)
	}
	pairs := make([]routing.Value, 0, len(v.Items))
	for i := 0; i < len(v.Items); i++ {
		switch item := v.Items[i]; {
		case item.IsNil():
		case item.Kind == routing.KindArray:
			if len(item.Items) != 2 {
				return v, typeError("Array inside array must contain exactly two elements", item)
			}
			pairs = append(pairs, item.Items...)
		case i+1 == len(v.Items):
			return v, typeError("Response has a key without a value", v)
		default:
			pairs = append(pairs, item, v.Items[i+1])
			i++
		}
	}
	return pairUp(mapValue(pairs), key, value)
}

// arrayOfPairs makes [[key, value], ...] of a flat array. In RESP3 the pairs are there already,
// with their values.
func arrayOfPairs(value Conversion) Conversion {
	return func(v routing.Value) (routing.Value, error) {
		if v.IsNil() || v.Kind == routing.KindArray && (len(v.Items) == 0 || v.Items[0].Kind == routing.KindArray) {
			return v, nil
		}
		if v.Kind != routing.KindArray || len(v.Items)%2 != 0 || !isString(v.Items[0]) {
			return v, typeError("Response couldn't be converted to pairs", v)
		}
		pairs := make([]routing.Value, 0, len(v.Items)/2)
		for i := 0; i < len(v.Items); i += 2 {
			converted, err := value.apply(v.Items[i+1])
			if err != nil {
				return v, err
			}
			pairs = append(pairs, routing.ArrayOf(v.Items[i], converted))
		}
		return routing.ArrayOf(pairs...), nil
	}
}

// arrayOfMaps makes [{...}, ...] of an array of flat arrays; of a map, whose values come from one
// node each, likewise in each.
func arrayOfMaps(value Conversion) Conversion {
	var convert Conversion
	convert = func(v routing.Value) (routing.Value, error) {
		switch v.Kind {
		case routing.KindArray:
			if len(v.Items) == 0 || v.Items[0].Kind == routing.KindMap {
				return v, nil
			}
			return each(v, func(inner routing.Value) (routing.Value, error) { return arrayToMap(inner, bulk, value) })
		case routing.KindMap:
			return pairUp(v, bulk, convert)
		case routing.KindBulk, routing.KindSimple, routing.KindVerbatim:
			return v, nil
		}
		return v, typeError("Response couldn't be converted to an array of maps", v)
	}
	return convert
}

// oneOrMany converts a reply, or where it is a map each of its values: those of one node each.
func oneOrMany(inner Conversion) Conversion {
	return func(v routing.Value) (routing.Value, error) {
		if v.Kind == routing.KindMap {
			return pairUp(v, nil, inner)
		}
		return inner(v)
	}
}

// oneOrManyArrays is oneOrMany for replies that RESP3 gives as maps themselves: a map is left
// alone unless its values are arrays.
func oneOrManyArrays(inner Conversion) Conversion {
	many := oneOrMany(inner)
	return func(v routing.Value) (routing.Value, error) {
		if v.Kind == routing.KindMap && (len(v.Items) < 2 || v.Items[1].Kind != routing.KindArray) {
			return v, nil
		}
		return many(v)
	}
}
