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

// origins are whom those actors of this node have asked that wait for answers, by the actors' names. What comes to one of them is let in only if the
// certificate that it comes with is good for the host that was asked, as the one was that the host has shown when it was dialled: else
// whoever may watch could say how another's engine is.
type origins struct {
	mu   sync.Mutex
	from map[string]string // host by the name of the actor
}

// expect says whom an actor asks, until forget: what comes to it has to come from that address.
func (o *origins) expect(id, address string) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return // it cannot be dialled, and nothing will come
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

// shown is the certificate that the peer of a connection has, nil if it has none that is good.
func shown(ctx context.Context) *x509.Certificate {
	if p, ok := peer.FromContext(ctx); ok {
		if info, ok := p.AuthInfo.(credentials.TLSInfo); ok && len(info.State.VerifiedChains) > 0 {
			return info.State.PeerCertificates[0]
		}
	}
	return nil
}

// role is that of the peer of a connection.
func (g *Sentry) role(ctx context.Context) Role {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return Nobody
	}
	if _, ok := p.AuthInfo.(credentials.TLSInfo); ok {
		if c := shown(ctx); c != nil {
			return CertRole(c)
		}
		return Nobody
	}
	return g.plain
}

// stranger says why a message to an actor does not come from whom that has asked; "": it does, or it has asked nobody, or there are no certificates.
func (w *watched) stranger(id string) string {
	host, ok := w.sentry.origins.of(id)
	if !ok || w.cert == nil {
		return ""
	}
	if err := w.cert.VerifyHostname(host); err != nil {
		return fmt.Sprintf("it speaks for %s: %v", host, err)
	}
	return ""
}

// senders are held to the address that the peer has named, and that to its certificate: answers go there, and watches are known by it.
func (w *watched) senders(n int) error {
	if n == 0 || w.cert == nil || w.sentry.others { // a program's own peers may forward what others have sent
		return nil
	}
	host, _, err := net.SplitHostPort(w.from)
	if err == nil {
		err = w.cert.VerifyHostname(host)
	}
	if err != nil {
		return fmt.Errorf("senders at %q, whom the certificate does not name: %w", w.from, err)
	}
	return nil
}
