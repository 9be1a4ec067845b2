package main

import (
	"debug/dwarf"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// abiFile is the binary interface as it was agreed on: what a program that was built against the
// header has in its code. GLIDE_UPDATE=1 go test ./ffi -run Agreed writes it anew; a line that is gone
// or differs breaks programs, and the SONAME must change.
const abiFile = "../include/glide.abi"

func TestTheInterfaceIsTheAgreedOne(t *testing.T) {
	lines := append(layout(t), prototypes(t)...)
	text := strings.Join(lines, "\n") + "\n"
	if os.Getenv("GLIDE_UPDATE") != "" {
		require.NoError(t, os.WriteFile(abiFile, []byte(text), 0o644))
	}
	agreed, err := os.ReadFile(abiFile)
	require.NoError(t, err)
	require.Equal(t, string(agreed), text)
	for _, kind := range []string{"constant GLIDE_", "sizeof glide_buffer 16", "offsetof glide_buffer.len 8", "sizeof glide_client 8", "int32_t glide_key_slot("} {
		require.Contains(t, text, kind, "the test finds nothing of this kind")
	}
}

// prototypes are the functions and the simple types of the header, each in one line.
func prototypes(t *testing.T) (lines []string) {
	header, err := os.ReadFile("../include/glide.h")
	require.NoError(t, err)
	code := regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(string(header), " ")
	for _, match := range regexp.MustCompile(`(?m)^(?:GLIDE_API |(typedef ))([^{;]+);`).FindAllStringSubmatch(code, -1) {
		lines = append(lines, strings.Join(strings.Fields(match[1]+match[2]), " "))
	}
	slices.Sort(lines)
	return lines
}

// layout is the constants and the sizes and members of types, as the compiler has them.
func layout(t *testing.T) (lines []string) {
	object := filepath.Join(t.TempDir(), "glide.o")
	compile := exec.Command("cc", "-g", "-fno-eliminate-unused-debug-types", "-xc", "-c", "-o", object, "-")
	compile.Stdin = strings.NewReader(`#include "../include/glide.h"`)
	said, err := compile.CombinedOutput()
	require.NoError(t, err, "%s", said)
	file, err := elf.Open(object)
	require.NoError(t, err)
	defer file.Close()
	data, err := file.DWARF()
	require.NoError(t, err)
	entries := data.Reader()
	for {
		entry, err := entries.Next()
		if err != nil && !errors.Is(err, io.EOF) {
			require.NoError(t, err)
		}
		if entry == nil {
			slices.Sort(lines)
			return lines
		}
		name, _ := entry.Val(dwarf.AttrName).(string)
		switch {
		case entry.Tag == dwarf.TagEnumerator:
			lines = append(lines, fmt.Sprintf("constant %s %v", name, entry.Val(dwarf.AttrConstValue)))
		case entry.Tag == dwarf.TagTypedef && strings.HasPrefix(name, "glide_"):
			lines = append(lines, membersOf(t, data, entry.Offset, name)...)
		}
	}
}

func membersOf(t *testing.T, data *dwarf.Data, at dwarf.Offset, name string) []string {
	found, err := data.Type(at)
	require.NoError(t, err)
	lines := []string{fmt.Sprintf("sizeof %s %d", name, found.Size())}
	if members, is := found.(*dwarf.TypedefType).Type.(*dwarf.StructType); is {
		for _, member := range members.Field {
			lines = append(lines, fmt.Sprintf("offsetof %s.%s %d, %v", name, member.Name, member.ByteOffset, member.Type))
		}
	}
	return lines
}
