package main

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// settings come from the environment.
type settings struct {
	airpyURL string // PYTHON_BASE_URL
	secret   string // PYTHON_AUTH_SECRET, else the one that `make run` keeps
	listen   string // LISTEN
	database string // DATABASE
}

func readSettings() (settings, error) {
	secret, err := sharedSecret()
	return settings{
		airpyURL: cmp.Or(os.Getenv("PYTHON_BASE_URL"), "http://127.0.0.1:9001"),
		secret:   secret,
		listen:   cmp.Or(os.Getenv("LISTEN"), "127.0.0.1:8080"),
		database: cmp.Or(os.Getenv("DATABASE"), "example.db"),
	}, err
}

// sharedSecret gives PYTHON_AUTH_SECRET, else what a service for development keeps in .airpy here or in a folder above.
func sharedSecret() (string, error) {
	if given := os.Getenv("PYTHON_AUTH_SECRET"); given != "" {
		return given, nil
	}
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	places := []string{}
	if state := os.Getenv("PY_STATE_PATH"); state != "" {
		places = append(places, state)
	}
	for ; ; folder = filepath.Dir(folder) {
		places = append(places, filepath.Join(folder, ".airpy"))
		if folder == filepath.Dir(folder) {
			break
		}
	}
	for _, place := range places {
		if kept, err := os.ReadFile(filepath.Join(place, "secret")); err == nil {
			return strings.TrimSpace(string(kept)), nil
		}
	}
	return "", errors.New("PYTHON_AUTH_SECRET is not set, and no .airpy/secret is here or above: start the service with `make run` first, or set the secret that it has")
}
