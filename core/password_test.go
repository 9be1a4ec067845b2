package core

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/bindings/conformance/fakenode"
)

// onAll runs a command on every node as the administrator.
func onAll(t *testing.T, c *cluster.Cluster, words ...string) {
	t.Helper()
	for _, node := range c.Nodes {
		_, err := node.Do(t.Context(), words...)
		require.NoError(t, err)
	}
}

func dropClients(t *testing.T, c *cluster.Cluster) {
	onAll(t, c, "CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "YES")
}

func TestAPasswordThatTheServersChangedIsAClearErrorUntilTheClientIsTold(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Replicas: cluster.NoReplicas})
	client := open(t, Config{}, c.Addresses()[0])
	run(t, client, command("SET", "foo", "1"))
	for _, step := range []struct{ password, code string }{{"first", "NOAUTH"}, {"second", "WRONGPASS"}} {
		onAll(t, c, "CONFIG", "SET", "requirepass", step.password)
		run(t, client, command("INCR", "foo")) // the connection stands, and has logged in
		dropClients(t, c)
		refused := failure(t, client, command("INCR", "foo"))
		require.Equal(t, StatusServer, refused.Status)
		require.Equal(t, step.code, refused.Code)
		require.Contains(t, refused.Message, "INCR (slot 12182): "+c.Owner(12182).Address()+" (primary) refused the connection")
		require.False(t, refused.Sent)
		response, err := client.UpdatePassword(&PasswordUpdate{Password: step.password})
		require.NoError(t, err)
		require.Equal(t, "OK", string(response.Value.Text))
		run(t, client, command("INCR", "foo"))
	}
	require.Equal(t, "5", string(run(t, client, command("GET", "foo")).Value.Text))
	onAll(t, c, "CONFIG", "SET", "requirepass", "")
	dropClients(t, c)
	_, err := client.UpdatePassword(&PasswordUpdate{})
	require.NoError(t, err)
	run(t, client, command("INCR", "foo"))
}

func TestAUsersPasswordRotatesWithoutALostRequestOrANewConnection(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Replicas: cluster.NoReplicas})
	onAll(t, c, "ACL", "SETUSER", "app", "on", ">one", "~*", "+@all")
	client := open(t, Config{Username: "app", Password: "one"}, c.Addresses()[0])
	run(t, client, command("PING")) // every node has a connection now
	made := func() (n uint64) {
		statistics, err := client.Statistics()
		require.NoError(t, err)
		for _, node := range statistics.Nodes {
			n += node.Made
		}
		return n
	}
	before := made()
	onAll(t, c, "ACL", "SETUSER", "app", ">two")
	response, err := client.UpdatePassword(&PasswordUpdate{Password: "two", Immediate: true})
	require.NoError(t, err)
	require.Len(t, response.Outcomes, 3)
	onAll(t, c, "ACL", "SETUSER", "app", "<one")
	run(t, client, command("MSET", "foo", "1", "bar", "2", "b", "3"))
	require.Equal(t, before, made())
	dropClients(t, c)
	run(t, client, command("MSET", "foo", "1", "bar", "2", "b", "3"))
	require.Equal(t, "app", string(run(t, client, command("ACL", "WHOAMI")).Value.Text))
}

func TestConnectionsThatStandLogInBeforeTheirNextRequestEachOnce(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET", fakenode.Late(fakenode.Bulk("v"), 50*time.Millisecond))
	client := open(t, Config{RefreshEvery: -1, Password: "old"}, f.one.Address())
	twoAtOnce := func() {
		other := make(chan error, 1)
		go func() {
			_, err := client.Execute(command("GET", "foo"))
			other <- err
		}()
		run(t, client, command("GET", "foo"))
		require.NoError(t, <-other)
	}
	twoAtOnce()
	stood := f.three.Connections()
	response, err := client.UpdatePassword(&PasswordUpdate{Password: "new", Immediate: true})
	require.NoError(t, err)
	require.Len(t, response.Outcomes, 4)
	for range 3 {
		twoAtOnce()
	}
	require.Equal(t, stood, f.three.Connections())
	renewed := 0
	for connection := 1; connection <= stood; connection++ {
		auths := f.three.GotOn(connection, "AUTH")
		require.Equal(t, []string{"AUTH", "default", "old"}, auths[0])
		require.LessOrEqual(t, len(auths), 2)
		if len(auths) == 2 {
			require.Equal(t, []string{"AUTH", "default", "new"}, auths[1])
			renewed++
		}
	}
	require.Positive(t, renewed)
}

func TestWithoutImmediateTheConnectionsThatStandAreLeftAlone(t *testing.T) {
	f := fakeCluster(t)
	client := open(t, Config{RefreshEvery: -1, Password: "old"}, f.one.Address())
	run(t, client, command("SET", "foo", "1"))
	_, err := client.UpdatePassword(&PasswordUpdate{Password: "new"})
	require.NoError(t, err)
	run(t, client, command("SET", "foo", "1"))
	require.Len(t, f.three.Got("AUTH"), 1)
	f.three.CloseConnections()
	run(t, client, command("SET", "foo", "1"))
	require.Equal(t, []string{"AUTH", "default", "new"}, f.three.Got("AUTH")[1])
}

func TestANodeThatRefusesTheNewPasswordIsNamedAndNothingSecretIsSaid(t *testing.T) {
	f := fakeCluster(t)
	client := open(t, Config{RefreshEvery: -1, Password: "old sesame"}, f.one.Address())
	run(t, client, command("SET", "foo", "1"))
	f.three.On("AUTH", fakenode.Err("WRONGPASS invalid username-password pair or user is disabled."))
	response, err := client.UpdatePassword(&PasswordUpdate{Password: "new sesame", Immediate: true})
	var partial *Error
	require.ErrorAs(t, err, &partial)
	require.Equal(t, StatusPartial, partial.Status)
	require.Contains(t, partial.Message, f.three.Address())
	require.NotContains(t, partial.Message, "sesame")
	require.Len(t, response.Outcomes, 4)
	for _, outcome := range response.Outcomes {
		require.Equal(t, outcome.Node.Address.String() == f.three.Address(), outcome.Err != nil)
	}
	require.Equal(t, "WRONGPASS", failure(t, client, command("SET", "foo", "1")).Code)
	run(t, client, command("SET", "bar", "1"))
}

func TestNodesThatRefuseTheNewPasswordAreNotWaitedFor(t *testing.T) {
	f := fakeCluster(t)
	client := open(t, Config{RefreshEvery: -1, Password: "old"}, f.one.Address())
	for range 2 { // the second time over connections that stand
		run(t, client, command("PING").to(toAll))
	}
	for _, node := range []*fakenode.Node{f.one, f.two, f.three} {
		node.On("AUTH", fakenode.Err("WRONGPASS invalid username-password pair or user is disabled."))
	}
	response, err := client.UpdatePassword(&PasswordUpdate{Password: "new", Immediate: true})
	require.Error(t, err)
	refused := 0
	for _, outcome := range response.Outcomes {
		if outcome.Err != nil {
			require.Equal(t, "WRONGPASS", outcome.Err.Code, outcome.Err.Message)
			refused++
		}
	}
	require.Equal(t, 3, refused)
}

func TestNoPasswordCannotBeTriedAtOnce(t *testing.T) {
	client := openFakes(t, fakeCluster(t))
	_, err := client.UpdatePassword(&PasswordUpdate{Immediate: true})
	require.Equal(t, StatusInvalidArgument, err.(*Error).Status)
	require.ErrorContains(t, err, "immediate_auth needs a password")
	client.Close()
	_, err = client.UpdatePassword(&PasswordUpdate{Password: "p"})
	require.Equal(t, StatusClosed, err.(*Error).Status)
}
