package main

import (
	"debug/elf"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libglide/core"
)

// library opens what `make build` made; these tests look at it from outside.
func library(t *testing.T) *elf.File {
	file, err := elf.Open("../build/libglide.so.1")
	require.NoError(t, err, "run make build")
	t.Cleanup(func() { _ = file.Close() })
	return file
}

func TestTheLibraryExportsTheFunctionsOfItsHeaderAndNothingElse(t *testing.T) {
	header, err := os.ReadFile("../include/glide.h")
	require.NoError(t, err)
	var declared []string
	for _, match := range regexp.MustCompile(`(?m)^GLIDE_API [^(]*?(glide_\w+)\(`).FindAllStringSubmatch(string(header), -1) {
		declared = append(declared, match[1])
	}
	symbols, err := library(t).DynamicSymbols()
	require.NoError(t, err)
	var exported []string
	for _, symbol := range symbols {
		if symbol.Section != elf.SHN_UNDEF {
			exported = append(exported, symbol.Name)
		}
	}
	slices.Sort(declared)
	slices.Sort(exported)
	require.NotEmpty(t, declared)
	require.Equal(t, declared, exported)
}

func TestTheNameOfTheLibraryHoldsItsMajorVersion(t *testing.T) {
	names, err := library(t).DynString(elf.DT_SONAME)
	require.NoError(t, err)
	require.Equal(t, []string{"libglide.so.1"}, names)
}

// glibcCeiling is the newest minor version of glibc 2 that the library may need: that of RHEL 9,
// the oldest among Debian 12, Ubuntu 22.04 and it.
const glibcCeiling = 34

func TestTheLibraryRunsOnTheGlibcOfOlderSystems(t *testing.T) {
	symbols, err := library(t).ImportedSymbols()
	require.NoError(t, err)
	versioned := 0
	for _, symbol := range symbols {
		minor, is := strings.CutPrefix(symbol.Version, "GLIBC_2.")
		if !is {
			continue
		}
		versioned++
		number, _, _ := strings.Cut(minor, ".")
		needed, err := strconv.Atoi(number)
		require.NoError(t, err)
		require.LessOrEqual(t, needed, glibcCeiling, "%s needs %s", symbol.Name, symbol.Version)
	}
	require.NotZero(t, versioned)
}

func TestTheShimNamesTheVersionOfTheCore(t *testing.T) {
	shim, err := os.ReadFile("shim.c")
	require.NoError(t, err)
	require.Contains(t, string(shim), `return "`+core.Version+`";`)
}
