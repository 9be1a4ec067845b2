package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libglide/core"
)

// pure are the functions of the header that do without Go, and so work in a forked child as they are.
var pure = []string{"glide_status_name", "glide_abi_version", "glide_version", "glide_buffer_free", "glide_on_interrupt", "glide_completions_free"}

// declared are the functions of the header.
func declared(t *testing.T) (names []string) {
	header, err := os.ReadFile("../include/glide.h")
	require.NoError(t, err)
	for _, match := range regexp.MustCompile(`(?m)^GLIDE_API [^(]*?(glide_\w+)\(`).FindAllStringSubmatch(string(header), -1) {
		names = append(names, match[1])
	}
	require.NotEmpty(t, names)
	return names
}

// library opens what `make build` made; these tests look at it from outside.
func library(t *testing.T) *elf.File { return built(t, "libglide.so.1") }

func built(t *testing.T, name string) *elf.File {
	file, err := elf.Open("../build/" + name)
	require.NoError(t, err, "run make build compat")
	t.Cleanup(func() { _ = file.Close() })
	return file
}

func TestTheLibraryExportsTheFunctionsOfItsHeaderAndNothingElse(t *testing.T) {
	symbols, err := library(t).DynamicSymbols()
	require.NoError(t, err)
	var exported []string
	for _, symbol := range symbols {
		if symbol.Section != elf.SHN_UNDEF {
			exported = append(exported, symbol.Name)
		}
	}
	require.ElementsMatch(t, declared(t), exported)
}

func TestAForkedChildHandsEveryFunctionThatNeedsGoOnToItsCopy(t *testing.T) {
	header, err := os.ReadFile("copy.h")
	require.NoError(t, err)
	shim, err := os.ReadFile("shim.c")
	require.NoError(t, err)
	async, err := os.ReadFile("async.c")
	require.NoError(t, err)
	for _, name := range declared(t) {
		if slices.Contains(pure, name) {
			continue
		}
		require.Contains(t, string(header), "each("+name+")", "COPY_FUNCTIONS")
		require.Contains(t, string(shim)+string(async), "forked_"+strings.TrimPrefix(name, "glide_")+"(")
	}
}

// After a fork the shim must keep the runtime that stayed behind from being called when a thread ends.
func TestTheRuntimeHasThePointerThatAForkedChildClears(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "src/runtime/cgo/gcc_libinit.c"))
	require.NoError(t, err)
	const declaration = "void (*x_crosscall2_ptr)(void (*fn)(void *), void *, int, size_t);"
	require.Contains(t, string(source), declaration)
	fork, err := os.ReadFile("fork.c")
	require.NoError(t, err)
	require.Contains(t, string(fork), strings.Replace(strings.TrimSuffix(declaration, ";"), "*fn", "*", 1))
}

func TestTheNameOfTheLibraryHoldsItsMajorVersion(t *testing.T) {
	names, err := library(t).DynString(elf.DT_SONAME)
	require.NoError(t, err)
	require.Equal(t, []string{"libglide.so.1"}, names)
}

// glibcCeiling is the newest minor version of glibc 2 that the libraries may need: that of RHEL 9,
// the oldest among Debian 12, Ubuntu 22.04 and it.
const glibcCeiling = 34

func TestTheLibrariesRunOnTheGlibcOfOlderSystems(t *testing.T) {
	for _, name := range []string{"libglide.so.1", "libglide_ffi.so"} {
		symbols, err := built(t, name).ImportedSymbols()
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
			require.LessOrEqual(t, needed, glibcCeiling, "%s of %s needs %s", symbol.Name, name, symbol.Version)
		}
		require.NotZero(t, versioned, name)
	}
}

func TestTheShimNamesTheVersionOfTheCore(t *testing.T) {
	shim, err := os.ReadFile("shim.c")
	require.NoError(t, err)
	require.Contains(t, string(shim), `return "`+core.Version+`";`)
}
