package convert

import "strings"

// containers are the commands whose sub-command counts.
var containers = set("XGROUP OBJECT SLOWLOG FUNCTION MODULE COMMAND PUBSUB CONFIG MEMORY XINFO CLIENT ACL SCRIPT CLUSTER LATENCY SENTINEL")

// rule is how replies to a command are converted where its condition holds.
type rule struct {
	when    func(words [][]byte) bool
	convert Conversion
}

// rules are those of each command, in the order in which they are tried.
var rules = index([]struct {
	commands string
	rule
}{
	{"HGETALL, HELLO, FT._ALIASLIST", rule{always, mapOf(nil, nil)}},
	{"PUBSUB NUMSUB, PUBSUB SHARDNUMSUB", rule{always, mapOf(nil, nil)}},
	{"CONFIG GET", rule{always, oneOrManyArrays(mapOf(nil, nil))}},
	{"CLIENT TRACKINGINFO", rule{always, oneOrManyArrays(trackingInfo)}},
	{"MEMORY STATS", rule{always, oneOrManyArrays(memoryStats)}},
	{"FUNCTION STATS", rule{always, oneOrManyArrays(functionStats)}},
	{"LOLWUT", rule{always, oneOrMany(lolwut)}},
	{"FUNCTION LIST", rule{always, arrayOfMaps(arrayOfMaps(stringOrSet))}},

	{"XINFO GROUPS, XINFO CONSUMERS", rule{always, arrayOfMaps(nil)}},
	{"XINFO STREAM", rule{has("FULL"), xinfoFull}},
	{"XINFO STREAM", rule{always, mapOf(bulk, nil)}},
	{"XRANGE, XREVRANGE", rule{always, mapOf(bulk, arrayOfPairs(nil))}},
	{"XREAD, XREADGROUP", rule{always, mapOf(bulk, mapOf(bulk, arrayOfPairs(nil)))}},
	{"XCLAIM", rule{has("JUSTID"), arrayOf(bulk)}},
	{"XCLAIM", rule{always, mapOf(text, arrayOfPairs(nil))}},
	{"XAUTOCLAIM", rule{has("JUSTID"), asItIs}},
	{"XAUTOCLAIM", rule{always, xautoclaim}},

	{"LCS", rule{has("IDX"), mapOf(text, nil)}},
	{"INCRBYFLOAT, HINCRBYFLOAT, ZINCRBY", rule{always, double}},
	{"ZSCORE, GEODIST", rule{always, orNil(double)}},
	{"ZADD", rule{has("INCR"), orNil(double)}},
	{"ZMSCORE", rule{always, arrayOf(orNil(double))}},
	{"HEXISTS, HSETNX, EXPIRE, EXPIREAT, PEXPIRE, PEXPIREAT, SISMEMBER, PERSIST, SMOVE, PFADD, RENAMENX, MOVE, COPY, MSETNX", rule{always, boolean}},
	{"XGROUP DESTROY, XGROUP CREATECONSUMER", rule{always, boolean}},
	{"SMISMEMBER, SCRIPT EXISTS", rule{always, arrayOf(boolean)}},
	{"SMEMBERS, SINTER, SDIFF, SUNION", rule{always, toSet}},
	{"SPOP", rule{counted, toSet}},

	{"ZPOPMIN, ZPOPMAX", rule{always, mapOf(bulk, double)}},
	{"ZRANGE, ZDIFF, ZUNION, ZINTER", rule{has("WITHSCORES"), mapOf(bulk, double)}},
	{"ZMPOP, BZMPOP", rule{always, keyWithScores}},
	{"BZPOPMIN, BZPOPMAX", rule{always, keyMemberScore}},
	{"ZRANK, ZREVRANK", rule{has("WITHSCORE"), rankWithScore}},
	{"ZRANDMEMBER", rule{has("WITHSCORES"), arrayOfPairs(double)}},
	{"HRANDFIELD", rule{has("WITHVALUES"), arrayOfPairs(nil)}},
	{"LMPOP, BLMPOP", rule{always, keyWithList}},
	{"GEOPOS", rule{always, arrayOf(orNil(position))}},
	{"GEOSEARCH", rule{has("WITHDIST", "WITHHASH", "WITHCOORD"), arrayOf(place)}},

	{"JSON.TOGGLE", rule{always, arrayOf(orNil(toggled))}},
	{"FT.SEARCH", rule{has("WITHSORTKEYS"), searchSortKeys}},
	{"FT.SEARCH", rule{always, search}},
	{"FT.AGGREGATE", rule{always, aggregate}},
	{"FT.PROFILE", rule{both(profilesSearch, has("WITHSORTKEYS")), profile(searchSortKeys)}},
	{"FT.PROFILE", rule{profilesSearch, profile(search)}},
	{"FT.PROFILE", rule{always, profile(aggregate)}},
	{"FT.INFO", rule{always, searchInfo}},
})

func set(names string) map[string]bool {
	members := make(map[string]bool)
	for name := range strings.FieldsSeq(names) {
		members[name] = true
	}
	return members
}

func index(rows []struct {
	commands string
	rule
}) map[string][]rule {
	byCommand := make(map[string][]rule)
	for _, row := range rows {
		for command := range strings.SplitSeq(row.commands, ", ") {
			byCommand[command] = append(byCommand[command], row.rule)
		}
	}
	return byCommand
}

func both(one, other func([][]byte) bool) func([][]byte) bool {
	return func(words [][]byte) bool { return one(words) && other(words) }
}

// profilesSearch tells FT.PROFILE index SEARCH from FT.PROFILE index AGGREGATE.
func profilesSearch(words [][]byte) bool { return len(words) > 2 && string(words[2]) == "SEARCH" }
