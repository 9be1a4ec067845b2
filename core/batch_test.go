package core

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

func batchOf(atomic bool, commands ...[]string) *BatchRequest {
	request := new(BatchRequest)
	request.Atomic = atomic
	for _, words := range commands {
		request.Commands = append(request.Commands, command(words...).Words)
	}
	return request
}

func runBatch(t testing.TB, client *Client, request *BatchRequest) []routing.Value {
	t.Helper()
	response, err := client.ExecuteBatch(request)
	require.NoError(t, err)
	return response.Value.Items
}

func TestABatchOverAllShardsAnswersInTheOrderOfItsCommands(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	request := batchOf(false)
	for i := range 100 {
		key := "batch" + strconv.Itoa(i)
		request.Commands = append(request.Commands, command("SET", key, strconv.Itoa(i)).Words, command("GET", key).Words)
	}
	request.Commands = append(request.Commands, command("MGET", "batch3", "none", "batch7").Words, command("LPUSH", "batch1", "x").Words)
	results := runBatch(t, client, request)
	for i := range 100 {
		require.Equal(t, routing.Simple("OK"), results[2*i])
		require.Equal(t, routing.Bulk(strconv.Itoa(i)), results[2*i+1])
	}
	require.Equal(t, routing.ArrayOf(routing.Bulk("3"), routing.Value{}, routing.Bulk("7")), results[200])
	require.Equal(t, "WRONGTYPE", results[201].ErrorCode())
	request.Raise = true
	_, err := client.ExecuteBatch(request)
	var refused *Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "WRONGTYPE", refused.Code)
}

func TestATransactionRunsWholeOrNotAtAll(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	run(t, client, command("DEL", "{tx}a", "{tx}b"))
	results := runBatch(t, client, batchOf(true, []string{"INCR", "{tx}a"}, []string{"LPUSH", "{tx}a", "x"}, []string{"INCR", "{tx}b"}))
	require.Equal(t, routing.Integer(1), results[0])
	require.Equal(t, "WRONGTYPE", results[1].ErrorCode())
	require.Equal(t, routing.Integer(1), results[2])
	_, err := client.ExecuteBatch(batchOf(true, []string{"INCR", "{tx}a"}, []string{"INCR"}))
	var refused *Error
	require.ErrorAs(t, err, &refused)
	require.Contains(t, refused.Message, "wrong number of arguments", "not EXECABORT")
	require.Equal(t, "1", string(run(t, client, command("GET", "{tx}a")).Value.Text))
}

func TestTransactionsOfManyCallersDoNotMix(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	run(t, client, command("DEL", "{mix}a", "{mix}b"))
	var callers sync.WaitGroup
	for range 16 {
		callers.Go(func() {
			for range 50 {
				response, err := client.ExecuteBatch(batchOf(true, []string{"INCR", "{mix}a"}, []string{"INCR", "{mix}b"}))
				if results := response.Value.Items; err != nil || results[0].Integer != results[1].Integer {
					t.Errorf("%v %v", results, err)
				}
			}
		})
	}
	callers.Wait()
}

func TestASlotMovedDuringABatchSendsOnlyItsOwnCommandsAgain(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("SET foo", moved(12182, f.two))
	f.three.On("INCR other", fakenode.Int(1)) // slot 12330, of the same node
	results := runBatch(t, openFakes(t, f), batchOf(false, []string{"SET", "foo", "1"}, []string{"INCR", "other"}, []string{"SET", "bar", "2"}))
	require.Equal(t, []routing.Value{routing.Simple("OK"), routing.Integer(1), routing.Simple("OK")}, results)
	require.Len(t, f.two.Got("SET foo"), 1)
	require.Len(t, f.three.Got("INCR"), 1)
	require.Len(t, f.one.Got("SET bar"), 1)
}

func TestAPartWhoseReplyWasLostKeepsTheResultsOfTheOthers(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("INCR foo", fakenode.Hangup())
	f.one.On("INCR bar", fakenode.Int(1))
	response, err := openFakes(t, f).ExecuteBatch(batchOf(false, []string{"INCR", "foo"}, []string{"INCR", "bar"}))
	require.NoError(t, err)
	require.Equal(t, routing.Integer(1), response.Value.Items[1])
	require.Nil(t, response.Failures[1])
	lost := response.Failures[0]
	require.Equal(t, routing.ErrorReply(lost.Message), response.Value.Items[0])
	require.Contains(t, lost.Message, "INCR (slot 12182): connection to "+f.three.Address())
	lost.Message = ""
	require.Equal(t, &Error{Status: StatusConnection, Node: f.three.Address(), Sent: true}, lost)
	require.Len(t, f.three.Got("INCR"), 1)
}

func TestAFailedResultOfABatchTellsItsNodeAndWhetherItMayGoAgain(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("INCR foo", fakenode.Err("WRONGTYPE x"))
	f.one.On("INCR bar", fakenode.Err("CLUSTERDOWN x"))
	f.two.Refuse()
	request := batchOf(false, []string{"INCR", "foo"}, []string{"INCR", "bar"}, []string{"INCR", "c"}, []string{"SET", "foo", "1"})
	request.Timeout = 300 * time.Millisecond
	response, err := openFakes(t, f).ExecuteBatch(request)
	require.NoError(t, err)
	require.Equal(t, &Error{StatusServer, "WRONGTYPE x", "WRONGTYPE", f.three.Address(), true, false, nil}, response.Failures[0])
	require.Equal(t, &Error{StatusServer, "CLUSTERDOWN x", "CLUSTERDOWN", f.one.Address(), true, true, nil}, response.Failures[1])
	unsent := response.Failures[2]
	require.False(t, unsent.Sent)
	require.True(t, unsent.Retryable)
	require.Equal(t, f.two.Address(), unsent.Node)
	require.Equal(t, routing.Simple("OK"), response.Value.Items[3])
	require.Nil(t, response.Failures[3])
}

func TestACommandOfABatchThatFailedOnSomeNodesNamesThem(t *testing.T) {
	f := fakeCluster(t)
	for _, node := range []*fakenode.Node{f.one, f.two} {
		node.On("DBSIZE", fakenode.Int(1))
	}
	f.three.On("DBSIZE", fakenode.Err("NOPERM x"))
	response, err := openFakes(t, f).ExecuteBatch(batchOf(false, []string{"DBSIZE"}))
	require.NoError(t, err)
	failed := response.Failures[0]
	require.Equal(t, StatusPartial, failed.Status)
	require.Equal(t, "DBSIZE: 1 of 3 targets failed; "+f.three.Address()+": NOPERM x", failed.Message)
}

func TestAnAnswerOfEachNodeIsAMapAmongTheResultsOfABatch(t *testing.T) {
	f := fakeCluster(t)
	for _, node := range []*fakenode.Node{f.one, f.two, f.three, f.replica} {
		node.On("BGSAVE", fakenode.Simple(node.Address()))
	}
	results := runBatch(t, openFakes(t, f), batchOf(false, []string{"BGSAVE"}))
	require.Equal(t, routing.KindMap, results[0].Kind)
	require.NotEmpty(t, results[0].Items)
	for i := 0; i < len(results[0].Items); i += 2 {
		require.Equal(t, results[0].Items[i].Text, results[0].Items[i+1].Text)
	}
}

func TestAnErrorInsideATransactionThatRanIsNotToGoAgain(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("EXEC", fakenode.Array(fakenode.Err("LOADING x"), fakenode.Int(1)))
	response, err := openFakes(t, f).ExecuteBatch(batchOf(true, []string{"INCR", "foo"}, []string{"INCR", "foo"}))
	require.NoError(t, err)
	require.Equal(t, &Error{StatusServer, "LOADING x", "LOADING", f.three.Address(), true, false, nil}, response.Failures[0])
	require.Nil(t, response.Failures[1])
}

func TestACommandThatMayRunTwiceIsSentOnceMoreAfterItsReplyWasLost(t *testing.T) {
	for _, atomic := range []bool{false, true} {
		f := fakeCluster(t)
		f.three.On("INCR foo", fakenode.Hangup(), fakenode.Int(2))
		f.three.On("EXEC", fakenode.Array(fakenode.Int(2)))
		request := batchOf(atomic, []string{"INCR", "foo"})
		request.Repeat = true
		require.Equal(t, []routing.Value{routing.Integer(2)}, runBatch(t, openFakes(t, f), request))
		require.Len(t, f.three.Got("INCR"), 2)
	}
}

func TestAPartThatWasNeverWrittenGoesAgainInItsOrder(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	f.three.Refuse()
	time.AfterFunc(100*time.Millisecond, func() { _ = f.three.Listen() })
	request := batchOf(false)
	for i := range 20 {
		request.Commands = append(request.Commands, command("SET", "foo", strconv.Itoa(i)).Words)
	}
	runBatch(t, client, request)
	got := f.three.Got("SET")
	require.Len(t, got, 20)
	for i, words := range got {
		require.Equal(t, strconv.Itoa(i), words[2])
	}
}

func TestATransactionThatWasRefusedBeforeExecGoesAgainAsAWhole(t *testing.T) {
	abort := fakenode.Err("EXECABORT Transaction discarded because of previous errors.")
	for name, refusal := range map[string]func(*fakes) fakenode.Value{
		"MOVED": func(f *fakes) fakenode.Value { return moved(12182, f.two) },
		"ASK":   func(f *fakes) fakenode.Value { return fakenode.Err("ASK 12182 " + f.two.Address()) },
	} {
		f := fakeCluster(t)
		f.three.On("SET foo", refusal(f))
		f.three.On("EXEC", abort)
		f.two.On("SET foo", fakenode.Simple("QUEUED"))
		f.two.On("EXEC", fakenode.Array(fakenode.Simple("OK")))
		results := runBatch(t, openFakes(t, f), batchOf(true, []string{"SET", "foo", "1"}))
		require.Equal(t, []routing.Value{routing.Simple("OK")}, results, name)
		var sent []string
		for _, words := range f.two.Got("ASKING", "MULTI", "SET", "EXEC") {
			sent = append(sent, words[0])
		}
		if name == "ASK" {
			require.Equal(t, []string{"ASKING", "MULTI", "SET", "EXEC"}, sent)
		} else {
			require.Equal(t, []string{"MULTI", "SET", "EXEC"}, sent)
		}
	}
}

func TestATransactionWhoseReplyWasLostIsNotSentAgain(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("EXEC", fakenode.Hangup())
	_, err := openFakes(t, f).ExecuteBatch(batchOf(true, []string{"INCR", "foo"}))
	var lost *Error
	require.ErrorAs(t, err, &lost)
	require.True(t, lost.Sent)
	require.Contains(t, lost.Message, "transaction (slot 12182): connection to "+f.three.Address())
	require.Len(t, f.three.Got("EXEC"), 1)
}

func TestATransactionGivenUpIsNil(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("EXEC", fakenode.Nil())
	response, err := openFakes(t, f).ExecuteBatch(batchOf(true, []string{"SET", "foo", "1"}))
	require.NoError(t, err)
	require.True(t, response.Value.IsNil())
}

func TestABatchWithACommandThatCannotBeIsNotSentAtAll(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	for _, words := range [][]string{{"MULTI"}, {"SELECT", "1"}, {""}} {
		_, err := client.ExecuteBatch(batchOf(false, []string{"SET", "foo", "1"}, words))
		var refused *Error
		require.ErrorAs(t, err, &refused)
		require.Equal(t, StatusInvalidArgument, refused.Status)
	}
	require.Empty(t, f.three.Got("SET"))
}
