package wire

import (
	"errors"
	"fmt"
	"math"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"libglide/core"
	"libglide/protobuf"
	"libglide/routing"
)

// honoured are the fields of ConnectionRequest that the client acts on. Another one that is set
// is refused by name, so that nobody believes in an option that does nothing.
var honoured = map[protoreflect.Name]bool{
	"addresses": true, "cluster_mode_enabled": true, "request_timeout": true,
	"authentication_info": true, "database_id": true, "protocol": true, "client_name": true,
	"periodic_checks_manual_interval": true, "periodic_checks_disabled": true,
	"inflight_requests_limit": true, "connection_timeout": true, "lib_name": true,
	"tcp_nodelay": true, "read_from": true, "client_az": true,
	"tls_mode": true, "tls_server_name": true, "root_certs": true, "client_cert": true, "client_key": true,
	"client_cert_path": true, "client_key_path": true, "read_only": true,
	"lazy_connect": true, "connection_retry_strategy": true, "refresh_topology_from_initial_nodes": true,
	"node_discovery_mode": true, "cert_reload": true, "address_map": true,
	"pubsub_subscriptions": true, "event_queue_limit": true,
}

func badConfig(format string, args ...any) *core.Error {
	return core.NewError(core.StatusConfig, format, args...)
}

// DecodeConfig reads a ConnectionRequest. The error is an *core.Error.
func DecodeConfig(bytes []byte) (config core.Config, err error) {
	message := new(protobuf.ConnectionRequest)
	if err := proto.Unmarshal(bytes, message); err != nil {
		return config, core.NewError(core.StatusDecode, "the config is no ConnectionRequest: %v", err)
	}
	message.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if !honoured[field.Name()] {
			err = badConfig("%s is not supported yet", field.Name())
		}
		return err == nil
	})
	if err != nil {
		return config, err
	}
	if config.Addresses, err = decodeAddresses(message.GetAddresses()); err != nil {
		return config, err
	}
	switch message.GetProtocol() {
	case protobuf.ProtocolVersion_PROTOCOL_VERSION_RESP3:
	case protobuf.ProtocolVersion_PROTOCOL_VERSION_RESP2:
		config.RESP2 = true
	default:
		return config, badConfig("protocol %d is neither RESP3 (0) nor RESP2 (1)", message.GetProtocol())
	}
	if auth := message.GetAuthenticationInfo(); auth != nil {
		if auth.IamCredentials != nil {
			return config, badConfig("authentication_info.iam_credentials is not supported yet")
		}
		config.Username, config.Password = auth.GetUsername(), auth.GetPassword()
	}
	if config.TLS, err = decodeTLS(message); err != nil {
		return config, err
	}
	if config.AddressMap, err = decodeAddressMap(message.GetAddressMap()); err != nil {
		return config, err
	}
	if _, known := protobuf.NodeDiscoveryMode_name[int32(message.GetNodeDiscoveryMode())]; !known {
		return config, badConfig("node_discovery_mode %d is none", message.GetNodeDiscoveryMode())
	}
	config.Discovery = core.Discovery(message.GetNodeDiscoveryMode())
	config.Lazy, config.FromSeeds = message.GetLazyConnect(), message.GetRefreshTopologyFromInitialNodes()
	config.Backoff = decodeBackoff(message.GetConnectionRetryStrategy())
	config.Standalone = !message.GetClusterModeEnabled()
	config.RequestTimeout = Milliseconds(message.GetRequestTimeout())
	config.ConnectTimeout = Milliseconds(message.GetConnectionTimeout())
	config.InflightLimit = int(message.GetInflightRequestsLimit())
	config.RefreshEvery = refreshEvery(message)
	config.ClientName, config.LibraryName = message.GetClientName(), message.GetLibName()
	config.Database = int(message.GetDatabaseId())
	config.Reads, config.Zone = routing.ReadStrategy(message.GetReadFrom()), message.GetClientAz()
	if _, known := protobuf.ReadFrom_name[int32(message.GetReadFrom())]; !known {
		return config, badConfig("read_from %d is no strategy", message.GetReadFrom())
	}
	if config.Subscriptions, err = decodeSubscriptions(message.GetPubsubSubscriptions()); err != nil {
		return config, err
	}
	config.EventLimit = int(message.GetEventQueueLimit())
	config.ReadOnly = message.GetReadOnly()
	config.Nagle = message.TcpNodelay != nil && !message.GetTcpNodelay()
	return config, nil
}

func decodeTLS(message *protobuf.ConnectionRequest) (*core.TLS, error) {
	encryption := &core.TLS{
		ServerName: message.GetTlsServerName(), RootCerts: message.GetRootCerts(),
		ClientCert: message.GetClientCert(), ClientKey: message.GetClientKey(),
		ClientCertPath: message.GetClientCertPath(), ClientKeyPath: message.GetClientKeyPath(),
	}
	switch message.GetTlsMode() {
	case protobuf.TlsMode_TLS_MODE_SECURE_TLS:
	case protobuf.TlsMode_TLS_MODE_INSECURE_TLS:
		encryption.Insecure = true
	case protobuf.TlsMode_TLS_MODE_NO_TLS:
		return nil, refuseTLS(message)
	default:
		return nil, badConfig("tls_mode %d is none", message.GetTlsMode())
	}
	if reload := message.GetCertReload(); reload.GetEnabled() {
		encryption.ReloadEvery = defaultReload
		if reload.IntervalSeconds != nil {
			encryption.ReloadEvery = time.Duration(reload.GetIntervalSeconds()) * time.Second
		}
		if encryption.ReloadEvery == 0 {
			return nil, badConfig("cert_reload.interval_seconds 0 is below 1")
		}
	}
	return encryption, nil
}

// defaultReload is GLIDE's.
const defaultReload = 300 * time.Second

// refuseTLS names a field that means nothing where connections are not encrypted.
func refuseTLS(message *protobuf.ConnectionRequest) (err error) {
	ofTLS := map[protoreflect.Name]bool{
		"tls_server_name": true, "root_certs": true, "client_cert": true, "client_key": true,
		"client_cert_path": true, "client_key_path": true, "cert_reload": true,
	}
	message.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if ofTLS[field.Name()] {
			err = badConfig("%s is given, but tls_mode is NO_TLS", field.Name())
		}
		return err == nil
	})
	return err
}

// defaultJitter is GLIDE's, in percent.
const defaultJitter = 20

func decodeBackoff(message *protobuf.ConnectionRetryStrategy) *core.Backoff {
	if message == nil {
		return nil
	}
	jitter := defaultJitter
	if message.JitterPercent != nil {
		jitter = int(message.GetJitterPercent())
	}
	return &core.Backoff{
		Steps: int(message.GetNumberOfRetries()), First: Milliseconds(message.GetFactor()),
		Base: int(message.GetExponentBase()), Jitter: jitter,
	}
}

// Milliseconds is the time that a field counts in milliseconds.
func Milliseconds(n uint32) time.Duration { return time.Duration(n) * time.Millisecond }

func decodeSubscriptions(message *protobuf.PubSubSubscriptions) (map[core.ChannelKind][][]byte, error) {
	var wanted map[core.ChannelKind][][]byte
	for kind, names := range message.GetChannelsOrPatternsByType() {
		if _, known := protobuf.ChannelKind_name[int32(kind)]; !known || kind > math.MaxInt32 {
			return nil, badConfig("pubsub_subscriptions: kind %d is none of 0 (channels), 1 (patterns) and 2 (sharded channels)", kind)
		}
		if wanted == nil {
			wanted = make(map[core.ChannelKind][][]byte)
		}
		wanted[core.ChannelKind(kind)] = names.GetChannelsOrPatterns()
	}
	return wanted, nil
}

// refreshEvery is the time between looks at the topology: 0 for the default, negative for none.
func refreshEvery(message *protobuf.ConnectionRequest) time.Duration {
	if message.GetPeriodicChecksDisabled() != nil {
		return -1
	}
	return time.Duration(message.GetPeriodicChecksManualInterval().GetDurationInSec()) * time.Second
}

// defaultPort serves where an address names none.
const defaultPort = 6379

func decodeAddresses(messages []*protobuf.NodeAddress) ([]routing.Address, error) {
	var addresses []routing.Address
	for i, message := range messages {
		address, err := decodeAddress(message)
		if err != nil {
			return nil, badConfig("addresses[%d]%v", i, err)
		}
		addresses = append(addresses, address)
	}
	return addresses, nil
}

// decodeAddress reads an address. The error goes on after the name of the field.
func decodeAddress(message *protobuf.NodeAddress) (routing.Address, error) {
	port := message.GetPort()
	switch {
	case message == nil:
		return routing.Address{}, errors.New(" is not set")
	case message.UnixSocketPath != nil:
		return routing.Address{}, errors.New(".unix_socket_path is not supported")
	case routing.CheckHost(message.GetHost()) != nil:
		return routing.Address{}, fmt.Errorf(": %w", routing.CheckHost(message.GetHost()))
	case port > 65535:
		return routing.Address{}, fmt.Errorf(": port %d is out of range 1..65535", port)
	case port == 0:
		port = defaultPort
	}
	return routing.NewAddress(message.GetHost(), uint16(port)), nil
}

func decodeAddressMap(messages []*protobuf.AddressMapping) (map[routing.Address]routing.Address, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	mapped := make(map[routing.Address]routing.Address)
	for i, message := range messages {
		announced, err := decodeAddress(message.GetAnnounced())
		if err != nil {
			return nil, badConfig("address_map[%d].announced%v", i, err)
		}
		dialled, err := decodeAddress(message.GetDial())
		if err != nil {
			return nil, badConfig("address_map[%d].dial%v", i, err)
		}
		if _, twice := mapped[announced]; twice {
			return nil, badConfig("address_map[%d]: %s is in it twice", i, announced)
		}
		mapped[announced] = dialled
	}
	return mapped, nil
}
