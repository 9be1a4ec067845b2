package protobuf

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:embed request_types.tsv
var requestTypes string

// wordsByType holds the command words of every request type that has some.
var wordsByType = sync.OnceValue(func() map[RequestType][][]byte {
	table := make(map[RequestType][][]byte)
	for line := range strings.Lines(requestTypes) {
		if line[0] == '#' {
			continue
		}
		field := strings.Split(strings.TrimRight(line, "\n"), "\t")
		number, err := strconv.ParseInt(field[0], 10, 32)
		if err != nil || len(field) != 3 {
			panic(fmt.Sprintf("request_types.tsv: bad line %q", line))
		}
		for word := range strings.FieldsSeq(field[2]) {
			table[RequestType(number)] = append(table[RequestType(number)], []byte(word))
		}
	}
	return table
})

// Words returns the whole command of c: the words of its request type followed by its arguments.
// The error names what is missing or unknown.
func (c *Command) Words() ([][]byte, error) {
	if _, pointer := c.GetArgs().(*Command_ArgsVecPointer); pointer {
		return nil, fmt.Errorf("args_vec_pointer points into another process; send args_array")
	}
	args := c.GetArgsArray().GetArgs()
	words, known := AppendCommand(nil, c.GetRequestType())
	switch {
	case c.GetRequestType() == RequestType_REQUEST_TYPE_INVALID_REQUEST:
		return nil, fmt.Errorf("request_type is not set; 1 sends args as they are")
	case !known:
		return nil, fmt.Errorf("request_type %d is no command", c.GetRequestType())
	case len(words)+len(args) == 0:
		return nil, fmt.Errorf("the command has no words")
	case len(words) == 0:
		return args, nil
	}
	return append(words, args...), nil
}

// AppendCommand appends the words that a request type stands for: none for a custom command. It is
// false for a type that is no command.
func AppendCommand(words [][]byte, kind RequestType) ([][]byte, bool) {
	if kind == RequestType_REQUEST_TYPE_CUSTOM_COMMAND {
		return words, true
	}
	own, known := wordsByType()[kind]
	return append(words, own...), known
}
