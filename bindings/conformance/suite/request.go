package suite

import (
	"slices"
	"strings"
	"time"

	"libglide/routing"
)

// settings are those of the client that a vector is for.
type settings struct {
	readFrom, zone string
	readOnly       bool
	inflight       int
	timeout        time.Duration // 0: the vector sets none
}

func (t *trial) settings() settings {
	var s settings
	s.readFrom, _ = get[string](t, t.config, "read_from")
	s.zone, _ = get[string](t, t.config, "client_az")
	s.readOnly, _ = get[bool](t, t.config, "read_only")
	s.inflight, _ = get[int](t, t.config, "inflight_limit")
	milliseconds, has := get[int](t, t.config, "request_timeout_ms")
	if !has {
		milliseconds, _ = get[int](t, t.config, "timeout_ms")
	}
	s.timeout = time.Duration(milliseconds) * time.Millisecond
	return s
}

// options are the settings that a router has too.
func (s *settings) options() []string {
	var options []string
	if s.readFrom != "" {
		options = append(options, option("read_from", s.readFrom))
	}
	if s.zone != "" {
		options = append(options, option("zone", s.zone))
	}
	return options
}

// route is a route as vectors write it.
type route struct {
	Type, Value, Host string
	SlotKey           string `json:"slot_key"`
	SlotType          string `json:"slot_type"`
	SlotID            int    `json:"slot_id"`
	Port              int
}

// where gives the route as an option of a call. Real is the address by which a node is known.
func (t *trial) where(m *members, real func(string) string) []string {
	r, has := get[route](t, m, "route")
	if !has {
		return nil
	}
	slotType := strings.ToLower(r.SlotType)
	if slotType == "" {
		slotType = "primary"
	}
	switch {
	case r.Type == "simple":
		simple := map[string]string{"AllNodes": "all-nodes", "AllPrimaries": "all-primaries", "RandomNode": "random"}[r.Value]
		if simple != "" {
			return []string{option("route", simple)}
		}
	case slotType != "primary" && slotType != "replica":
	case r.Type == "slot_key":
		if key, err := keyBytes(r.SlotKey); err == nil {
			return []string{option("route", "key:"+slotType+":"+hexWord(key))}
		}
	case r.Type == "slot_id":
		return []string{option("route", "id:"+slotType+":"+number(r.SlotID))}
	case r.Type == "address":
		host, port := r.Host, r.Port
		switch {
		case port == 0:
			host = real(host)
		case port <= maxPort:
			host, port = splitAddress(real(joinAddress(host, port)))
		}
		return []string{option("route", "address:"+hexWord(host)+":"+number(port))}
	}
	t.misread(m.path+".route", m.raw["route"])
	return nil
}

// requested judges a vector that holds a request: by the plan of a router, unless what is expected
// shows only live, and in any case by what a client sends to fake nodes.
func (t *trial) requested() {
	topology := t.topology()
	if api, _ := get[string](t, t.config, "api"); api == "cluster_scan" {
		t.scanned(topology)
		return
	} else if api != "" {
		t.misread("config.api", api)
		return
	}
	if !t.needsClient() || t.expect.has("policy", "sub_batches") {
		t.planned(topology)
	}
	if words, _ := get[[]string](t, t.request, "cmd"); !t.needsClient() && onlyPlanned(words) {
		return
	}
	t.live(topology)
}

// onlyPlanned says whether a client refuses to send the command, since it sets a state of one
// connection: SELECT, WATCH and their like have a plan, and it is all there is to see.
func onlyPlanned(words []string) bool {
	command := make([][]byte, len(words))
	for i, word := range words {
		command[i] = []byte(word)
	}
	return routing.SetsState(command)
}

// seenOnlyLive are the expectations that take a client with connections to show.
var seenOnlyLive = []string{
	"error", "result", "refresh", "steps", "slot_map", "roles", "connect", "redirect", "redirected_to",
	"contiguous", "sends_max", "retry_only", "reconnect_seeds", "ordered",
}

// needsClient says whether a router cannot show what the vector expects: it has no connections and
// no read-only mode, and measures no latency.
func (t *trial) needsClient() bool {
	aboutShard := func(name string) bool { return strings.HasPrefix(name, "shard_of_") }
	return len(t.replies.raw) > 0 || len(t.state.raw) > 0 || t.config.has("read_only") ||
		string(t.config.raw["read_from"]) == `"lowest_latency"` ||
		t.expect.has(seenOnlyLive...) || slices.ContainsFunc(t.expect.memberNames(), aboutShard) ||
		strings.Contains(string(t.expect.raw["targets_over_n"]), `"error"`)
}

// batch is several commands that go together.
type batch struct {
	commands [][]string
	atomic   bool
	options  []string
}

// batch reads request.batch; false where the request is a single command.
func (t *trial) batch(real func(string) string) (*batch, bool) {
	if !t.request.has("batch") {
		return nil, false
	}
	m := t.inner(t.request, "batch")
	b := new(batch)
	b.commands, _ = get[[][]string](t, m, "commands")
	b.atomic, _ = get[bool](t, m, "atomic")
	get[[]string](t, m, "watch") // the replies show what comes of it
	if b.atomic {
		b.options = append(b.options, option("atomic", 1))
	}
	for name, short := range map[string]string{"raise_on_error": "raise", "retry_server_error": "retry_server", "retry_connection_error": "retry_connection"} {
		if set, has := get[bool](t, m, name); has {
			b.options = append(b.options, option(short, map[bool]int{true: 1}[set]))
		}
	}
	if timeout, has := get[int](t, m, "timeout"); has {
		b.options = append(b.options, option("timeout_ms", timeout))
	}
	b.options = append(b.options, t.where(m, real)...)
	return b, true
}

// plan are the options that a plan of the batch has too.
func (b *batch) plan() []string {
	return slices.DeleteFunc(slices.Clone(b.options), func(option string) bool {
		return !strings.HasPrefix(option, "atomic=") && !strings.HasPrefix(option, "route=")
	})
}

// words are the commands as a call holds them.
func (b *batch) words() []string {
	var words []string
	for i, command := range b.commands {
		if i > 0 {
			words = append(words, "/")
		}
		words = append(words, hexWords(command)...)
	}
	return words
}
