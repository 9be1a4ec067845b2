package cluster

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parentVariable makes this test binary the parent that is to be killed.
const parentVariable = "CLUSTER_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentVariable) != "" {
		waitToBeKilled()
	}
	os.Exit(m.Run())
}

type leftovers struct {
	PIDs   []int
	Folder string
}

func waitToBeKilled() {
	c, err := Start(context.Background(), Options{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(leftovers{pidsOf(c), c.folder.path})
	select {}
}

func TestKill9OfTheParentLeavesNoServerAndNoFolder(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentVariable+"=1")
	output, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	defer parent.Wait()
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	var left leftovers
	require.NoError(t, json.Unmarshal([]byte(line), &left), line)
	require.Len(t, left.PIDs, 6)
	for _, pid := range left.PIDs {
		require.True(t, alive(pid))
	}

	require.NoError(t, parent.Process.Kill())

	for _, pid := range left.PIDs {
		assert.Eventually(t, func() bool { return !alive(pid) }, 5*time.Second, 10*time.Millisecond, "server %d", pid)
	}
	assert.Eventually(t, func() bool {
		_, err := os.Stat(left.Folder)
		return os.IsNotExist(err)
	}, 5*time.Second, 10*time.Millisecond, left.Folder)
}

// alive tells whether a server runs; one that is dead and not yet reaped by init does not.
func alive(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(status), "(valkey-server)") &&
		!strings.Contains(string(status), ") Z ")
}
