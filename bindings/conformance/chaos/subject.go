package chaos

import (
	"libglide/core"
	"libglide/routing"
)

// Subject is a client under test. *core.Client is one; a client behind another border is made one
// by an adapter that encodes the requests and decodes the answers. All failures are *core.Error.
type Subject interface {
	Execute(*core.Request) (core.Response, error)
	ExecuteBatch(*core.BatchRequest) (core.Response, error)
	Scan(*core.ScanRequest) (cursor string, keys []routing.Value, err error)
	// Close is false where the subject had been closed before.
	Close() bool
}

// Holder is a Subject that can say what it still holds after Close: handles, buffers.
type Holder interface{ Held() int }

// Opener opens the subject of a run.
type Opener func(core.Config) (Subject, error)

// Core opens the client itself, without a border.
func Core(config core.Config) (Subject, error) {
	client, err := core.Open(config)
	if err != nil {
		return nil, err
	}
	return client, nil
}
