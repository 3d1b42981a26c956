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

// The files of a directory of certificates. TokensFile is optional, the others are PEM.
const (
	CAFile     = "ca.pem"   // certificates that sign those of peers
	CertFile   = "cert.pem" // this program's certificate, for its address, signed by one of CAFile
	KeyFile    = "key.pem"  // its key; other users must not be able to read the file
	TokensFile = "tokens"   // lines of ROLE TOKEN
)

// loadTLS reads a directory of certificates. Both sides of every connection must show one.
func loadTLS(dir string) (server, client *tls.Config, err error) {
	file := func(name string) string { return filepath.Join(dir, name) }
	st, err := os.Stat(file(KeyFile))
	if err != nil {
		return nil, nil, fmt.Errorf("certificates: %w: want a directory with %s, %s and %s",
			err, CAFile, CertFile, KeyFile)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return nil, nil, fmt.Errorf("certificates: %s: other users can read it: chmod 600 the file", file(KeyFile))
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
		Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS13,
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
	}
	client = &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS13, RootCAs: pool}
	return server, client, nil
}

// authorities parses PEM certificates. An invalid one is an error.
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
		return nil, errors.New("no certificate in the file")
	}
	return pool, nil
}
