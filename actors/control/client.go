package control

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

	"github.com/music-chronus/chronus/actors/internal/runtimedir"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/osc"
)

// ErrNoEngine reports that no engine runs in a runtime directory.
var ErrNoEngine = errors.New("no engine runs")

// Client talks to the engine of a runtime directory. Several goroutines can use it.
type Client struct {
	dir  string
	http http.Client
}

// NewClient returns a client of the engine whose runtime directory it names. The engine need not
// run yet.
func NewClient(runtimeDir string) *Client {
	path := filepath.Join(runtimeDir, runtimedir.ControlSocket)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	return &Client{runtimeDir, http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// Status returns the engine's status.
func (c *Client) Status(ctx context.Context) (st report.Status, err error) {
	return st, c.call(ctx, http.MethodGet, "/status", nil, &st)
}

// Addresses lists the OSC addresses that the engine has now.
func (c *Client) Addresses(ctx context.Context) (list []osc.Entry, err error) {
	return list, c.call(ctx, http.MethodGet, "/addresses", nil, &list)
}

// Values returns what each OSC address with a value was last set to: a number, or the name of a
// choice.
func (c *Client) Values(ctx context.Context) (values map[string]any, err error) {
	return values, c.call(ctx, http.MethodGet, "/values", nil, &values)
}

// Redundant returns once every worker is ready.
func (c *Client) Redundant(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/redundant", nil, &struct{}{})
}

// Down asks the engine to end. The engine still runs when Down returns.
func (c *Client) Down(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "/down", nil, &struct{}{})
}

// Kill makes the engine send a signal to its active worker: kill, stop, segv or term. The engine
// refuses while not every worker is ready.
func (c *Client) Kill(ctx context.Context, signal string) (k report.Killed, err error) {
	return k, c.call(ctx, http.MethodPost, "/kill", url.Values{"signal": {strings.ToLower(signal)}}, &k)
}

// Tape streams a tape of what the engine plays from now on, for a tape.Reader. The stream ends with
// io.EOF when ctx ends. The caller closes it.
func (c *Client) Tape(ctx context.Context) (io.ReadCloser, error) {
	body, err := c.do(ctx, http.MethodGet, "/tape", nil)
	if err != nil {
		return nil, err
	}
	return tapeBody{body}, nil
}

// tapeBody turns the end of a cancelled request into the end of the tape.
type tapeBody struct{ io.ReadCloser }

func (b tapeBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, context.Canceled) {
		err = io.EOF
	}
	return n, err
}

// do sends a request and returns the body of the answer, which the caller closes.
func (c *Client) do(ctx context.Context, method, path string, query url.Values) (io.ReadCloser, error) {
	u := url.URL{Scheme: "http", Host: "engine", Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	switch {
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%w in %s", ErrNoEngine, c.dir)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("engine in %s: it belongs to another user: %w", c.dir, syscall.EACCES)
	case err != nil:
		return nil, fmt.Errorf("engine in %s: %w", c.dir, err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		reason, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return nil, fmt.Errorf("engine in %s: %s", c.dir, bytes.TrimSpace(reason))
	}
	return resp.Body, nil
}

// call sends a request and decodes the answer into v.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, v any) error {
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
