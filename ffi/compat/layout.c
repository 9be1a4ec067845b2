/* The layouts that bindings read at fixed offsets, held when this is compiled. */
#include <stddef.h>

#include "glide_ffi.h"

#define AT(type, field, offset) \
    _Static_assert(offsetof(type, field) == (offset), #type "." #field " is not at " #offset)
#define SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " is not of size " #size)

SIZE(CommandResponse, 104);
AT(CommandResponse, response_type, 0);
AT(CommandResponse, int_value, 8);
AT(CommandResponse, float_value, 16);
AT(CommandResponse, bool_value, 24);
AT(CommandResponse, string_value, 32);
AT(CommandResponse, string_value_len, 40);
AT(CommandResponse, array_value, 48);
AT(CommandResponse, array_value_len, 56);
AT(CommandResponse, map_key, 64);
AT(CommandResponse, map_value, 72);
AT(CommandResponse, sets_value, 80);
AT(CommandResponse, sets_value_len, 88);
AT(CommandResponse, user_data, 96);

SIZE(CommandResult, 24);
AT(CommandResult, command_error, 8);
AT(CommandResult, arena, 16);
SIZE(CommandError, 16);
AT(CommandError, command_error_type, 8);
SIZE(ConnectionResponse, 24);
AT(ConnectionResponse, connection_error_message, 8);
AT(ConnectionResponse, connection_error_type, 16);
SIZE(ScriptHashBuffer, 24);
AT(ScriptHashBuffer, capacity, 16);
SIZE(LogResult, 16);
AT(LogResult, level, 8);
SIZE(Statistics, 80);
AT(Statistics, subscription_last_sync_timestamp, 72);
SIZE(PoolMetrics, 16);
SIZE(RdmaRegistration, 16);
SIZE(RdmaResult, 40);
AT(RdmaResult, found, 12);
AT(RdmaResult, bytes_written, 16);
AT(RdmaResult, has_checksum, 24);
AT(RdmaResult, checksum, 28);
AT(RdmaResult, region_closed, 32);

SIZE(ClientType, 32);
AT(ClientType, success_callback, 8);
AT(ClientType, failure_callback, 16);
AT(ClientType, allow_stack_response, 24);
SIZE(CmdInfo, 32);
AT(CmdInfo, args, 8);
AT(CmdInfo, arg_count, 16);
AT(CmdInfo, args_len, 24);
SIZE(BatchInfo, 24);
AT(BatchInfo, cmds, 8);
AT(BatchInfo, is_atomic, 16);
SIZE(BatchOptionsInfo, 16);
AT(BatchOptionsInfo, retry_connection_error, 1);
AT(BatchOptionsInfo, has_timeout, 2);
AT(BatchOptionsInfo, timeout, 4);
AT(BatchOptionsInfo, route_info, 8);
SIZE(RouteInfo, 40);
AT(RouteInfo, slot_id, 4);
AT(RouteInfo, slot_key, 8);
AT(RouteInfo, slot_type, 16);
AT(RouteInfo, hostname, 24);
AT(RouteInfo, port, 32);
SIZE(OpenTelemetryConfig, 32);
AT(OpenTelemetryConfig, flush_interval_ms, 24);
SIZE(OpenTelemetryTracesConfig, 16);
AT(OpenTelemetryTracesConfig, sample_percentage, 12);
