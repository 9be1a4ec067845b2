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
	switch c.GetRequestType() {
	case RequestType_REQUEST_TYPE_CUSTOM_COMMAND:
		if len(args) == 0 {
			return nil, fmt.Errorf("the command has no words")
		}
		return args, nil
	case RequestType_REQUEST_TYPE_INVALID_REQUEST:
		return nil, fmt.Errorf("request_type is not set; 1 sends args as they are")
	}
	words, known := wordsByType()[c.GetRequestType()]
	if !known {
		return nil, fmt.Errorf("request_type %d is no command", c.GetRequestType())
	}
	return append(words[:len(words):len(words)], args...), nil
}
