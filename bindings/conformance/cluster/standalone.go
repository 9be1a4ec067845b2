package cluster

import (
	"context"
	"errors"
	"fmt"
)

// StartStandalone starts one server that is not a cluster. Node.Stop ends it and removes its
// folder. Of the options only Host, Password and Args have a meaning here.
func StartStandalone(ctx context.Context, options Options) (*Node, error) {
	if options.Shards != 0 || options.Replicas != 0 || options.Hostname != "" {
		return nil, errors.New("start a standalone server: it has no shards, replicas or cluster hostname")
	}
	options, err := options.filled()
	if err != nil {
		return nil, err
	}
	binary, err := Server()
	if err != nil {
		return nil, err
	}
	folder, err := newFolder()
	if err != nil {
		return nil, err
	}
	n, err := start(ctx, binary, folder.path, options, false)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start a standalone server: %w", err), folder.remove())
	}
	n.parent = folder
	return n, nil
}
