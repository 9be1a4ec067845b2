package core

import "bytes"

// isReply says whether bytes hold a whole reply (RESP specification, version 3). It looks at the
// lengths only. Pushes, attributes and streamed replies, which may come in front or in parts, are
// left to those who can wait.
func isReply(b []byte) bool {
	for left := 1; left > 0; left-- {
		end := bytes.IndexByte(b, '\n')
		if end < 2 {
			return false
		}
		mark, line := b[0], b[1:end-1]
		b = b[end+1:]
		switch mark {
		case '+', '-', ':', '_', '#', ',', '(':
			continue
		}
		count, good := replyLength(line)
		switch {
		case !good:
			return false
		case count < 0: // a nil of version 2
		case mark == '$' || mark == '=' || mark == '!':
			if len(b) < count+2 {
				return false
			}
			b = b[count+2:]
		case mark == '*' || mark == '~':
			left += count
		case mark == '%':
			left += 2 * count
		default:
			return false
		}
	}
	return true
}

// replyLength reads the length of a reply: up to nine digits, or -1.
func replyLength(line []byte) (count int, good bool) {
	if string(line) == "-1" {
		return -1, true
	}
	for _, digit := range line {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		count = count*10 + int(digit-'0')
	}
	return count, len(line) > 0 && len(line) < 10
}
