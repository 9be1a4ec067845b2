package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"libglide/bindings/conformance/cluster"
)

// servers are all that run.
type servers struct {
	cluster   *cluster.Cluster
	open      *cluster.Node // without a password; nil where not asked for
	protected *cluster.Node // with a password; nil where not asked for
}

// start returns what it could start also with an error.
func start(ctx context.Context, options cluster.Options, standalone bool) (*servers, error) {
	s := &servers{}
	var err error
	if s.cluster, err = cluster.Start(ctx, options); err != nil || !standalone {
		return s, err
	}
	alone := cluster.Options{Host: options.Host}
	if s.open, err = cluster.StartStandalone(ctx, alone); err != nil {
		return s, err
	}
	alone.Password = password
	s.protected, err = cluster.StartStandalone(ctx, alone)
	return s, err
}

// environment says where the servers are, as NAME=value.
func (s *servers) environment() []string {
	variables := []string{cluster.AddressesVariable + "=" + strings.Join(s.cluster.Addresses(), ",")}
	if path, err := cluster.Server(); err == nil {
		variables = append(variables, cluster.ServerVariable+"="+path)
	}
	if s.protected != nil {
		variables = append(variables,
			"GLIDE_TEST_STANDALONE="+s.open.Address(), "GLIDE_TEST_PASSWORD="+s.protected.Address())
	}
	return variables
}

func (s *servers) stop() {
	var errs []error
	if s.cluster != nil {
		errs = append(errs, s.cluster.Stop())
	}
	for _, n := range []*cluster.Node{s.open, s.protected} {
		if n != nil {
			errs = append(errs, n.Stop())
		}
	}
	for _, err := range errs {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}
