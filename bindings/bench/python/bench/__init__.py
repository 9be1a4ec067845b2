"""The benchmark: this library side by side with its peers. See ../../README.md."""
