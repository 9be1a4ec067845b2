package main

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asCommandVariable makes this test binary the command that is tested.
const asCommandVariable = "RUN_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommandVariable) != "" {
		main()
	}
	os.Exit(m.Run())
}

func TestTheCommandFindsTheServersAndItsExitCodeIsPassedOn(t *testing.T) {
	run := runCommand(t, "-shards", "2", "-standalone", "--", "sh", "-c", "env; exit 7")

	output, err := run.Output()

	assert.Equal(t, 7, run.ProcessState.ExitCode(), err)
	variables := map[string]string{}
	for line := range strings.Lines(string(output)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		variables[name] = value
	}
	assert.Len(t, strings.Split(variables["GLIDE_TEST_CLUSTER"], ","), 4)
	assert.Contains(t, variables["GLIDE_TEST_STANDALONE"], "127.0.0.1:")
	assert.Contains(t, variables["GLIDE_TEST_PASSWORD"], "127.0.0.1:")
	assert.FileExists(t, variables["VALKEY_SERVER"])
	assertNothingLeft(t, run)
}

func TestACommandThatASignalEndsGives128AndItsNumber(t *testing.T) {
	run := runCommand(t, "-shards", "1", "-replicas", "0", "sh", "-c", "kill -KILL $$")
	run.Run()
	assert.Equal(t, 128+int(syscall.SIGKILL), run.ProcessState.ExitCode())
	assertNothingLeft(t, run)
}

func TestACommandThatDoesNotExistGives127(t *testing.T) {
	run := runCommand(t, "-shards", "1", "-replicas", "0", "no-such-command")
	run.Run()
	assert.Equal(t, 127, run.ProcessState.ExitCode())
	assertNothingLeft(t, run)
}

func TestASignalIsPassedOnAndTheServersEndAfterTheCommand(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		run := runCommand(t, "-shards", "1", "-replicas", "0", "sh", "-c",
			"trap 'echo cleaned up; exit 9' INT TERM; echo ready; while :; do sleep 0.05; done")
		output, err := run.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, run.Start())
		lines := bufio.NewReader(output)
		assertLine(t, "ready\n", lines)

		require.NoError(t, run.Process.Signal(signal))

		assertLine(t, "cleaned up\n", lines)
		run.Wait()
		assert.Equal(t, 9, run.ProcessState.ExitCode(), signal.String())
		assertNothingLeft(t, run)
	}
}

func TestASignalDuringTheStartEndsIt(t *testing.T) {
	run := runCommand(t)
	stdout, err := run.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, run.Start())
	folder := temporaryFolder(run)
	require.Eventually(t, func() bool { return len(entries(t, folder)) > 0 }, startPatience, pollInterval)

	require.NoError(t, run.Process.Signal(syscall.SIGTERM))

	_, err = bufio.NewReader(stdout).ReadString('\n')
	assert.Error(t, err, "it prints no addresses")
	run.Wait()
	assert.Equal(t, 128+int(syscall.SIGTERM), run.ProcessState.ExitCode())
	assertNothingLeft(t, run)
}

func TestWithoutACommandItPrintsTheAddressesAndWaits(t *testing.T) {
	run := runCommand(t, "-shards", "1")
	output, err := run.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, run.Start())
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	assert.Regexp(t, `^GLIDE_TEST_CLUSTER=127\.0\.0\.1:\d+,127\.0\.0\.1:\d+\n$`, line)

	require.NoError(t, run.Process.Signal(syscall.SIGTERM))

	run.Wait()
	assert.Equal(t, 0, run.ProcessState.ExitCode())
	assertNothingLeft(t, run)
}

const pollInterval = 5 * time.Millisecond

// runCommand is this command with a folder of its own for temporary files.
func runCommand(t *testing.T, arguments ...string) *exec.Cmd {
	run := exec.Command(os.Args[0], arguments...)
	run.Env = append(os.Environ(), asCommandVariable+"=1", "TMPDIR="+t.TempDir())
	run.Stderr = os.Stderr
	// Without a terminal also where the tests have one: Ctrl-C is another matter there.
	run.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return run
}

func temporaryFolder(run *exec.Cmd) string {
	return strings.TrimPrefix(run.Env[len(run.Env)-1], "TMPDIR=")
}

func entries(t *testing.T, folder string) []os.DirEntry {
	t.Helper()
	found, err := os.ReadDir(folder)
	require.NoError(t, err)
	return found
}

// assertNothingLeft looks for the folder; the servers are what keeps it, see package cluster.
func assertNothingLeft(t *testing.T, run *exec.Cmd) {
	t.Helper()
	assert.Empty(t, entries(t, temporaryFolder(run)))
}

func assertLine(t *testing.T, expected string, lines *bufio.Reader) {
	t.Helper()
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, expected, line)
}
