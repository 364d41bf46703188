package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// writeCertificates makes an authority, and the certificate with which the API server and the kubelets serve.
func writeCertificates(args []string) error {
	flags := flag.NewFlagSet("certificates", flag.ExitOnError)
	dir := flags.String("dir", "", "folder for authority.crt, authority.key, server.crt and server.key")
	flags.Parse(args)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := newTemplate(pkix.Name{CommonName: "control-plane of a test"})
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	own, err := pemPair(der, key)
	if err != nil {
		return err
	}
	if err := own.write(*dir, "authority"); err != nil {
		return err
	}
	authority, err := readAuthority(*dir)
	if err != nil {
		return err
	}
	template = newTemplate(pkix.Name{CommonName: "kubernetes"})
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.DNSNames = []string{"localhost", "kubernetes", "kubernetes.default.svc"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 43, 0, 1)}
	server, err := authority.sign(template)
	if err != nil {
		return err
	}
	return server.write(*dir, "server")
}

// printClientCertificate prints a certificate for a user, and its key.
func printClientCertificate(args []string) error {
	flags := flag.NewFlagSet("certificate", flag.ExitOnError)
	dir := flags.String("dir", "", "folder of the authority")
	user := flags.String("user", "", "name of the user")
	groups := flags.String("groups", "", "groups of the user, with commas between them")
	flags.Parse(args)
	authority, err := readAuthority(*dir)
	if err != nil {
		return err
	}
	pair, err := authority.client(*user, strings.FieldsFunc(*groups, func(r rune) bool { return r == ',' })...)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(append(pair.certificate, pair.key...))
	return err
}

// authority signs certificates that the API server believes.
type authority struct {
	certificate *x509.Certificate
	key         any
}

// pair is a certificate and its key, both as PEM.
type pair struct{ certificate, key []byte }

func readAuthority(dir string) (authority, error) {
	read, err := tls.LoadX509KeyPair(filepath.Join(dir, "authority.crt"), filepath.Join(dir, "authority.key"))
	return authority{read.Leaf, read.PrivateKey}, err
}

// client makes a certificate for a user; the API server reads the user's name and groups from it.
func (a authority) client(user string, groups ...string) (pair, error) {
	template := newTemplate(pkix.Name{CommonName: user, Organization: groups})
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.sign(template)
}

func (a authority) sign(template *x509.Certificate) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return pair{}, err
	}
	return pemPair(der, key)
}

func newTemplate(subject pkix.Name) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      subject,
		// Clocks of tests may be a little off.
		NotBefore: time.Now().Add(-time.Hour),
		NotAfter:  time.Now().Add(24 * time.Hour),
		KeyUsage:  x509.KeyUsageDigitalSignature,
	}
}

func pemPair(der []byte, key *ecdsa.PrivateKey) (pair, error) {
	keyDer, err := x509.MarshalECPrivateKey(key)
	return pair{
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDer}),
	}, err
}

func (p pair) write(dir, name string) error {
	if err := os.WriteFile(filepath.Join(dir, name+".crt"), p.certificate, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".key"), p.key, 0o600)
}
