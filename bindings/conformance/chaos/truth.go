package chaos

import (
	"context"
	"fmt"

	"github.com/valkey-io/valkey-go"

	"libglide/bindings/conformance/cluster"
	"libglide/routing"
)

// truth reads the data as it is, from the primaries themselves: the client under test might read
// as wrongly as it wrote.
type truth struct {
	ctx     context.Context
	cluster *cluster.Cluster
}

func (t truth) ask(key string, words ...string) (valkey.ValkeyMessage, error) {
	owner := t.cluster.Owner(int(routing.SlotOf([]byte(key))))
	if owner == nil {
		return valkey.ValkeyMessage{}, fmt.Errorf("nobody serves the slot of %s", key)
	}
	return owner.Do(t.ctx, words...)
}

// number is the integer at a key; 0 where there is none.
func (t truth) number(key string) (int, error) {
	reply, err := t.ask(key, "GET", key)
	if valkey.IsValkeyNil(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	number, err := reply.AsInt64()
	return int(number), err
}

func (t truth) members(key string) ([]string, error) { return t.texts(key, "SMEMBERS", key) }
func (t truth) list(key string) ([]string, error)    { return t.texts(key, "LRANGE", key, "0", "-1") }

func (t truth) texts(key string, words ...string) ([]string, error) {
	reply, err := t.ask(key, words...)
	if err != nil {
		return nil, err
	}
	return reply.AsStrSlice()
}
