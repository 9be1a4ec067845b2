package wire

import (
	"google.golang.org/protobuf/proto"

	"libglide/core"
	"libglide/protobuf"
	"libglide/routing"
)

// DecodeTopology reads a Topology and makes a router over it.
func DecodeTopology(bytes []byte) (*core.Router, error) {
	message := new(protobuf.Topology)
	if err := proto.Unmarshal(bytes, message); err != nil {
		return nil, core.NewError(core.StatusDecode, "the topology is no Topology: %v", err)
	}
	if _, known := protobuf.ReadFrom_name[int32(message.GetReadFrom())]; !known {
		return nil, badConfig("read_from %d is no strategy", message.GetReadFrom())
	}
	topology := routing.Topology{Epoch: message.GetEpoch(), Standalone: message.GetStandalone()}
	for i, part := range message.GetShards() {
		shard, err := decodeShard(part)
		if err != nil {
			return nil, badConfig("shards[%d]: %v", i, err)
		}
		topology.Shards = append(topology.Shards, shard)
	}
	return core.NewRouter(topology, routing.ReadStrategy(message.GetReadFrom()), message.GetClientAz())
}

func decodeShard(message *protobuf.Shard) (shard routing.Shard, err error) {
	for _, held := range message.GetSlots() {
		if held.GetFirst() > held.GetLast() || held.GetLast() >= routing.SlotCount {
			return shard, badConfig("slots %d-%d are no range in 0..%d", held.GetFirst(), held.GetLast(), routing.SlotCount-1)
		}
		shard.Slots = append(shard.Slots, routing.SlotRange{First: routing.Slot(held.GetFirst()), Last: routing.Slot(held.GetLast())})
	}
	if shard.Primary, err = decodeNode("primary", message.GetPrimary()); err != nil {
		return shard, err
	}
	for _, replica := range message.GetReplicas() {
		node, err := decodeNode("replica", replica)
		if err != nil {
			return shard, err
		}
		shard.Replicas = append(shard.Replicas, node)
	}
	return shard, nil
}

func decodeNode(role string, message *protobuf.Node) (*routing.Node, error) {
	if message == nil {
		return nil, badConfig("there is no %s", role)
	}
	if err := routing.CheckHost(message.GetHost()); err != nil {
		return nil, badConfig("the %s: %v", role, err)
	}
	if message.GetPort() == 0 || message.GetPort() > 65535 {
		return nil, badConfig("the %s %s: port %d is out of range 1..65535", role, message.GetHost(), message.GetPort())
	}
	address := routing.NewAddress(message.GetHost(), uint16(message.GetPort()))
	node := &routing.Node{ID: message.GetId(), Address: address, Endpoint: address, Zone: message.GetZone()}
	for _, text := range message.GetAliases() {
		alias, err := routing.ParseAddress(text)
		if err != nil {
			return nil, badConfig("alias of %s: %v", address, err)
		}
		node.Aliases = append(node.Aliases, alias)
	}
	return node, nil
}
