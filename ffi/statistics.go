package main

import (
	"cmp"
	"runtime"
	"runtime/metrics"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"libglide/core"
	"libglide/protobuf"
	"libglide/routing"
)

func encodeStatistics(statistics *core.Statistics) *protobuf.Statistics {
	message := &protobuf.Statistics{
		InflightRequests: uint32(statistics.Inflight), TopologyEpoch: statistics.Epoch,
		TopologyRefreshes: statistics.Refreshes, TopologyRefreshFailures: statistics.FailedRefreshes,
		Configuration: encodeConfiguration(statistics), Process: processStatistics(),
	}
	if statistics.Age >= 0 {
		message.TopologyAgeMs = proto.Uint64(uint64(statistics.Age.Milliseconds()))
	}
	for i := range statistics.Nodes {
		message.Nodes = append(message.Nodes, encodeNodeStatistics(&statistics.Nodes[i]))
	}
	return message
}

func processStatistics() *protobuf.ProcessStatistics {
	heap := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(heap)
	return &protobuf.ProcessStatistics{
		Handles: uint32(clients.Count() + routers.Count() + sessions.Count()), Calls: uint32(running()),
		Goroutines: uint32(runtime.NumGoroutine()), HeapBytes: heap[0].Value.Uint64(),
	}
}

func encodeNodeStatistics(of *core.NodeStatistics) *protobuf.NodeStatistics {
	message := &protobuf.NodeStatistics{
		Node: encodeNode(of.Node), InTopology: of.InTopology,
		Connections: uint32(of.Connections), ConnectionsMade: of.Made,
		Requests: of.Requests, Errors: of.Errors, Redirects: of.Redirects, Failures: of.Failures,
		BytesSent: of.BytesSent, BytesReceived: of.BytesReceived,
	}
	if !of.ConnectedSince.IsZero() {
		message.ConnectedSinceMs = unixMilliseconds(of.ConnectedSince)
	}
	if of.Latency > 0 {
		message.LatencyAverageUs = proto.Float64(float64(of.Latency) / float64(time.Microsecond))
	}
	if of.LastError != nil {
		message.LastError, message.LastErrorMs = text(of.LastError.Message), unixMilliseconds(of.LastError.At)
	}
	return message
}

func unixMilliseconds(at time.Time) *uint64 { return proto.Uint64(uint64(at.UnixMilli())) }

func encodeConfiguration(statistics *core.Statistics) *protobuf.Configuration {
	config := &statistics.Config
	message := &protobuf.Configuration{
		ClusterModeEnabled:    !config.Standalone,
		RequestTimeoutMs:      uint32(config.RequestTimeout.Milliseconds()),
		ConnectionTimeoutMs:   uint32(config.ConnectTimeout.Milliseconds()),
		InflightRequestsLimit: uint32(config.InflightLimit),
		ReadFrom:              protobuf.ReadFrom(config.Reads),
		ClientAz:              text(config.Zone),
		DatabaseId:            uint32(config.Database),
		ClientName:            config.ClientName,
		LibName:               config.LibraryName,
		Username:              text(config.Username),
		HasPassword:           statistics.HasPassword,
		HasClientCertificate:  statistics.HasClientCertificate,
		TcpNodelay:            !config.Nagle,
		ReadOnly:              config.ReadOnly,
		LazyConnect:           config.Lazy,
		NodeDiscoveryMode:     protobuf.NodeDiscoveryMode(config.Discovery),
		AddressMap:            encodeAddressMap(config.AddressMap),
		ConnectionRetryStrategy: &protobuf.ConnectionRetryStrategy{
			NumberOfRetries: uint32(config.Backoff.Steps), Factor: uint32(config.Backoff.First.Milliseconds()),
			ExponentBase: uint32(config.Backoff.Base), JitterPercent: proto.Uint32(uint32(config.Backoff.Jitter)),
		},
		RefreshTopologyFromInitialNodes: config.FromSeeds, TrustRedirects: config.TrustRedirects,
	}
	if config.RESP2 {
		message.Protocol = protobuf.ProtocolVersion_PROTOCOL_VERSION_RESP2
	}
	if config.RefreshEvery > 0 {
		message.PeriodicChecksMs = proto.Uint64(uint64(config.RefreshEvery.Milliseconds()))
	}
	for _, address := range config.Addresses {
		message.Addresses = append(message.Addresses, text(address.String()))
	}
	if encryption := config.TLS; encryption != nil {
		message.TlsMode, message.TlsServerName = protobuf.TlsMode_TLS_MODE_SECURE_TLS, text(encryption.ServerName)
		if encryption.Insecure {
			message.TlsMode = protobuf.TlsMode_TLS_MODE_INSECURE_TLS
		}
		if encryption.ReloadEvery > 0 {
			message.CertReloadMs = proto.Uint64(uint64(encryption.ReloadEvery.Milliseconds()))
		}
	}
	return message
}

func encodeAddressMap(mapped map[routing.Address]routing.Address) (messages []*protobuf.AddressMapping) {
	for announced, dialled := range mapped {
		messages = append(messages, &protobuf.AddressMapping{Announced: encodeAddress(announced), Dial: encodeAddress(dialled)})
	}
	slices.SortFunc(messages, func(a, b *protobuf.AddressMapping) int {
		return cmp.Or(cmp.Compare(a.Announced.Host, b.Announced.Host), cmp.Compare(a.Announced.Port, b.Announced.Port))
	})
	return messages
}

func encodeAddress(address routing.Address) *protobuf.NodeAddress {
	return &protobuf.NodeAddress{Host: text(address.Host), Port: uint32(address.Port)}
}
