package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"unsafe"
)

const exitNotFound = 127

// execute runs a command to its end, passes signals on to it and returns its exit code.
//
// Ctrl-C reaches everything in the foreground of the terminal, so the command gets it without us
// and must not get it twice. In the background, or without a terminal, the command gets a process
// group of its own, and that whole group every signal.
func execute(words, variables []string, signals <-chan os.Signal) int {
	foreground := inForeground()
	command := exec.Command(words[0], words[1:]...)
	command.Env = append(os.Environ(), variables...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.SysProcAttr = attributes()
	command.SysProcAttr.Setpgid = !foreground
	if err := command.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitNotFound
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	for {
		select {
		case err := <-ended:
			return exitCode(err)
		case signal := <-signals:
			switch {
			case !foreground:
				syscall.Kill(-command.Process.Pid, signal.(syscall.Signal))
			case signal != syscall.SIGINT && signal != syscall.SIGQUIT:
				command.Process.Signal(signal)
			}
		}
	}
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return exitNoStart
		}
		return 0
	}
	if status := exit.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}

// inForeground tells whether this process is in the foreground of a terminal.
func inForeground() bool {
	terminal, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer terminal.Close()
	var group int32
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, terminal.Fd(), syscall.TIOCGPGRP,
		uintptr(unsafe.Pointer(&group)))
	return errno == 0 && int(group) == syscall.Getpgrp()
}
