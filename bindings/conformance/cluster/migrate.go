package cluster

import (
	"context"
	"fmt"
	"strconv"
)

// move is a slot on its way from one primary to another.
type move struct{ from, to *Node }

// MigrateSlot hands a slot and its keys over to another primary. Commands for it get MOVED from
// its old owner then.
func (c *Cluster) MigrateSlot(ctx context.Context, slot int, to *Node) error {
	if err := c.BeginMigration(ctx, slot, to); err != nil {
		return err
	}
	return c.FinishMigration(ctx, slot)
}

// BeginMigration makes the owner of a slot the source and another primary the target of its
// hand-over. No key moves yet: the source serves those it has, answers ASK for others, and
// TRYAGAIN where it has some of several.
func (c *Cluster) BeginMigration(ctx context.Context, slot int, to *Node) error {
	from := c.Owner(slot)
	switch {
	case from == nil:
		return fmt.Errorf("migrate slot %d: no node serves it", slot)
	case from == to:
		return fmt.Errorf("migrate slot %d: %s serves it already", slot, to)
	case to.Primary() != nil:
		return fmt.Errorf("migrate slot %d: %s is a replica", slot, to)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m, found := c.moving[slot]; found {
		return fmt.Errorf("migrate slot %d: it is on its way from %s to %s", slot, m.from, m.to)
	}
	// The target first: from the next moment on the source sends clients there.
	number := strconv.Itoa(slot)
	if err := to.do(ctx, "CLUSTER", "SETSLOT", number, "IMPORTING", from.ID); err != nil {
		return err
	}
	if err := from.do(ctx, "CLUSTER", "SETSLOT", number, "MIGRATING", to.ID); err != nil {
		return err
	}
	c.moving[slot] = move{from, to}
	return nil
}

// MoveKeys moves up to count keys of a slot after BeginMigration, all in one step, and returns how
// many it moved.
func (c *Cluster) MoveKeys(ctx context.Context, slot, count int) (int, error) {
	c.mu.Lock()
	m, found := c.moving[slot]
	c.mu.Unlock()
	if !found {
		return 0, fmt.Errorf("move keys of slot %d: its migration has not begun", slot)
	}
	return c.moveKeys(ctx, slot, count, m)
}

// FinishMigration moves the keys of a slot after BeginMigration, makes the target its owner and
// waits until all nodes know.
func (c *Cluster) FinishMigration(ctx context.Context, slot int) error {
	c.mu.Lock()
	m, found := c.moving[slot]
	delete(c.moving, slot)
	c.mu.Unlock()
	if !found {
		return fmt.Errorf("finish the migration of slot %d: it has not begun", slot)
	}
	for moved := -1; moved != 0; {
		var err error
		if moved, err = c.moveKeys(ctx, slot, 100, m); err != nil {
			return err
		}
	}
	// The target first, as valkey-cli does: between the two, both would point at the other.
	informed := []*Node{m.to, m.from}
	for _, n := range c.Primaries() {
		if n != m.to && n != m.from && n.serving() {
			informed = append(informed, n)
		}
	}
	for _, n := range informed {
		if err := n.do(ctx, "CLUSTER", "SETSLOT", strconv.Itoa(slot), "NODE", m.to.ID); err != nil {
			return err
		}
	}
	return c.converge(ctx, func(t *topology) string {
		if t.owner[slot] != m.to {
			return fmt.Sprintf("%s as the owner of slot %d", m.to, slot)
		}
		return ""
	})
}

func (c *Cluster) moveKeys(ctx context.Context, slot, count int, m move) (int, error) {
	reply, err := m.from.Do(ctx, "CLUSTER", "GETKEYSINSLOT", strconv.Itoa(slot), strconv.Itoa(count))
	if err != nil {
		return 0, m.from.failure(fmt.Sprintf("the keys of slot %d", slot), err)
	}
	keys, err := reply.AsStrSlice()
	if err != nil || len(keys) == 0 {
		return 0, err
	}
	words := []string{"MIGRATE", m.to.Host, strconv.Itoa(m.to.Port), "", "0", "5000", "REPLACE"}
	if c.options.Password != "" {
		words = append(words, "AUTH", c.options.Password)
	}
	return len(keys), m.from.do(ctx, append(append(words, "KEYS"), keys...)...)
}
