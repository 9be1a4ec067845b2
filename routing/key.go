package routing

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strconv"
	"time"
)

// location is where the words of a command point.
type location struct {
	slot    int32 // or NoSlot
	anyNode bool  // without a slot: any node will do, else any primary
}

// locate finds the slot of a command that is not split. Where words are missing or odd there is
// none: the server reports what is wrong with them.
func (c *command) locate(words [][]byte) location {
	nowhere := location{slot: NoSlot}
	switch c.place {
	case placeKey:
		return slotOfWord(words, c.word)
	case placeKeyOrKEYS:
		if c.word < len(words) && len(words[c.word]) == 0 {
			return slotOfWord(words, after(words, "KEYS", c.word+1))
		}
		return slotOfWord(words, c.word)
	case placeCountedKeys:
		count, counted := number(words, c.word)
		if !counted {
			return nowhere
		}
		if count == 0 {
			return location{slot: NoSlot, anyNode: c.access == accessRead}
		}
		return slotOfWord(words, c.word+1)
	case placeStreams:
		return slotOfWord(words, after(words, "STREAMS", c.word))
	case placeCursor:
		return locateCursor(words)
	case placeSlot:
		if slot, is := number(words, c.word); is && slot < SlotCount {
			return location{slot: int32(slot)}
		}
	}
	return nowhere
}

// locateCursor reads CLUSTERSCAN cursor [... SLOT number ...]: a cursor that has begun carries
// the slot as its hash tag.
func locateCursor(words [][]byte) location {
	if len(words) < 2 {
		return location{slot: NoSlot, anyNode: true}
	}
	if bytes.IndexByte(words[1], '{') >= 0 {
		return location{slot: int32(SlotOf(words[1]))}
	}
	if slot, is := number(words, after(words, "SLOT", 2)); is && slot < SlotCount {
		return location{slot: int32(slot)}
	}
	return location{slot: NoSlot, anyNode: true}
}

func slotOfWord(words [][]byte, i int) location {
	if i <= 0 || i >= len(words) {
		return location{slot: NoSlot}
	}
	return location{slot: int32(SlotOf(words[i]))}
}

// after is the index behind the first word that equals capital, whatever its case, searched from
// index from on; 0 where there is none.
func after(words [][]byte, capital string, from int) int {
	for i := from; i < len(words); i++ {
		if isWord(words[i], capital) {
			return i + 1
		}
	}
	return 0
}

// number reads word i as digits.
func number(words [][]byte, i int) (uint64, bool) {
	if i <= 0 || i >= len(words) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(words[i]), 10, 31)
	return n, err == nil
}

// Wait is how long a command asks the server to block.
type Wait struct {
	Blocks       bool
	Milliseconds uint64 // 0: for ever
	InLine       bool   // for what its own connection brought before, so it goes over that one

	word    int // that holds the time
	seconds bool
}

// maxWait is the longest time a command may name: what the server takes.
const maxWait = (1<<32 - 1) * 1000

// of reads the time from the words of a request. Where the word is missing the command does not
// block: the server reports it.
func (w wait) of(words [][]byte) (Wait, error) {
	i := w.at(words)
	if i <= 0 || i >= len(words) {
		return Wait{}, nil
	}
	asked, err := strconv.ParseFloat(string(words[i]), 64)
	if w.seconds {
		asked *= 1000
	}
	if err != nil || !(asked >= 0 && asked <= maxWait) {
		none := fault(FaultTimeout, "%s: timeout %q is not a number of %s that the server can wait", words[0], words[i], w.unit())
		if none.Seconds = asked / 1000; err != nil && !errors.Is(err, strconv.ErrRange) {
			none.Seconds = math.NaN()
		}
		return Wait{}, none
	}
	milliseconds := uint64(math.Ceil(asked))
	if milliseconds == 0 {
		milliseconds = w.zero
	}
	return Wait{true, milliseconds, w.inLine, i, w.seconds}, nil
}

// at is the index of the word that holds the time; 0 where there is none.
func (w wait) at(words [][]byte) int {
	switch {
	case w.word == waitLast && len(words) > 2:
		return len(words) - 1
	case w.word == waitAfterBLOCK:
		return afterBLOCK(words)
	}
	return max(w.word, 0)
}

// afterBLOCK is the index of the time among the options of XREAD and XREADGROUP, which end with
// STREAMS; 0 where there is none. A group and its consumer may have any names.
func afterBLOCK(words [][]byte) int {
	for i := 1; i < len(words); i++ {
		switch {
		case isWord(words[i], "BLOCK"):
			return i + 1
		case isWord(words[i], "STREAMS"):
			return 0
		case isWord(words[i], "GROUP"):
			i += 2
		case isWord(words[i], "COUNT"):
			i++
		}
	}
	return 0
}

// After are the words of a command that is sent again, so long after it was sent first: it asks to
// block for the rest of its time only.
func (w Wait) After(words [][]byte, elapsed time.Duration) [][]byte {
	if !w.Blocks || w.Milliseconds == 0 || elapsed <= 0 {
		return words
	}
	left := max(float64(w.Milliseconds)-float64(elapsed.Milliseconds()), 1) // 0 would be for ever
	if w.seconds {
		left /= 1000
	}
	words = slices.Clone(words)
	words[w.word] = strconv.AppendFloat(nil, left, 'f', -1, 64)
	return words
}

func (w wait) unit() string {
	if w.seconds {
		return "seconds"
	}
	return "milliseconds"
}
