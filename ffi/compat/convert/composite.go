package convert

import "libglide/routing"

// convertIn converts the value of a key of a map; a map without the key stays.
func convertIn(v routing.Value, key string, inner Conversion) (routing.Value, error) {
	for i := 0; i+1 < len(v.Items); i += 2 {
		if isText(v.Items[i], key) {
			converted, err := inner(v.Items[i+1])
			v.Items[i+1] = converted
			return v, err
		}
	}
	return v, nil
}

func trackingInfo(v routing.Value) (routing.Value, error) {
	if v.Kind == routing.KindMap {
		return v, nil
	}
	info, err := arrayToMap(v, nil, nil)
	if err != nil {
		return v, err
	}
	return convertIn(info, "flags", toSet)
}

// memoryStats makes numbers of what reads as a number.
func memoryStats(v routing.Value) (routing.Value, error) {
	return mapOf(nil, func(item routing.Value) (routing.Value, error) {
		converted := item
		var err error
		switch item.Kind {
		case routing.KindArray:
			converted, err = arrayToMap(item, nil, nil)
		case routing.KindBulk:
			converted, err = double(item)
		}
		if err != nil {
			return item, nil
		}
		return converted, nil
	})(v)
}

// functionStats reads [running, script or nil, engines, descriptions by name].
func functionStats(v routing.Value) (routing.Value, error) {
	if v.Kind == routing.KindMap {
		return v, nil
	}
	if v.Kind != routing.KindArray || len(v.Items) != 4 {
		return v, typeError("FUNCTION STATS answers with four elements", v)
	}
	running, err := orNil(mapOf(nil, nil))(v.Items[1])
	if err != nil {
		return v, err
	}
	engines, err := arrayToMap(v.Items[3], bulk, mapOf(nil, nil))
	if err != nil {
		return v, err
	}
	return mapValue([]routing.Value{v.Items[0], running, v.Items[2], engines}), nil
}

// xinfoFull makes maps of the stream, of its groups and of their consumers.
func xinfoFull(v routing.Value) (routing.Value, error) {
	if v.Kind == routing.KindMap {
		return v, nil
	}
	consumers := arrayOf(mapOf(bulk, nil))
	group := func(v routing.Value) (routing.Value, error) {
		members, err := mapOf(bulk, nil)(v)
		if err != nil {
			return v, err
		}
		return convertIn(members, "consumers", consumers)
	}
	stream, err := mapOf(bulk, nil)(v)
	if err != nil {
		return v, err
	}
	return convertIn(stream, "groups", arrayOf(group))
}

// xautoclaim reads [next id, entries, deleted ids]; servers before 7.0 have no third.
func xautoclaim(v routing.Value) (routing.Value, error) {
	if v.Kind != routing.KindArray || len(v.Items) < 2 || len(v.Items) > 3 {
		return v, typeError("XAUTOCLAIM answers with two or three elements", v)
	}
	entries, err := mapOf(bulk, arrayOfPairs(nil))(v.Items[1])
	if err != nil {
		return v, err
	}
	return routing.ArrayOf(append([]routing.Value{v.Items[0], entries}, v.Items[2:]...)...), nil
}

// keyWith converts the second of two elements; nil passes.
func keyWith(what string, inner Conversion) Conversion {
	return orNil(func(v routing.Value) (routing.Value, error) {
		if v.Kind != routing.KindArray || len(v.Items) != 2 {
			return v, typeError(what, v)
		}
		second, err := inner(v.Items[1])
		return routing.ArrayOf(v.Items[0], second), err
	})
}

var (
	keyWithScores = keyWith("Response is no key with its members and their scores",
		func(v routing.Value) (routing.Value, error) { return arrayToMap(v, bulk, double) })
	rankWithScore = keyWith("Response is no rank with a score", double)
)

// position converts both of longitude and latitude.
func position(v routing.Value) (routing.Value, error) {
	if v.Kind != routing.KindArray || len(v.Items) != 2 {
		return v, typeError("Response is no pair of coordinates", v)
	}
	return each(v, double)
}

// keyWithList makes {key: [elements]}.
var keyWithList = orNil(func(v routing.Value) (routing.Value, error) {
	if v.Kind != routing.KindArray || len(v.Items) != 2 || v.Items[1].Kind != routing.KindArray {
		return v, typeError("Response is no key with its elements", v)
	}
	return arrayToMap(v, bulk, arrayOf(bulk))
})

var keyMemberScore = orNil(func(v routing.Value) (routing.Value, error) {
	if v.Kind != routing.KindArray || len(v.Items) != 3 {
		return v, typeError("Response is no key with a member and its score", v)
	}
	score, err := double(v.Items[2])
	return routing.ArrayOf(v.Items[0], v.Items[1], score), err
})

// place reads [name, distance, hash, [longitude, latitude]] without what was not asked for, and
// puts all behind the name into one array.
func place(v routing.Value) (routing.Value, error) {
	if v.Kind != routing.KindArray || len(v.Items) == 0 {
		return v, typeError("Response is no place with its properties", v)
	}
	properties := make([]routing.Value, 0, len(v.Items)-1)
	for _, item := range v.Items[1:] {
		var err error
		switch item.Kind {
		case routing.KindArray:
			item, err = position(item)
		case routing.KindBulk:
			item, err = double(item)
		}
		if err != nil {
			return v, err
		}
		properties = append(properties, item)
	}
	return routing.ArrayOf(v.Items[0], routing.ArrayOf(properties...)), nil
}
