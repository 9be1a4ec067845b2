// Package protobuf is the wire contract of the library: its messages, and the words behind
// GLIDE's numbered request types.
package protobuf

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
)

// Schema returns the messages as a serialized FileDescriptorSet, each file after those that it
// imports, for languages that build their classes at run time.
func Schema() ([]byte, error) {
	return proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto(File_libglide_request_proto),
		protodesc.ToFileDescriptorProto(File_libglide_connection_proto),
		protodesc.ToFileDescriptorProto(File_libglide_response_proto),
	}})
}
