package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// endpoint is an address of a pod, a node or the bridge, and a port.
type endpoint struct {
	Address string `json:"address"`
	Port    int    `json:"port"`
	// Network is `tcp` or `udp`.
	Network string `json:"network"`
}

type attempt struct {
	// From is an address of the network namespace that the packets leave, and their source.
	From string   `json:"from"`
	To   endpoint `json:"to"`
}

// Packets over the bridge take less than a millisecond. Rejected ones are answered; only those to nowhere wait this long.
const patience = time.Second

// reach listens at endpoints, tries connections, and prints for each `open`, or what went wrong. Both happen in the network
// namespaces that have the addresses, so no pod needs a program for it. Endpoints at which somebody listens already stay theirs.
func reach(in io.Reader, out io.Writer) error {
	var given struct {
		// Network is the process with the bridge, and Nodes are those of `real-node node`.
		Network  int        `json:"network"`
		Nodes    []int      `json:"nodes"`
		Listen   []endpoint `json:"listen"`
		Attempts []attempt  `json:"attempts"`
	}
	if err := json.NewDecoder(in).Decode(&given); err != nil {
		return err
	}
	namespaces, err := namespacesByAddress(given.Network, given.Nodes)
	if err != nil {
		return err
	}
	for _, at := range given.Listen {
		namespace, found := namespaces[at.Address]
		if !found {
			return fmt.Errorf("%s: no network namespace has this address", at.Address)
		}
		if _, err := inNamespace(namespace, func() (any, error) { return nil, at.serve() }); err != nil && !errors.Is(err, unix.EADDRINUSE) {
			return err
		}
	}
	results := make([]string, len(given.Attempts))
	slots := make(chan struct{}, 64)
	var all sync.WaitGroup
	for i, one := range given.Attempts {
		namespace, found := namespaces[one.From]
		if !found {
			return fmt.Errorf("%s: no network namespace has this address", one.From)
		}
		slots <- struct{}{}
		all.Go(func() {
			results[i] = "open"
			if _, err := inNamespace(namespace, func() (any, error) { return nil, one.try() }); err != nil {
				results[i] = reason(err)
			}
			<-slots
		})
	}
	all.Wait()
	return json.NewEncoder(out).Encode(results)
}

// namespacesByAddress finds the network namespaces of the bridge and of the nodes' processes. Another test's pods may have the
// same addresses.
func namespacesByAddress(network int, nodes []int) (map[string]*os.File, error) {
	found := map[string]*os.File{}
	seen := map[string]bool{}
	links, _ := filepath.Glob("/proc/[0-9]*/ns/net")
	for _, link := range links {
		process := filepath.Dir(filepath.Dir(link))
		name, err := os.Readlink(link)
		if err != nil || seen[name] || process != fmt.Sprintf("/proc/%d", network) && !isOf(nodes, process) {
			continue
		}
		seen[name] = true
		namespace, err := os.Open(link)
		if err != nil {
			continue
		}
		addresses, err := inNamespace(namespace, net.InterfaceAddrs)
		if err != nil {
			return nil, err
		}
		for _, address := range addresses {
			if ip := address.(*net.IPNet).IP; !ip.IsLoopback() {
				found[ip.String()] = namespace
			}
		}
	}
	return found, nil
}

// isOf tells whether a process is in the control groups of one of these nodes.
func isOf(nodes []int, process string) bool {
	groups, err := os.ReadFile(process + "/cgroup")
	return err == nil && slices.ContainsFunc(nodes, func(node int) bool {
		name := fmt.Sprintf("/%s%d", groupPrefix, node)
		return bytes.Contains(groups, []byte(name+"/")) || bytes.Contains(groups, []byte(name+"\n"))
	})
}

func (e endpoint) String() string { return net.JoinHostPort(e.Address, fmt.Sprint(e.Port)) }

// serve listens until the process ends. A datagram is sent back.
func (e endpoint) serve() error {
	if e.Network == "udp" {
		socket, err := net.ListenPacket("udp", e.String())
		if err != nil {
			return err
		}
		go func() {
			data := make([]byte, 16)
			for {
				if length, from, err := socket.ReadFrom(data); err == nil {
					socket.WriteTo(data[:length], from)
				}
			}
		}()
		return nil
	}
	_, err := net.Listen("tcp", e.String())
	return err
}

func (a attempt) try() error {
	source := net.ParseIP(a.From)
	dialer := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: source}}
	if a.To.Network == "udp" {
		dialer.LocalAddr = &net.UDPAddr{IP: source}
	}
	connection, err := dialer.Dial(a.To.Network, a.To.String())
	if err != nil {
		return err
	}
	defer connection.Close()
	if a.To.Network == "udp" {
		connection.SetDeadline(time.Now().Add(patience))
		connection.Write([]byte("skolo"))
		_, err = connection.Read(make([]byte, 16))
	}
	return err
}

func reason(err error) string {
	var number unix.Errno
	var timeout net.Error
	switch {
	case errors.As(err, &number) && (number == unix.EHOSTUNREACH || number == unix.EACCES):
		return "forbidden"
	case errors.As(err, &number) && number == unix.ECONNREFUSED:
		return "closed"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	}
	return err.Error()
}
