package core

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// logLines are the lines logged since keepLog.
type logLines struct {
	mu    sync.Mutex
	lines []string
}

// keepLog keeps what is logged during a test, up to a level.
func keepLog(t *testing.T, level LogLevel) *logLines {
	kept := new(logLines)
	SetLog(level, func(level LogLevel, line string) {
		kept.mu.Lock()
		defer kept.mu.Unlock()
		kept.lines = append(kept.lines, level.String()+": "+line)
	})
	t.Cleanup(func() { SetLog(LogOff, nil) })
	return kept
}

func (k *logLines) all() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.lines)
}

// forget forgets what was logged so far.
func (k *logLines) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lines = nil
}

// has waits for a line that contains some text.
func (k *logLines) has(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return k.count(text) > 0 }, 10*time.Second, time.Millisecond, text)
}

func (k *logLines) count(text string) (n int) {
	for _, line := range k.all() {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

func TestConnectionsThatAreMadeLostAndRefusedAreLogged(t *testing.T) {
	log := keepLog(t, LogInfo)
	f := fakeCluster(t)
	client := openFakes(t, f)
	log.has(t, "info: a client of ["+f.one.Address()+"] is open")
	f.three.Refuse()
	failure(t, client, command("SET", "foo", "1"))
	require.Equal(t, 1, log.count("warn: no connection to "+f.three.Address()), "of many in a row only the first is news: %q", log.all())
	require.NoError(t, f.three.Listen())
	run(t, client, command("SET", "foo", "1"))
	log.has(t, "info: connected to "+f.three.Address())
	f.three.On("INCR foo", fakenode.Hangup())
	failure(t, client, command("INCR", "foo"))
	log.has(t, "warn: lost the connection to "+f.three.Address()+": the server closed it")
	log.forget()
	client.Close()
	require.Contains(t, log.all(), "info: disconnected from "+f.one.Address())
	require.Contains(t, log.all(), "info: a client of ["+f.one.Address()+"] is closed")
	require.Zero(t, log.count("warn"))
}

func TestAPasswordThatIsRefusedIsLoggedWithTheWordsOfTheServer(t *testing.T) {
	log := keepLog(t, LogWarn)
	node := fakenode.Start(t)
	node.On("AUTH", fakenode.Err("WRONGPASS invalid username-password pair or user is disabled."))
	_, err := Open(Config{Addresses: []routing.Address{mustParse(node.Address())}, Password: "p"})
	require.Error(t, err)
	require.Equal(t, []string{
		"warn: no connection to " + node.Address() + ": WRONGPASS invalid username-password pair or user is disabled.",
		"warn: " + node.Address() + " does not tell the topology: WRONGPASS invalid username-password pair or user is disabled.",
	}, log.all())
}

func TestChangesOfTheTopologyAreLoggedAndLooksThatFindNoneAreNot(t *testing.T) {
	log := keepLog(t, LogInfo)
	f := fakeCluster(t)
	client := openFakes(t, f)
	require.Contains(t, log.all(), fmt.Sprintf("info: topology of epoch 7, 4 nodes: %s (primary) joined, %s (primary) joined, %s (primary) joined, %s (replica) joined",
		f.one.Address(), f.two.Address(), f.three.Address(), f.replica.Address()))
	log.forget()
	client.refresh(t.Context())
	require.Zero(t, log.count("topology"), log.all())
	for _, node := range []*fakenode.Node{f.one, f.two, f.three, f.replica} {
		node.On("CLUSTER SLOTS", fakenode.Slots(
			fakenode.Serves(0, 10922, f.two.Endpoint()),
			fakenode.Serves(10923, 16383, f.replica.Endpoint(), f.three.Endpoint())))
		node.On("CLUSTER INFO", fakenode.Bulk("cluster_current_epoch:8\r\n"))
	}
	client.refresh(t.Context())
	change := log.all()
	at := slices.IndexFunc(change, func(line string) bool { return strings.HasPrefix(line, "info: topology of epoch 8, 3 nodes: ") })
	require.GreaterOrEqual(t, at, 0, change)
	require.Contains(t, change[at], f.three.Address()+" is a replica now")
	require.Contains(t, change[at], f.replica.Address()+" is a primary now")
	require.Contains(t, change[at], f.one.Address()+" left")
}

func TestALookThatNobodyAnswersIsLoggedOnceAndWhoRefusedIsNamed(t *testing.T) {
	log := keepLog(t, LogWarn)
	f := fakeCluster(t)
	client := openFakes(t, f)
	for _, node := range []*fakenode.Node{f.one, f.two, f.three, f.replica} {
		node.On("CLUSTER SLOTS", fakenode.Err("NOPERM User app has no permissions to run the 'cluster|slots' command"))
	}
	client.refresh(t.Context())
	client.refresh(t.Context())
	require.Equal(t, 1, log.count("warn: nobody tells the topology: no usable server: "), log.all())
	log.has(t, "warn: "+f.two.Address()+" does not tell the topology: NOPERM User app has no permissions to run the ...")
}

func TestRedirectsAndWhatIsSentAgainAreLoggedForDebuggingOnly(t *testing.T) {
	redirecting := func() (*fakes, *Client) {
		f := fakeCluster(t)
		f.three.On("SET foo", moved(12182, f.one))
		f.three.On("INCR {foo}2", fakenode.Err("TRYAGAIN Multiple keys request during rehashing of slot"), fakenode.Int(1))
		return f, openFakes(t, f)
	}
	log := keepLog(t, LogInfo)
	_, client := redirecting()
	run(t, client, command("INCR", "{foo}2"))
	run(t, client, command("SET", "foo", "1"))
	require.Zero(t, log.count("SET")+log.count("INCR"), log.all())
	log = keepLog(t, LogDebug)
	f, client := redirecting()
	run(t, client, command("INCR", "{foo}2"))
	log.has(t, fmt.Sprintf("debug: INCR (slot 12182) goes again, to %s (primary), after: TRYAGAIN Multiple keys", f.three.Address()))
	run(t, client, command("SET", "foo", "1"))
	log.has(t, fmt.Sprintf("debug: SET (slot 12182): %s (primary) redirects: MOVED 12182 %s", f.three.Address(), f.one.Address()))
}

func TestACertificateThatCannotBeReadAnewIsLogged(t *testing.T) {
	log := keepLog(t, LogWarn)
	folder := t.TempDir()
	files := certFiles{cert: filepath.Join(folder, "cert"), key: filepath.Join(folder, "key"), every: time.Nanosecond}
	require.NoError(t, os.WriteFile(files.cert, []byte("half"), 0o600))
	require.NoError(t, os.WriteFile(files.key, []byte("marked"), 0o600))
	_, err := files.present(nil)
	require.NoError(t, err)
	require.Equal(t, []string{"warn: the client certificate is not read anew, the last one serves: client_cert_path and client_key_path: tls: failed to find any PEM data in certificate input"}, log.all())
}

func TestOfPanicsAtOnePlaceTheFirstIsLoggedWithItsStack(t *testing.T) {
	log := keepLog(t, LogError)
	faults.Clear()
	faulty := func() (failed *Error) {
		defer func() { failed = Panicked(recover()) }()
		panic("on purpose")
	}
	for range 3 {
		failed := faulty()
		require.Equal(t, StatusInternal, failed.Status)
		require.Regexp(t, `^panic: on purpose at \S*/log_test.go:\d+$`, failed.Message)
	}
	lines := log.all()
	require.Len(t, lines, 3)
	require.Contains(t, lines[0], "core.TestOfPanicsAtOnePlaceTheFirstIsLoggedWithItsStack.func1()")
	require.NotContains(t, lines[1], "\n")
	require.True(t, strings.HasSuffix(lines[2], ", again"))
}

func TestARequestThatSucceedsAtOnceLogsNothing(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	all := []*Request{command("SET", "foo", "1"), command("GET", "foo"), command("MGET", "a", "b", "c"), command("PING")}
	for _, request := range all {
		run(t, client, request) // every node has a connection now
	}
	log := keepLog(t, LogDebug)
	for _, request := range all {
		run(t, client, request)
	}
	require.Empty(t, log.all())
}

func TestWhatALineOfTheServerQuotesOfTheCommandIsLeftOut(t *testing.T) {
	for line, left := range map[string]string{
		"ERR unknown command 'sesame', with args beginning with: 'open' ": "ERR unknown command ...",
		"ERR Error in ACL SETUSER modifier 'sesame': Syntax error":        "ERR Error in ACL SETUSER modifier ...",
		"ERR Can't BLPOP":        "ERR Can't BLPOP",
		"ERR unknown `sesame`":   "ERR unknown ...",
		`ERR say "sesame" 'now'`: "ERR say ...",
		"WRONGTYPE Operation against a key holding the wrong kind of value": "WRONGTYPE Operation against a key holding the wrong kind of value",
	} {
		require.Equal(t, left, disclosed(line))
	}
}

func TestSecretsAreNeitherInErrorsNorStatisticsNorLines(t *testing.T) {
	const mark = "s3same"
	log := keepLog(t, LogDebug)
	c := cluster.Run(t, cluster.Options{Replicas: cluster.NoReplicas})
	onAll(t, c, "ACL", "SETUSER", "app", "on", ">"+mark+"1", "~*", "+@all")
	client := open(t, Config{Username: "app", Password: mark + "1"}, c.Addresses()[0])
	var said []string
	try := func(response Response, err error) {
		said = append(said, fmt.Sprintf("%v %+v", err, response))
		for _, outcome := range response.Outcomes {
			said = append(said, fmt.Sprintf("%+v", outcome.Err))
		}
	}
	try(client.UpdatePassword(&PasswordUpdate{Password: mark + "2", Immediate: true})) // refused
	dropClients(t, c)
	try(client.Execute(command("GET", "foo"))) // refused with the new one
	onAll(t, c, "ACL", "SETUSER", "app", ">"+mark+"2")
	try(client.UpdatePassword(&PasswordUpdate{Password: mark + "2", Immediate: true}))
	for _, words := range [][]string{
		{"AUTH", mark}, {"AUTH", "app", mark}, {"HELLO", "3", "AUTH", "app", mark}, {"CONFIG", "SET", "masterauth", mark},
		{"CONFIG", "SET", "primaryauth", mark}, {"ACL", "SETUSER", "other", "on", ">" + mark}, {"ACL", "DELUSER", "other"},
		{"CONFIG", "SET", "requirepass", mark}, {"CONFIG", "SET", "requirepass", ""},
		{"MIGRATE", "127.0.0.1", "1", "foo", "0", "10", "AUTH", mark},
	} {
		try(client.Execute(command(words...)))
		for _, atomic := range []bool{false, true} {
			batch := &BatchRequest{Batch: routing.Batch{Atomic: atomic}}
			batch.Commands = append(batch.Commands, command(words...).Words, command("SET", "foo", "1").Words)
			try(client.ExecuteBatch(batch))
		}
	}
	_, err := Open(Config{Addresses: client.config.Addresses, Username: "app", Password: mark + "3"})
	try(Response{}, err)
	_, err = Open(Config{Addresses: client.config.Addresses, TLS: &TLS{ClientCert: []byte(mark), ClientKey: []byte(mark)}})
	try(Response{}, err)
	// What a server quotes is the answer of who asked, but nobody else's.
	quoted := failure(t, client, command("ACL", "SETUSER", "other", mark))
	require.Contains(t, quoted.Message, mark)
	statistics := statisticsOf(t, client)
	for _, node := range statistics.Nodes {
		said = append(said, fmt.Sprintf("%+v %+v", node, node.LastError))
	}
	said = append(said, fmt.Sprintf("%+v", statistics.Config), fmt.Sprintf("%+v", client.Topology().Nodes()))
	client.Close()
	require.Greater(t, len(said), 30)
	require.NotEmpty(t, log.all())
	for _, text := range append(said, log.all()...) {
		require.NotContains(t, text, mark)
	}
}
