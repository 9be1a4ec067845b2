package core

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAReplyIsWholeWhenItsLastByteIsThere(t *testing.T) {
	for _, reply := range []string{
		"+OK\r\n", "-ERR no\r\n", ":-12\r\n", "_\r\n", "#t\r\n", ",1.5\r\n", "(123456789012345678901\r\n",
		"$0\r\n\r\n", "$5\r\nhello\r\n", "$-1\r\n", "$4\r\n\r\n\r\n\r\n", "=8\r\ntxt:text\r\n", "!3\r\nERR\r\n",
		"*0\r\n", "*-1\r\n", "*2\r\n$1\r\na\r\n:1\r\n", "~1\r\n+a\r\n",
		"%2\r\n+a\r\n:1\r\n+b\r\n*2\r\n$-1\r\n*1\r\n*1\r\n_\r\n",
	} {
		for size := range len(reply) {
			require.False(t, isReply([]byte(reply[:size])), "%q", reply[:size])
		}
		require.True(t, isReply([]byte(reply)), "%q", reply)
		require.True(t, isReply([]byte(reply+"+next")), "%q", reply)
	}
}

func TestWhatIsNoPlainReplyIsLeftToThoseWhoCanWait(t *testing.T) {
	for _, odd := range []string{
		"", "\n", "\r\n", "x\r\n", ">2\r\n+a\r\n+b\r\n+OK\r\n", "|1\r\n+a\r\n+b\r\n+OK\r\n", "$?\r\n;1\r\na\r\n;0\r\n",
		"*?\r\n:1\r\n.\r\n", "$-2\r\n", "$\r\n\r\n", "*9999999999\r\n", "$+1\r\na\r\n", "$99999999999999999999\r\n",
	} {
		require.False(t, isReply([]byte(odd)), "%q", odd)
	}
}

func FuzzIsReply(f *testing.F) {
	f.Add([]byte("*2\r\n$1\r\na\r\n%1\r\n+a\r\n:1\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if isReply(b) {
			require.True(t, isReply(append(b[:len(b):len(b)], "+more\r\n"...)), "a whole reply stays whole")
		}
	})
}
