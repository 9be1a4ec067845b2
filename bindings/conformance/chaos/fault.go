package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"libglide/bindings/conformance/cluster"
)

// fault breaks something and mends it again.
type fault func(ctx context.Context, s *storm, t turn) error

func allFaults() map[string]fault {
	return map[string]fault{
		"kill-primary":     killPrimary,
		"kill-replica":     killReplica,
		"stall-primary":    stallPrimary,
		"freeze-primary":   freezePrimary,
		"stall-replica":    stallReplica,
		"failover":         failover,
		"migrate-slot":     migrateSlot,
		"add-remove-nodes": addAndRemoveNodes,
		"restart-all":      restartAll,
		"password-changed": changePassword,
		"client-kill":      killClients,
		"client-pause":     pauseClients,
	}
}

// killPrimary ends a primary in the middle of its work. Its replica takes over; it comes back
// empty, as a replica.
func killPrimary(ctx context.Context, s *storm, t turn) error {
	victim := pick(t, s.servers.Primaries())
	outage, err := s.watch(victim)
	if err != nil {
		return err
	}
	if err := victim.Kill(); err != nil {
		return err
	}
	if err := outage.awaitTakeover(ctx); err != nil {
		return err
	}
	s.excuses.add(outage.tags, outage.began.Add(-unreplicated), outage.began.Add(time.Second))
	if err := sleep(ctx, t.within(0, time.Second)); err != nil {
		return err
	}
	if err := victim.Restart(ctx); err != nil {
		return err
	}
	return s.settle(ctx, victim)
}

func killReplica(ctx context.Context, s *storm, t turn) error {
	victim := pick(t, s.servers.Replicas())
	if err := victim.Kill(); err != nil {
		return err
	}
	if err := sleep(ctx, t.within(0, 500*time.Millisecond)); err != nil {
		return err
	}
	if err := victim.Restart(ctx); err != nil {
		return err
	}
	return s.settle(ctx)
}

// stallPrimary stops a primary, not for long enough to be replaced.
func stallPrimary(ctx context.Context, s *storm, t turn) error {
	return s.stall(ctx, pick(t, s.servers.Primaries()), t.within(100*time.Millisecond, 900*time.Millisecond))
}

func stallReplica(ctx context.Context, s *storm, t turn) error {
	return s.stall(ctx, pick(t, s.servers.Replicas()), t.within(100*time.Millisecond, 1500*time.Millisecond))
}

func (s *storm) stall(ctx context.Context, victim *cluster.Node, span time.Duration) error {
	if err := victim.Pause(); err != nil {
		return err
	}
	err := sleep(ctx, span)
	if err := errors.Join(err, victim.Continue()); err != nil {
		return err
	}
	return s.settle(ctx)
}

// freezePrimary stops a primary until its replica has taken over, and lets it go on then.
func freezePrimary(ctx context.Context, s *storm, t turn) error {
	victim := pick(t, s.servers.Primaries())
	outage, err := s.watch(victim)
	if err != nil {
		return err
	}
	if err := victim.Pause(); err != nil {
		return err
	}
	err = outage.awaitTakeover(ctx)
	s.excuses.add(outage.tags, outage.began.Add(-unreplicated), outage.began.Add(time.Second))
	if err == nil {
		err = sleep(ctx, t.within(0, time.Second))
	}
	resumed := time.Now()
	if err := errors.Join(err, victim.Continue()); err != nil {
		return err
	}
	err = s.settle(ctx, victim)
	s.excuses.add(outage.tags, resumed, time.Now())
	return err
}

// failover is one that was planned: the primary hands over, and nothing may be lost.
func failover(ctx context.Context, s *storm, t turn) error {
	return s.handOver(ctx, pick(t, s.servers.Primaries()))
}

func (s *storm) handOver(ctx context.Context, primary *cluster.Node) error {
	replica, err := s.replicaOf(primary)
	if err != nil {
		return err
	}
	if err := s.servers.Failover(ctx, replica); err != nil {
		return err
	}
	return s.settle(ctx, primary)
}

// migrateSlot moves a slot to another shard and back, a few keys at a time.
func migrateSlot(ctx context.Context, s *storm, t turn) error {
	slot := slotOf(pick(t, s.tags))
	home := s.servers.Owner(slot)
	others := slices.DeleteFunc(s.servers.Primaries(), func(n *cluster.Node) bool { return n == home })
	if err := s.move(ctx, slot, pick(t, others)); err != nil {
		return err
	}
	return s.move(ctx, slot, home)
}

// move gives a slot and its keys to another primary, with time between them for callers.
func (s *storm) move(ctx context.Context, slot int, to *cluster.Node) error {
	if err := s.servers.BeginMigration(ctx, slot, to); err != nil {
		return err
	}
	for moved := -1; moved != 0; {
		var err error
		if moved, err = s.servers.MoveKeys(ctx, slot, 1); err != nil {
			return err
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return s.servers.FinishMigration(ctx, slot)
}

// addAndRemoveNodes makes a shard of two new nodes, gives it two slots that are in use, takes
// them back and removes the nodes.
func addAndRemoveNodes(ctx context.Context, s *storm, t turn) error {
	primary, err := s.servers.Add(ctx, nil)
	if err != nil {
		return err
	}
	homes := make(map[int]*cluster.Node)
	for i := range 2 {
		slot := slotOf(s.tags[(t.pick+i)%len(s.tags)])
		homes[slot] = s.servers.Owner(slot)
		if err := s.servers.MigrateSlot(ctx, slot, primary); err != nil {
			return err
		}
	}
	replica, err := s.servers.Add(ctx, primary)
	if err != nil {
		return err
	}
	if err := sleep(ctx, t.within(200*time.Millisecond, time.Second)); err != nil {
		return err
	}
	for slot, home := range homes {
		if err := s.servers.MigrateSlot(ctx, slot, home); err != nil {
			return err
		}
	}
	if err := s.servers.Remove(ctx, replica); err != nil {
		return err
	}
	return s.servers.Remove(ctx, primary)
}

// restartAll restarts all nodes, one after another, as an upgrade does: replicas first, primaries
// after they have handed over.
func restartAll(ctx context.Context, s *storm, _ turn) error {
	restart := func(node *cluster.Node) error {
		if err := node.Restart(ctx); err != nil {
			return err
		}
		return s.settle(ctx)
	}
	primaries := s.servers.Primaries()
	for _, replica := range s.servers.Replicas() {
		if err := restart(replica); err != nil {
			return err
		}
	}
	for _, primary := range primaries {
		if err := s.handOver(ctx, primary); err != nil {
			return err
		}
		if err := restart(primary); err != nil {
			return err
		}
	}
	return nil
}

// changePassword changes the password of one node while the client has the old one, and closes the
// client's connections there. For a while it cannot come back.
func changePassword(ctx context.Context, s *storm, t turn) error {
	node := pick(t, s.servers.Nodes)
	if err := order(ctx, node, "CONFIG", "SET", "requirepass", "after"); err != nil {
		return err
	}
	err := killOn(ctx, node)
	if err == nil {
		err = sleep(ctx, t.within(100*time.Millisecond, time.Second))
	}
	return errors.Join(err, order(ctx, node, "CONFIG", "SET", "requirepass", password), s.settle(ctx))
}

// killClients closes the client's connections again and again, everywhere.
func killClients(ctx context.Context, s *storm, t turn) error {
	for end := time.Now().Add(t.within(200*time.Millisecond, time.Second)); time.Now().Before(end); {
		for _, node := range s.servers.Nodes {
			if err := killOn(ctx, node); err != nil {
				return err
			}
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return s.settle(ctx)
}

func killOn(ctx context.Context, node *cluster.Node) error {
	return order(ctx, node, "CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "YES")
}

// pauseClients has a primary make all callers wait, or those that write.
func pauseClients(ctx context.Context, s *storm, t turn) error {
	node := pick(t, s.servers.Primaries())
	mode := [...]string{"ALL", "WRITE"}[t.pick%2]
	span := t.within(100*time.Millisecond, 900*time.Millisecond)
	if err := order(ctx, node, "CLIENT", "PAUSE", strconv.FormatInt(span.Milliseconds(), 10), mode); err != nil {
		return err
	}
	if err := sleep(ctx, span); err != nil {
		return err
	}
	return s.settle(ctx)
}

func order(ctx context.Context, node *cluster.Node, words ...string) error {
	if _, err := node.Do(ctx, words...); err != nil {
		return fmt.Errorf("%v on %s: %w", words, node, err)
	}
	return nil
}
