package convert

import "libglide/routing"

// fieldsOf makes {name: value} of the fields of a document.
var fieldsOf = mapOf(bulk, bulk)

func noFields() routing.Value { return mapValue(nil) }

// search reads [count, key, fields, key, fields ...], or the keys alone.
func search(v routing.Value) (routing.Value, error) {
	count, rest, done, err := searched(v)
	if done {
		return v, err
	}
	allKeys := true
	for _, item := range rest {
		allKeys = allKeys && isString(item)
	}
	var documents routing.Value
	if allKeys {
		documents = noFields()
		for _, key := range rest {
			documents.Items = append(documents.Items, key, noFields())
		}
	} else if documents, err = arrayToMap(routing.ArrayOf(rest...), bulk, fieldsOf); err != nil {
		return v, err
	}
	return routing.ArrayOf(count, documents), nil
}

// searchSortKeys reads [count, key, sort key, fields ...], or without the fields.
func searchSortKeys(v routing.Value) (routing.Value, error) {
	count, rest, done, err := searched(v)
	if done {
		return v, err
	}
	width := 2
	for _, item := range rest {
		if item.Kind == routing.KindArray {
			width = 3
		}
	}
	if len(rest)%width != 0 {
		return v, typeError("Response has a document that is cut short", v)
	}
	documents := noFields()
	for i := 0; i < len(rest); i += width {
		fields := noFields()
		if width == 3 {
			if fields, err = fieldsOf(rest[i+2]); err != nil {
				return v, err
			}
		}
		documents.Items = append(documents.Items, rest[i], routing.ArrayOf(rest[i+1], fields))
	}
	return routing.ArrayOf(count, documents), nil
}

// searched takes the count off the documents. It is done where the reply stays as it is.
func searched(v routing.Value) (count routing.Value, rest []routing.Value, done bool, err error) {
	if v.Kind != routing.KindArray || len(v.Items) == 0 {
		return v, nil, true, typeError("Response is no result of a search", v)
	}
	return v.Items[0], v.Items[1:], len(v.Items) == 1, nil
}

// aggregate drops the count.
func aggregate(v routing.Value) (routing.Value, error) {
	if v.Kind != routing.KindArray || len(v.Items) == 0 {
		return v, typeError("Response is no result of an aggregation", v)
	}
	rows := routing.ArrayOf(v.Items[1:]...)
	return each(rows, func(row routing.Value) (routing.Value, error) { return arrayToMap(row, nil, nil) })
}

// profile reads [result, times by step].
func profile(result Conversion) Conversion {
	return func(v routing.Value) (routing.Value, error) {
		if v.Kind != routing.KindArray || len(v.Items) != 2 {
			return v, typeError("Response is no profile of a search", v)
		}
		converted, err := result(v.Items[0])
		if err != nil {
			return v, err
		}
		times, err := mapOf(text, double)(v.Items[1])
		return routing.ArrayOf(converted, times), err
	}
}

// searchInfo makes maps of an index, of its fields and of their vectors' parameters. The module
// names what it tells with simple strings; a field of the user's that is called the same is bulk.
func searchInfo(v routing.Value) (routing.Value, error) {
	info, err := arrayToMap(v, nil, nil)
	if err != nil {
		return v, err
	}
	return convertNamed(info, "fields", arrayOf(func(field routing.Value) (routing.Value, error) {
		properties, err := mapOf(nil, nil)(field)
		if err != nil {
			return field, err
		}
		return convertNamed(properties, "vector_params", mapOf(nil, nil))
	}))
}

func convertNamed(v routing.Value, name string, inner Conversion) (routing.Value, error) {
	for i := 0; i+1 < len(v.Items); i += 2 {
		if isSimple(v.Items[i], name) {
			var err error
			if v.Items[i+1], err = inner(v.Items[i+1]); err != nil {
				return v, err
			}
		}
	}
	return v, nil
}
