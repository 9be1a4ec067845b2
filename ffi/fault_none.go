//go:build !faults

package main

func fault(string) {}
