// Package wire reads those messages of the wire contract that every library takes, into what core
// and routing take. What they ask for and the core has not is refused by name.
package wire

import (
	"libglide/core"
	"libglide/protobuf"
	"libglide/routing"
)

func badRequest(format string, args ...any) *core.Error {
	return core.NewError(core.StatusInvalidArgument, format, args...)
}

// DecodeRoute reads a route; nil is none. The error is an *core.Error.
func DecodeRoute(message *protobuf.Routes) (route routing.Route, err error) {
	if message == nil {
		return route, nil
	}
	switch value := message.GetValue().(type) {
	case nil:
		return route, badRequest("the route is empty: leave it out or choose one")
	case *protobuf.Routes_SimpleRoutes:
		simple, known := simpleRoutes[value.SimpleRoutes]
		if !known {
			return route, badRequest("simple_routes %d is no route", value.SimpleRoutes)
		}
		return routing.Route{Kind: simple}, nil
	case *protobuf.Routes_SlotKeyRoute:
		key := value.SlotKeyRoute.GetSlotKeyBytes()
		if value.SlotKeyRoute.SlotKeyBytes == nil {
			key = []byte(value.SlotKeyRoute.GetSlotKey())
		} else if value.SlotKeyRoute.GetSlotKey() != "" {
			return route, badRequest("slot_key and slot_key_bytes are both set")
		}
		role, err := decodeSlotType(value.SlotKeyRoute.GetSlotType())
		return routing.Route{Kind: routing.RouteSlotKey, Role: role, Key: key}, err
	case *protobuf.Routes_SlotIdRoute:
		role, err := decodeSlotType(value.SlotIdRoute.GetSlotType())
		return routing.Route{Kind: routing.RouteSlotID, Role: role, SlotID: value.SlotIdRoute.GetSlotId()}, err
	case *protobuf.Routes_ByAddressRoute:
		address := value.ByAddressRoute
		return routing.Route{Kind: routing.RouteByAddress, Host: address.GetHost(), Port: address.GetPort()}, nil
	}
	return route, badRequest("the route is of an unknown kind")
}

var simpleRoutes = map[protobuf.SimpleRoutes]routing.RouteKind{
	protobuf.SimpleRoutes_SIMPLE_ROUTES_ALL_NODES:     routing.RouteAllNodes,
	protobuf.SimpleRoutes_SIMPLE_ROUTES_ALL_PRIMARIES: routing.RouteAllPrimaries,
	protobuf.SimpleRoutes_SIMPLE_ROUTES_RANDOM:        routing.RouteRandomNode,
}

func decodeSlotType(slotType protobuf.SlotTypes) (routing.Role, error) {
	switch slotType {
	case protobuf.SlotTypes_SLOT_TYPES_PRIMARY:
		return routing.Primary, nil
	case protobuf.SlotTypes_SLOT_TYPES_REPLICA:
		return routing.Replica, nil
	}
	return 0, badRequest("slot_type %d is neither PRIMARY (0) nor REPLICA (1)", slotType)
}
