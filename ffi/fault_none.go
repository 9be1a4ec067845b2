//go:build !faults

package main

func fault(string) {}

func longest() int { return maxResponse }
