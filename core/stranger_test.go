package core

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// withPassword opens a client that has a password to lose.
func withPassword(t *testing.T, f *fakes, config Config) *Client {
	config.RefreshEvery, config.RequestTimeout = -1, time.Second
	config.Username, config.Password = "app", "s3cret"
	return open(t, config, f.one.Address())
}

func asks(slot int, to *fakenode.Node) fakenode.Value {
	return fakenode.Err(fmt.Sprintf("ASK %d %s", slot, to.Address()))
}

// stranger is a node that answers everything and is in no topology.
func stranger(t *testing.T) *fakenode.Node {
	foreign := fakenode.Start(t)
	foreign.Otherwise(fakenode.Simple("OK"))
	return foreign
}

func TestARedirectToAStrangerIsNotFollowedByAClientWithAPassword(t *testing.T) {
	for name, redirect := range map[string]func(int, *fakenode.Node) fakenode.Value{"MOVED": moved, "ASK": asks} {
		f, foreign := fakeCluster(t), stranger(t)
		f.three.On("SET foo", redirect(12182, foreign))
		client := withPassword(t, f, Config{})
		refused := failure(t, client, command("SET", "foo", "1"))
		require.Equal(t, StatusServer, refused.Status)
		require.Equal(t, name, refused.Code)
		require.Contains(t, refused.Message, "not followed: "+f.three.Address()+" names no such node of its cluster")
		require.NotContains(t, refused.Message, "s3cret")
		require.Nil(t, client.Topology().Find(mustParse(foreign.Address())))
		client.refresh(t.Context())
		require.Zero(t, foreign.Connections(), "nor is it asked for the topology")
		f.three.On("SET foo", fakenode.Simple("OK"))
		run(t, client, command("SET", "foo", "1"))
	}
}

func TestABatchAndASessionDoNotLogInWithAStrangerEither(t *testing.T) {
	f, foreign := fakeCluster(t), stranger(t)
	f.three.On("SET foo", moved(12182, foreign))
	f.three.On("WATCH foo", moved(12182, foreign))
	client := withPassword(t, f, Config{})
	results := runBatch(t, client, batchOf(false, []string{"SET", "foo", "1"}, []string{"SET", "{foo}2", "1"}))
	require.Equal(t, "MOVED", results[0].ErrorCode())
	require.Equal(t, routing.Simple("OK"), results[1])
	session, err := client.OpenSession(keyRoute(routing.Primary, "foo"), 0)
	require.NoError(t, err)
	_, err = session.Execute(command("WATCH", "foo"))
	require.ErrorContains(t, err, "MOVED")
	require.Nil(t, client.Topology().Find(mustParse(foreign.Address())))
	require.Zero(t, foreign.Connections())
}

func TestARedirectToANodeThatTheRedirectingOneNamesIsFollowed(t *testing.T) {
	f, joined := fakeCluster(t), stranger(t)
	f.three.On("CLUSTER NODES", fakenode.Bulk(fmt.Sprintf("%s 127.0.0.1:%d@1,joined.test master - 0 0 9 connected\n", joined.ID(), joined.Port())))
	f.three.On("SET foo", asks(12182, joined))
	client := withPassword(t, f, Config{})
	for range 5 {
		require.Equal(t, joined.Address(), run(t, client, command("SET", "foo", "1").to(keyRoute(routing.Primary, "foo"))).Outcomes[0].ServedBy.String())
	}
	require.Contains(t, joined.Got("AUTH"), []string{"AUTH", "app", "s3cret"})
	require.Len(t, f.three.Got("CLUSTER NODES"), 1, "its word stands for a while")
}

func TestWhoMayNotSeeTheNodesIsToldByTheSlots(t *testing.T) {
	f, joined := fakeCluster(t), stranger(t)
	client := withPassword(t, f, Config{})
	f.three.On("CLUSTER NODES", fakenode.Err("NOPERM User app has no permissions to run the 'cluster|nodes' command"))
	f.three.On("CLUSTER SLOTS", fakenode.Slots(fakenode.Serves(12182, 12182, joined.Endpoint())))
	f.three.On("SET foo", moved(12182, joined))
	run(t, client, command("SET", "foo", "1"))
	require.Len(t, joined.Got("SET"), 1)
}

func TestAQuestionAboutAStrangerThatIsNotAnsweredIsAskedAgain(t *testing.T) {
	f, joined := fakeCluster(t), stranger(t)
	f.three.On("CLUSTER NODES", fakenode.Hangup(), fakenode.Bulk(fmt.Sprintf("%s %s@1 master - 0 0 9 connected\n", joined.ID(), joined.Address())))
	f.three.On("SET foo", moved(12182, joined))
	run(t, withPassword(t, f, Config{}), command("SET", "foo", "1"))
	require.Len(t, joined.Got("SET"), 1)
}

func TestAStrangerIsFollowedWithoutAPasswordAndWhereTheOptionSaysSo(t *testing.T) {
	f, foreign := fakeCluster(t), stranger(t)
	f.three.On("SET foo", moved(12182, foreign))
	run(t, openFakes(t, f), command("SET", "foo", "1"))
	require.Empty(t, foreign.Got("AUTH"))
	run(t, withPassword(t, f, Config{TrustRedirects: true}), command("SET", "foo", "1"))
	require.Contains(t, foreign.Got("AUTH"), []string{"AUTH", "app", "s3cret"})
}

func TestAPasswordThatAClientIsGivenLaterIsKeptFromStrangersToo(t *testing.T) {
	f, foreign := fakeCluster(t), stranger(t)
	f.three.On("SET foo", moved(12182, foreign))
	client := openFakes(t, f)
	_, err := client.UpdatePassword(&PasswordUpdate{Password: "s3cret"})
	require.NoError(t, err)
	require.Equal(t, "MOVED", failure(t, client, command("SET", "foo", "1")).Code)
	require.Zero(t, foreign.Connections())
}

func TestAScriptCannotLeadAClientToAStranger(t *testing.T) {
	c, foreign := cluster.Run(t, cluster.Options{Replicas: cluster.NoReplicas, Password: "s3cret"}), stranger(t)
	client := open(t, Config{Password: "s3cret"}, c.Addresses()[0])
	lie := fmt.Sprintf("return server.error_reply('MOVED 12182 %s')", foreign.Address())
	require.Equal(t, "MOVED", failure(t, client, command("EVAL", lie, "1", "foo")).Code)
	require.Zero(t, foreign.Connections())
	run(t, client, command("SET", "foo", "1"))
}

func TestANodeThatHasJustJoinedIsFollowedToByAClientWithAPassword(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Replicas: cluster.NoReplicas, Password: "s3cret"})
	client := open(t, Config{RefreshEvery: -1, Password: "s3cret"}, c.Addresses()[0])
	run(t, client, command("SET", "foo", "1"))
	joined, err := c.Add(t.Context(), nil)
	require.NoError(t, err)
	require.NoError(t, c.BeginMigration(t.Context(), 12182, joined))
	asked := run(t, client, command("SET", "{foo}new", "1").to(keyRoute(routing.Primary, "foo")))
	require.Equal(t, joined.Address(), asked.Outcomes[0].ServedBy.String(), "by ASK, without a slot of its own")
	require.NoError(t, c.FinishMigration(t.Context(), 12182))
	require.Equal(t, "1", string(run(t, client, command("GET", "foo")).Value.Text), "by MOVED")
}
