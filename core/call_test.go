package core

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// parent is a context that counts those that have it as theirs.
type parent struct {
	context.Context
	children int
}

func (p *parent) Value(any) any { return nil } // or else the package would see what it is made of

func (p *parent) AfterFunc(do func()) func() bool {
	p.children++
	stop := context.AfterFunc(p.Context, do)
	return func() bool {
		p.children--
		return stop()
	}
}

func TestTheClientKeepsNothingOfACallThatHasEnded(t *testing.T) {
	life, end := context.WithCancel(t.Context())
	defer end()
	for name, deadline := range map[string]time.Time{"with a deadline": time.Now().Add(time.Hour), "without": {}} {
		closing := &parent{Context: life}
		call := &Call{client: &Client{closing: closing}, deadline: deadline}
		_, cancel := call.context()
		require.Equal(t, 1, closing.children, name)
		cancel()
		require.Zero(t, closing.children, name)
	}
}
