package fakenode

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The limits of a server (proto-max-bulk-len, and the number of words of a command).
const (
	maxWords = 1 << 20
	maxBytes = 512 << 20
)

// protocolError is what a server complains about before it hangs up.
type protocolError string

func (e protocolError) Error() string { return string(e) }

// readCommand reads an array of bulk strings, the only form in which clients send commands.
func readCommand(reader *bufio.Reader) ([]string, error) {
	count, err := readLength(reader, '*', maxWords)
	if err != nil {
		return nil, err
	}
	if count == 0 {
		return readCommand(reader) // a server passes over it too
	}
	words := make([]string, 0, min(count, 1024))
	for range count {
		size, err := readLength(reader, '$', maxBytes)
		if err != nil {
			return nil, err
		}
		word := make([]byte, size+2)
		if _, err := io.ReadFull(reader, word); err != nil {
			return nil, err
		}
		if string(word[size:]) != "\r\n" {
			return nil, protocolError(fmt.Sprintf("a string of %d bytes goes on", size))
		}
		words = append(words, string(word[:size]))
	}
	return words, nil
}

func readLength(reader *bufio.Reader, mark byte, limit int) (int, error) {
	line, err := reader.ReadString('\n')
	if err != nil {
		return 0, err
	}
	line = strings.TrimSuffix(line, "\r\n")
	if line == "" || line[0] != mark {
		return 0, protocolError(fmt.Sprintf("expected '%c', got %.20q", mark, line))
	}
	length, err := strconv.Atoi(line[1:])
	if err != nil || length < 0 || length > limit {
		return 0, protocolError(fmt.Sprintf("invalid length %.20q", line))
	}
	return length, nil
}
