// Package protobuf is the wire contract of the library: its messages, and the words behind
// GLIDE's numbered request types.
package protobuf

import "google.golang.org/protobuf/encoding/protowire"

// Schema returns the messages as a serialized FileDescriptorSet, each file after those that it
// imports, for languages that build their classes at run time.
//
// The generated code holds each file's descriptor as it is serialized, so they are joined as
// they are: to build the set as a message would link descriptor.proto, a quarter of a megabyte.
func Schema() []byte {
	const file = 1 // FileDescriptorSet.file

	var set []byte
	for _, descriptor := range []string{
		file_libglide_request_proto_rawDesc,
		file_libglide_connection_proto_rawDesc,
		file_libglide_response_proto_rawDesc,
	} {
		set = protowire.AppendTag(set, file, protowire.BytesType)
		set = protowire.AppendString(set, descriptor)
	}
	return set
}
