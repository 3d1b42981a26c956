package remote

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The files of a directory of certificates, all PEM, and the tokens, which need not be there.
const (
	CAFile     = "ca.pem"   // who signs peers' certificates
	CertFile   = "cert.pem" // this program's, for its address, signed by that
	KeyFile    = "key.pem"  // its key, which only its owner may read
	TokensFile = "tokens"   // lines of ROLE TOKEN
)

// loadTLS reads a directory of certificates. Both sides of every connection show one.
func loadTLS(dir string) (server, client *tls.Config, err error) {
	file := func(name string) string { return filepath.Join(dir, name) }
	st, err := os.Stat(file(KeyFile))
	if err != nil {
		return nil, nil, fmt.Errorf("certificates: %w: a directory has %s, %s and %s", err, CAFile, CertFile, KeyFile)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return nil, nil, fmt.Errorf("certificates: %s may be read by others than its owner: chmod 600 it", file(KeyFile))
	}
	text, err := os.ReadFile(file(CAFile))
	if err != nil {
		return nil, nil, fmt.Errorf("certificates: %w", err)
	}
	pool, err := authorities(text)
	if err != nil {
		return nil, nil, fmt.Errorf("certificates: %s: %w", file(CAFile), err)
	}
	own, err := tls.LoadX509KeyPair(file(CertFile), file(KeyFile))
	if err != nil {
		return nil, nil, fmt.Errorf("certificates: %s with %s: %w", file(CertFile), KeyFile, err)
	}
	server = &tls.Config{
		Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
	}
	client = &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS13, RootCAs: pool}
	return server, client, nil
}

// authorities are the certificates of a text, each of which must be one.
func authorities(text []byte) (*x509.CertPool, error) {
	pool, n := x509.NewCertPool(), 0
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", n+1, err)
		}
		pool.AddCert(c)
		n++
	}
	if n == 0 {
		return nil, errors.New("it has no certificate in it")
	}
	return pool, nil
}
