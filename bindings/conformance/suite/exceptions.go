package suite

import (
	"encoding/json"
	"fmt"
	"os"
)

// Exceptions are the vectors whose expectation is wrong for this project, by their ids.
type Exceptions map[string]Exception

// Exception says why a vector is wrong and what is right instead: members that take the place of
// those of its `expect`, null for one that is taken out. Without any, the vector is not judged.
type Exception struct {
	Reason string                     `json:"reason"`
	Expect map[string]json.RawMessage `json:"expect"`
}

// LoadExceptions reads a file of exceptions.
func LoadExceptions(path string) (Exceptions, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var exceptions Exceptions
	if err := decode(text, &exceptions); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for id, exception := range exceptions {
		if exception.Reason == "" {
			return nil, fmt.Errorf("%s: %s has no reason", path, id)
		}
	}
	return exceptions, nil
}
