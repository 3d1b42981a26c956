package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/music-chronus/chronus/actors"
)

// engineFlag is what every verb that talks to a running engine takes.
type engineFlag struct {
	RuntimeDir string `name:"runtime-dir" help:"Directory of the engine's lock and socket." default:"${runtimedir}" placeholder:"DIR"`
}

// client talks to the engine whose runtime directory it is.
type client struct {
	dir  string
	http http.Client
}

func (f engineFlag) client() *client {
	path := filepath.Join(f.RuntimeDir, actors.SocketFile)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	return &client{f.RuntimeDir, http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// do sends a request and returns the reply's body, for the caller to close.
func (c *client) do(ctx context.Context, method, path string, query url.Values) (io.ReadCloser, error) {
	u := url.URL{Scheme: "http", Host: "engine", Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	switch {
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("no engine runs in %s: start one with chronus up, or name its --runtime-dir", c.dir)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("the engine in %s is another user's", c.dir)
	case err != nil:
		return nil, fmt.Errorf("engine in %s: %w", c.dir, err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		why, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return nil, fmt.Errorf("engine in %s: %s", c.dir, bytes.TrimSpace(why))
	}
	return resp.Body, nil
}

// call sends a request and decodes the reply into v.
func (c *client) call(ctx context.Context, method, path string, query url.Values, v any) error {
	body, err := c.do(ctx, method, path, query)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(v); err != nil {
		return fmt.Errorf("engine in %s: reply to %s: %w", c.dir, path, err)
	}
	return nil
}

func (c *client) status(ctx context.Context) (st actors.Status, err error) {
	return st, c.call(ctx, http.MethodGet, "/status", nil, &st)
}

func (c *client) kill(ctx context.Context, signal string) (k actors.Killed, err error) {
	return k, c.call(ctx, http.MethodPost, "/kill", url.Values{"signal": {strings.ToLower(signal)}}, &k)
}

func (c *client) redundant(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/redundant", nil, &struct{}{})
}

func (c *client) down(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "/down", nil, &struct{}{})
}

// tape streams what the engine plays from now on. The stream ends when ctx is cancelled or the
// engine ends.
func (c *client) tape(ctx context.Context) (io.ReadCloser, error) {
	body, err := c.do(ctx, http.MethodGet, "/tape", nil)
	if err != nil {
		return nil, err
	}
	return tapeBody{body}, nil
}

// tapeBody turns the error of a cancelled request into the end of the stream.
type tapeBody struct{ io.ReadCloser }

func (b tapeBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, context.Canceled) {
		err = io.EOF
	}
	return n, err
}
