package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The README's requests, in a shell as a person pastes them.
func TestTheReadmesRequestsAreAnswered(t *testing.T) {
	if out, err := exec.Command("curl", "--help", "all").Output(); err != nil || !strings.Contains(string(out), "--json") {
		t.Skip("the README is written for curl 7.82 or later")
	}
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```sh\nURL=.*?\n```").Find(text)
	if block == nil {
		t.Fatal("the README has no block of requests")
	}
	backend := start(t)
	script := strings.Trim(string(block), "`")
	script = strings.ReplaceAll(strings.TrimPrefix(script, "sh\n"), "http://127.0.0.1:8080", backend.url)
	script = "set -euo pipefail\ncurl() { command curl --fail-with-body \"$@\"; echo; }\n" + script

	told, err := exec.CommandContext(backend.ctx, "bash", "-c", script).CombinedOutput()

	if err != nil || strings.Contains(string(told), `"error"`) {
		t.Errorf("%v:\n%s", err, told)
	}
	for _, expected := range []string{"## energy", `"verdict":"warn"`, `"status":`, "measurements.parquet"} {
		if !strings.Contains(string(told), expected) {
			t.Errorf("no %s in\n%s", expected, told)
		}
	}
}
