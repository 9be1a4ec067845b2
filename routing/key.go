package routing

import (
	"bytes"
	"errors"
	"math"
	"strconv"
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
}

// maxWait is the longest time a command may name: what the server takes.
const maxWait = (1<<32 - 1) * 1000

// of reads the time from the words of a request. Where the word is missing the command does not
// block: the server reports it.
func (w wait) of(words [][]byte) (Wait, error) {
	i := w.word
	switch w.word {
	case waitNever:
		return Wait{}, nil
	case waitLast:
		if i = len(words) - 1; i < 2 {
			return Wait{}, nil
		}
	case waitAfterBLOCK:
		end := len(words)
		if streams := after(words, "STREAMS", 1); streams > 0 {
			end = streams
		}
		if i = after(words[:end], "BLOCK", 1); i == 0 {
			return Wait{}, nil
		}
	}
	if i >= len(words) {
		return Wait{}, nil
	}
	time, err := strconv.ParseFloat(string(words[i]), 64)
	if w.seconds {
		time *= 1000
	}
	if err != nil || !(time >= 0 && time <= maxWait) {
		none := fault(FaultTimeout, "%s: timeout %q is not a number of %s that the server can wait", words[0], words[i], w.unit())
		if none.Seconds = time / 1000; err != nil && !errors.Is(err, strconv.ErrRange) {
			none.Seconds = math.NaN()
		}
		return Wait{}, none
	}
	milliseconds := uint64(math.Ceil(time))
	if milliseconds == 0 {
		milliseconds = w.zero
	}
	return Wait{true, milliseconds}, nil
}

func (w wait) unit() string {
	if w.seconds {
		return "seconds"
	}
	return "milliseconds"
}
