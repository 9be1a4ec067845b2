package fakenode

import (
	"slices"
	"strings"
)

// rule is what to answer to the commands that begin with some words.
type rule struct {
	words   []string
	replies []Reply
	given   int
}

// On says what to answer to commands that begin with these words: the replies one after another,
// the last of them for ever. The command word may be in any case; the others must be equal. Of
// several rules the one with most words counts; a rule replaces an earlier one with equal words.
//
// A rule goes before what the node answers by itself (HELLO, PING and so on).
func (n *Node) On(words string, replies ...Reply) {
	r := newRule(strings.Fields(words), replies)
	if len(r.words) == 0 {
		panic("fakenode: On without a command; Otherwise is for all commands")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rules = slices.DeleteFunc(n.rules, func(old *rule) bool {
		return len(old.words) == len(r.words) && begins(old.words, r.words)
	})
	n.rules = append(n.rules, r)
}

// Otherwise says what to answer to commands that no rule is for and that the node does not answer
// by itself. Until then these are errors.
func (n *Node) Otherwise(replies ...Reply) {
	r := newRule(nil, replies)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fallback = r
}

func newRule(words []string, replies []Reply) *rule {
	if len(replies) == 0 {
		panic("fakenode: a rule without a reply; Silence is for that")
	}
	return &rule{words: words, replies: replies}
}

func (r *rule) next() Reply {
	reply := r.replies[min(r.given, len(r.replies)-1)]
	r.given++
	return reply
}

// begins tells whether a command begins with these words.
func begins(command, words []string) bool {
	return len(command) >= len(words) && (len(words) == 0 ||
		strings.EqualFold(command[0], words[0]) && slices.Equal(command[1:len(words)], words[1:]))
}

// answer returns what the script has for a command, else the usual.
func (n *Node) answer(c *connection, command []string) Reply {
	n.mu.Lock()
	defer n.mu.Unlock()
	var best *rule
	for _, r := range n.rules {
		if begins(command, r.words) && (best == nil || len(r.words) > len(best.words)) {
			best = r
		}
	}
	if best != nil {
		return best.next()
	}
	if reply, known := usual(c, command); known {
		return reply
	}
	if n.fallback != nil {
		return n.fallback.next()
	}
	return Err("ERR fakenode: no reply in the script for " + strings.Join(command, " "))
}
