package remote

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"sync"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// origins holds the hosts from which actors of this node expect answers, by the actors' names. An
// answer passes only if the certificate of its connection is valid for that host. Otherwise any
// peer with the role watch could forge another engine's reports.
type origins struct {
	mu   sync.Mutex
	from map[string]string // host by the name of the actor
}

// expect makes messages to an actor pass only from an address, until forget.
func (o *origins) expect(id, address string) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return // an invalid address is never dialled
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.from[id] = host
}

func (o *origins) forget(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.from, id)
}

func (o *origins) of(id string) (host string, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	host, ok = o.from[id]
	return host, ok
}

// peerCertificate returns the verified certificate of a connection's peer, or nil.
func peerCertificate(ctx context.Context) *x509.Certificate {
	if p, ok := peer.FromContext(ctx); ok {
		if info, ok := p.AuthInfo.(credentials.TLSInfo); ok && len(info.State.VerifiedChains) > 0 {
			return info.State.PeerCertificates[0]
		}
	}
	return nil
}

// role returns the role of a connection's peer.
func (i *Interceptor) role(ctx context.Context) Role {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return Nobody
	}
	if _, ok := p.AuthInfo.(credentials.TLSInfo); ok {
		if c := peerCertificate(ctx); c != nil {
			return CertRole(c)
		}
		return Nobody
	}
	return i.plain
}

// checkSender returns why a message to an actor cannot come from the host that the actor asked, or
// "". Without TLS, and for an actor that expects no answer, it returns "".
func (w *checkedStream) checkSender(id string) string {
	host, ok := w.interceptor.origins.of(id)
	if !ok || w.cert == nil {
		return ""
	}
	if err := w.cert.VerifyHostname(host); err != nil {
		return fmt.Sprintf("expected from %s: %v", host, err)
	}
	return ""
}

// checkAddresses checks the peer's claimed address against its certificate, if a packet has n
// senders. Replies go to that address, and it identifies subscriptions.
func (w *checkedStream) checkAddresses(n int) error {
	if n == 0 || w.cert == nil || w.interceptor.others { // a program's own peers may forward messages of others
		return nil
	}
	host, _, err := net.SplitHostPort(w.from)
	if err == nil {
		err = w.cert.VerifyHostname(host)
	}
	if err != nil {
		return fmt.Errorf("senders at %q, which the certificate does not name: %w", w.from, err)
	}
	return nil
}
