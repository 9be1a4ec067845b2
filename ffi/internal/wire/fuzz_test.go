package wire

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"libglide/core"
	"libglide/protobuf"
	"libglide/routing"
)

// told fails the test unless err is one that says what is wrong, and how bad it is.
func told(t *testing.T, err error) {
	if failure, is := err.(*core.Error); !is || failure.Message == "" || failure.Status == core.StatusInternal {
		t.Fatalf("%T: %v", err, err)
	}
}

func FuzzDecodeConfig(f *testing.F) {
	address := []*protobuf.NodeAddress{{Host: "[::1]", Port: 7000}}
	for _, message := range []*protobuf.ConnectionRequest{
		{},
		{Addresses: address, ClusterModeEnabled: true, AuthenticationInfo: &protobuf.AuthenticationInfo{Password: "p"}},
		{Addresses: address, TlsMode: protobuf.TlsMode_TLS_MODE_SECURE_TLS, RootCerts: [][]byte{{1}}},
		{Addresses: address, AddressMap: []*protobuf.AddressMapping{{Announced: address[0], Dial: address[0]}}},
	} {
		bytes, err := proto.Marshal(message)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes)
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		config, err := DecodeConfig(bytes)
		if err != nil {
			told(t, err)
			return
		}
		for _, address := range config.Addresses {
			if address.Port == 0 || routing.CheckHost(address.Host) != nil {
				t.Fatalf("address %v", address)
			}
		}
	})
}

func FuzzDecodeTopology(f *testing.F) {
	node := func(port uint32) *protobuf.Node { return &protobuf.Node{Host: "h", Port: port} }
	for _, message := range []*protobuf.Topology{
		{},
		{Shards: []*protobuf.Shard{{Slots: []*protobuf.SlotRange{{First: 0, Last: 16383}}, Primary: node(1), Replicas: []*protobuf.Node{node(2)}}}},
		{Standalone: true, Shards: []*protobuf.Shard{{Primary: node(1)}}},
	} {
		bytes, err := proto.Marshal(message)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes)
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		router, err := DecodeTopology(bytes)
		if err != nil {
			told(t, err)
			return
		}
		for _, route := range []routing.Route{{}, {Kind: routing.RouteAllNodes}, {Kind: routing.RouteSlotID, Role: routing.Replica}} {
			if _, err := router.Resolve(&routing.Request{Words: [][]byte{[]byte("GET"), []byte("k")}, Route: route}); err != nil {
				told(t, err)
			}
		}
	})
}
