package suite

import (
	"encoding/json"
	"maps"
	"slices"
)

// members are those of one object of a vector. What is read is remembered: a member that nobody
// has read at the end is one that nobody understood, and a vector must not pass by that.
type members struct {
	path string
	raw  map[string]json.RawMessage
	read map[string]bool
}

// object gives the members of an object, of which there may be none.
func (t *trial) object(path string, raw json.RawMessage) *members {
	m := &members{path: path, read: map[string]bool{"note": true}}
	if raw != nil {
		if err := json.Unmarshal(raw, &m.raw); err != nil {
			t.misread(path, raw)
		}
	}
	t.objects = append(t.objects, m)
	return m
}

// inner gives the members of an object inside of another.
func (t *trial) inner(m *members, name string) *members {
	m.read[name] = true
	return t.object(m.path+"."+name, m.raw[name])
}

func (m *members) has(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return m.raw[name] != nil })
}

func (m *members) memberNames() []string { return slices.Sorted(maps.Keys(m.raw)) }

// with puts other members in the place of some, and takes out those that are null.
func (m *members) with(patch map[string]json.RawMessage) {
	m.raw = maps.Clone(m.raw)
	for name, raw := range patch {
		if string(raw) == "null" {
			delete(m.raw, name)
		} else {
			m.raw[name] = raw
		}
	}
}

// get reads a member. It is false where there is none, and where it is not what it should be;
// the vector has then failed.
func get[T any](t *trial, m *members, name string) (value T, has bool) {
	raw := m.raw[name]
	if raw == nil {
		return value, false
	}
	m.read[name] = true
	if err := decode(raw, &value); err != nil {
		t.misread(m.path+"."+name, raw)
		return value, false
	}
	return value, true
}

// unread tells of what nobody understood.
func (t *trial) unread() {
	for _, m := range t.objects {
		for _, name := range m.memberNames() {
			if !m.read[name] {
				t.misread(m.path+"."+name, m.raw[name])
			}
		}
	}
}
