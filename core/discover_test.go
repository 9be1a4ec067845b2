package core

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

func TestWhereTheFirstAddressTellsTheTopologyNobodyElseIsAsked(t *testing.T) {
	f := fakeCluster(t)
	open(t, Config{RefreshEvery: -1}, f.one.Address(), f.two.Address(), f.three.Address())
	time.Sleep(2 * headStart)
	require.Zero(t, f.two.Connections()+f.three.Connections())
}

func TestWhereTheFirstAddressDoesNotServeTheOthersAreAsked(t *testing.T) {
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	for name, said := range map[string]fakenode.Reply{
		"silence":     fakenode.Func(func([]string) fakenode.Reply { <-never; return fakenode.Simple("OK") }),
		"a refusal":   fakenode.Err("NOPERM not for you"),
		"nonsense":    fakenode.Raw("*1\r\n*1\r\n+x\r\n"),
		"it hangs up": fakenode.Half(fakenode.Simple("O")),
	} {
		t.Run(name, func(t *testing.T) {
			f := fakeCluster(t)
			odd := fakenode.Start(t)
			odd.On("CLUSTER SLOTS", said)
			client := open(t, Config{RefreshEvery: -1}, odd.Address(), f.one.Address(), f.two.Address())
			require.Len(t, client.Topology().Shards(), 3)
		})
	}
}

func TestAFailureToOpenTellsOfEveryAddress(t *testing.T) {
	config := Config{RefreshEvery: -1}
	for range 3 {
		odd := fakenode.Start(t)
		odd.On("CLUSTER SLOTS", fakenode.Err("NOPERM not for you"))
		address, err := routing.ParseAddress(odd.Address())
		require.NoError(t, err)
		config.Addresses = append(config.Addresses, address)
	}
	_, err := Open(config)
	require.Error(t, err)
	for _, address := range config.Addresses {
		require.Equal(t, 1, strings.Count(err.Error(), address.String()), err)
	}
}
