package cluster

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// AddressesVariable names the environment variable with the addresses of a running cluster,
// which bindings/conformance/cluster/run sets.
const AddressesVariable = "GLIDE_TEST_CLUSTER"

// patience is how long Run waits for a cluster; two seconds are usual.
const patience = 60 * time.Second

// Run starts a cluster for one test, which fails if that is not possible.
func Run(t testing.TB, options Options) *Cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := Start(ctx, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// Shared returns the addresses of the cluster that GLIDE_TEST_CLUSTER names, or starts one of the
// usual shape for this test. Leave it as you find it: other tests may use it at the same time.
func Shared(t testing.TB) []string {
	t.Helper()
	if addresses := os.Getenv(AddressesVariable); addresses != "" {
		return strings.Split(addresses, ",")
	}
	return Run(t, Options{}).Addresses()
}
