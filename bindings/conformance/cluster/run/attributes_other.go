//go:build unix && !linux

package main

import "syscall"

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

func endWithGoRun() {}
