package wire

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"libglide/core"
	"libglide/protobuf"
	"libglide/routing"
)

func encode(t *testing.T, message proto.Message) []byte {
	bytes, err := proto.Marshal(message)
	require.NoError(t, err)
	return bytes
}

func refusal(t *testing.T, err error) *core.Error {
	var refused *core.Error
	require.ErrorAs(t, err, &refused)
	return refused
}

func TestAConfigurationThatCannotBeIsRefusedByWhatIsWrongWithIt(t *testing.T) {
	address := []*protobuf.NodeAddress{{Host: "h"}}
	for reason, message := range map[string]*protobuf.ConnectionRequest{
		"tls_mode 5 is none": {Addresses: address, TlsMode: 5},
		"tls_server_name is given, but tls_mode is NO_TLS": {Addresses: address, TlsServerName: "h"},
		"cert_reload.interval_seconds 0": {Addresses: address, TlsMode: 1,
			CertReload: &protobuf.ClientCertReloadConfig{Enabled: true, IntervalSeconds: proto.Uint32(0)}},
		"read_from 7 is no strategy":            {Addresses: address, ReadFrom: 7},
		"root_certs is given, but":              {Addresses: address, RootCerts: [][]byte{{1}}},
		"node_discovery_mode 3 is none":         {Addresses: address, NodeDiscoveryMode: 3},
		"address_map[0].announced is not set":   {Addresses: address, AddressMap: []*protobuf.AddressMapping{{Dial: address[0]}}},
		`address_map[0].dial: host "" is empty`: {Addresses: address, AddressMap: []*protobuf.AddressMapping{{Announced: address[0], Dial: &protobuf.NodeAddress{}}}},
		"address_map[1]: h:6379 is in it twice": {Addresses: address, AddressMap: []*protobuf.AddressMapping{
			{Announced: address[0], Dial: address[0]}, {Announced: address[0], Dial: address[0]}}},
		"iam_credentials is not supported": {Addresses: address, AuthenticationInfo: &protobuf.AuthenticationInfo{IamCredentials: &protobuf.IamCredentials{}}},
		"pubsub_subscriptions: kind 3 is none": {Addresses: address, PubsubSubscriptions: &protobuf.PubSubSubscriptions{
			ChannelsOrPatternsByType: map[uint32]*protobuf.PubSubChannelsOrPatterns{3: {}}}},
		"protocol 5 is neither":          {Addresses: address, Protocol: 5},
		`addresses[0]: host "" is empty`: {Addresses: []*protobuf.NodeAddress{{Port: 1}}},
		"addresses[1]: port 65536":       {Addresses: []*protobuf.NodeAddress{{Host: "h"}, {Host: "h", Port: 65536}}},
		"addresses[0].unix_socket_path":  {Addresses: []*protobuf.NodeAddress{{Host: "h", UnixSocketPath: proto.String("/s")}}},
	} {
		_, err := DecodeConfig(encode(t, message))
		require.Equal(t, core.StatusConfig, refusal(t, err).Status, reason)
		require.ErrorContains(t, err, reason)
	}
	secure, err := DecodeConfig(encode(t, &protobuf.ConnectionRequest{
		Addresses: address, TlsMode: protobuf.TlsMode_TLS_MODE_INSECURE_TLS, TlsServerName: "s", RootCerts: [][]byte{{1}},
		ClientCert: []byte{2}, ClientKey: []byte{3}, ClientCertPath: proto.String("c"), ClientKeyPath: proto.String("k"),
		CertReload: &protobuf.ClientCertReloadConfig{Enabled: true},
	}))
	require.NoError(t, err)
	require.Equal(t, &core.TLS{
		Insecure: true, ServerName: "s", RootCerts: [][]byte{{1}}, ClientCert: []byte{2}, ClientKey: []byte{3},
		ClientCertPath: "c", ClientKeyPath: "k", ReloadEvery: 300 * time.Second,
	}, secure.TLS)
}

func TestTheFieldsOfAConnectionRequestBecomeTheConfiguration(t *testing.T) {
	config, err := DecodeConfig(encode(t, &protobuf.ConnectionRequest{
		Addresses: []*protobuf.NodeAddress{{Host: "[::1]"}, {Host: "h", Port: 7000}}, ClusterModeEnabled: true,
		RequestTimeout: 100, ConnectionTimeout: 200, InflightRequestsLimit: 3, DatabaseId: 4,
		AuthenticationInfo: &protobuf.AuthenticationInfo{Username: "u", Password: "p"},
		Protocol:           protobuf.ProtocolVersion_PROTOCOL_VERSION_RESP2, ClientName: "n", LibName: "l",
		PeriodicChecks: &protobuf.ConnectionRequest_PeriodicChecksDisabled{PeriodicChecksDisabled: &protobuf.PeriodicChecksDisabled{}},
		TcpNodelay:     proto.Bool(false), ReadFrom: protobuf.ReadFrom_READ_FROM_AZ_AFFINITY_ALL_NODES, ClientAz: "z",
		LazyConnect: true, RefreshTopologyFromInitialNodes: true, NodeDiscoveryMode: protobuf.NodeDiscoveryMode_NODE_DISCOVERY_MODE_DISCOVER_ALL,
		ConnectionRetryStrategy: &protobuf.ConnectionRetryStrategy{NumberOfRetries: 5, Factor: 6, ExponentBase: 7},
		AddressMap:              []*protobuf.AddressMapping{{Announced: &protobuf.NodeAddress{Host: "A.test"}, Dial: &protobuf.NodeAddress{Host: "[::2]", Port: 8}}},
	}))
	require.NoError(t, err)
	require.Equal(t, core.Config{
		Addresses:      []routing.Address{{Host: "::1", Port: 6379}, {Host: "h", Port: 7000}},
		RequestTimeout: 100 * time.Millisecond, ConnectTimeout: 200 * time.Millisecond, InflightLimit: 3,
		Database: 4, Username: "u", Password: "p", RESP2: true, ClientName: "n", LibraryName: "l",
		RefreshEvery: -1, Nagle: true, Reads: routing.ReadZoneAllNodes, Zone: "z",
		Lazy: true, FromSeeds: true, Discovery: core.DiscoverAll, Backoff: &core.Backoff{Steps: 5, First: 6 * time.Millisecond, Base: 7, Jitter: 20},
		AddressMap: map[routing.Address]routing.Address{{Host: "a.test", Port: 6379}: {Host: "::2", Port: 8}},
	}, config)
}

// something is a value of a field that is not its default.
func something(message protoreflect.Message, field protoreflect.FieldDescriptor) protoreflect.Value {
	switch {
	case field.IsMap():
		m := message.NewField(field)
		m.Map().Set(protoreflect.ValueOfUint32(1).MapKey(), m.Map().NewValue())
		return m
	case field.IsList():
		list := message.NewField(field)
		if field.Message() != nil {
			list.List().AppendMutable()
		} else {
			list.List().Append(protoreflect.ValueOfBytes([]byte("x")))
		}
		return list
	}
	switch field.Kind() {
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(1)
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(1)
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(1)
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(field.Name() != "tcp_nodelay") // true where it is absent
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(1)
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(7)
	case protoreflect.StringKind:
		return protoreflect.ValueOfString("x")
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte("x"))
	}
	inner := message.NewField(field)
	if fields := field.Message().Fields(); fields.Len() > 0 {
		inner.Message().Set(fields.Get(0), something(inner.Message(), fields.Get(0)))
	}
	return inner
}

func TestEveryFieldOfAConnectionRequestSetAloneIsHonouredOrRefusedByName(t *testing.T) {
	usual := func() *protobuf.ConnectionRequest {
		// Lazy, so that opening checks the configuration and connects to nobody.
		return &protobuf.ConnectionRequest{Addresses: []*protobuf.NodeAddress{{Host: "h"}}, LazyConnect: true}
	}
	plain, err := DecodeConfig(encode(t, usual()))
	require.NoError(t, err)
	fields := new(protobuf.ConnectionRequest).ProtoReflect().Descriptor().Fields()
	seen := make(map[protoreflect.Name]bool)
	for i := range fields.Len() {
		field, message := fields.Get(i), usual()
		seen[field.Name()] = true
		if field.Name() == "lazy_connect" {
			message.LazyConnect = false
		} else {
			message.ProtoReflect().Set(field, something(message.ProtoReflect(), field))
		}
		config, err := DecodeConfig(encode(t, message))
		if err == nil {
			require.True(t, honoured[field.Name()], "%s is let through", field.Name())
			require.False(t, reflect.DeepEqual(plain, config), "%s does nothing", field.Name())
			if field.Name() == "lazy_connect" {
				continue
			}
			var client *core.Client
			if client, err = core.Open(config); err == nil {
				client.Close()
				continue
			}
		}
		require.Equal(t, core.StatusConfig, refusal(t, err).Status, field.Name())
		require.Contains(t, err.Error(), string(field.Name()))
		if honoured[field.Name()] {
			require.NotContains(t, err.Error(), "not supported", field.Name())
		}
	}
	for name := range honoured {
		require.True(t, seen[name], "%s is no field", name)
	}
}

func TestEveryFieldWithinAnHonouredOneIsHonouredOrRefusedByName(t *testing.T) {
	plain := func() *protobuf.ConnectionRequest {
		address := func() *protobuf.NodeAddress { return &protobuf.NodeAddress{Host: "h", Port: 1} }
		return &protobuf.ConnectionRequest{
			Addresses: []*protobuf.NodeAddress{address()}, TlsMode: protobuf.TlsMode_TLS_MODE_SECURE_TLS,
			AuthenticationInfo:      &protobuf.AuthenticationInfo{},
			ConnectionRetryStrategy: &protobuf.ConnectionRetryStrategy{},
			PeriodicChecks: &protobuf.ConnectionRequest_PeriodicChecksManualInterval{
				PeriodicChecksManualInterval: &protobuf.PeriodicChecksManualInterval{}},
			CertReload: &protobuf.ClientCertReloadConfig{Enabled: true},
			AddressMap: []*protobuf.AddressMapping{{Announced: address(), Dial: address()}},
			PubsubSubscriptions: &protobuf.PubSubSubscriptions{
				ChannelsOrPatternsByType: map[uint32]*protobuf.PubSubChannelsOrPatterns{0: {}}},
		}
	}
	before, err := DecodeConfig(encode(t, plain()))
	require.NoError(t, err)
	inner := map[string]func(*protobuf.ConnectionRequest) proto.Message{
		"addresses":                       func(m *protobuf.ConnectionRequest) proto.Message { return m.Addresses[0] },
		"authentication_info":             func(m *protobuf.ConnectionRequest) proto.Message { return m.AuthenticationInfo },
		"connection_retry_strategy":       func(m *protobuf.ConnectionRequest) proto.Message { return m.ConnectionRetryStrategy },
		"periodic_checks_manual_interval": func(m *protobuf.ConnectionRequest) proto.Message { return m.GetPeriodicChecksManualInterval() },
		"cert_reload":                     func(m *protobuf.ConnectionRequest) proto.Message { return m.CertReload },
		"address_map.announced":           func(m *protobuf.ConnectionRequest) proto.Message { return m.AddressMap[0].Announced },
		"pubsub_subscriptions":            func(m *protobuf.ConnectionRequest) proto.Message { return m.PubsubSubscriptions },
		"pubsub_subscriptions.channels": func(m *protobuf.ConnectionRequest) proto.Message {
			return m.PubsubSubscriptions.ChannelsOrPatternsByType[0]
		},
		"address_map.dial": func(m *protobuf.ConnectionRequest) proto.Message { return m.AddressMap[0].Dial },
	}
	for name, of := range inner {
		fields := of(plain()).ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			field, message := fields.Get(i), plain()
			if name == "cert_reload" && field.Name() == "enabled" {
				message.CertReload.Enabled = false
			} else {
				of(message).ProtoReflect().Set(field, something(of(message).ProtoReflect(), field))
			}
			config, err := DecodeConfig(encode(t, message))
			if err != nil {
				require.Contains(t, err.Error(), string(field.Name()))
				continue
			}
			require.False(t, reflect.DeepEqual(before, config), "%s.%s does nothing", name, field.Name())
		}
	}
	covered := func(name protoreflect.Name) bool {
		for inside := range inner {
			if outer, _, _ := strings.Cut(inside, "."); outer == string(name) {
				return true
			}
		}
		return name == "periodic_checks_disabled" // which has no fields
	}
	fields := new(protobuf.ConnectionRequest).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if field := fields.Get(i); field.Message() != nil && honoured[field.Name()] {
			require.True(t, covered(field.Name()), field.Name())
		}
	}
}
