package main

import (
	"debug/elf"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// exported are the functions of what `make compat` made.
func exported(t *testing.T) []string {
	file, err := elf.Open("../../build/libglide_ffi.so")
	require.NoError(t, err, "run make compat")
	defer func() { require.NoError(t, file.Close()) }()
	symbols, err := file.DynamicSymbols()
	require.NoError(t, err)
	var names []string
	for _, symbol := range symbols {
		if symbol.Section != elf.SHN_UNDEF {
			names = append(names, symbol.Name)
		}
	}
	slices.Sort(names)
	return names
}

func TestTheLibraryExportsTheFunctionsOfItsHeaderAndNothingElse(t *testing.T) {
	header, err := os.ReadFile("glide_ffi.h")
	require.NoError(t, err)
	var declared []string
	for _, match := range regexp.MustCompile(`(?m)^(?:const |unsigned )?\w+ \*?(\w+)\(`).FindAllStringSubmatch(string(header), -1) {
		declared = append(declared, match[1])
	}
	slices.Sort(declared)
	require.NotEmpty(t, declared)
	require.Equal(t, declared, exported(t))
}
