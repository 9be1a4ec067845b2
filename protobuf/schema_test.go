package protobuf

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

func TestTheSchemaHoldsEachFileAfterThoseThatItImports(t *testing.T) {
	set := new(descriptorpb.FileDescriptorSet)
	require.NoError(t, proto.Unmarshal(Schema(), set))

	files, err := protodesc.NewFiles(set)
	require.NoError(t, err, "a file lacks what it imports")
	known := map[string]bool{}
	for _, file := range set.File {
		for _, imported := range file.Dependency {
			require.True(t, known[imported], "%s comes before %s", file.GetName(), imported)
		}
		known[file.GetName()] = true
	}
	for _, file := range []protoreflect.FileDescriptor{File_libglide_request_proto, File_libglide_connection_proto, File_libglide_response_proto} {
		found, err := files.FindFileByPath(file.Path())
		require.NoError(t, err)
		require.True(t, proto.Equal(protodesc.ToFileDescriptorProto(file), protodesc.ToFileDescriptorProto(found)), file.Path())
	}
}
