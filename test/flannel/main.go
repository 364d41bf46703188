// Command flannel chooses an interface and makes the VXLAN device as flannel does inside k3s, with flannel's own functions. It needs no cluster.
//
//	flannel [INTERFACE]
//	flannel --version
//
// With no interface, or an empty one, flannel uses that of the default route. It prints the interface and address that other nodes send
// packets to; flannel.1 is over this interface afterwards.
package main

import (
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/flannel-io/flannel/pkg/backend/vxlan"
	"github.com/flannel-io/flannel/pkg/ip"
	"github.com/flannel-io/flannel/pkg/ipmatch"
	"github.com/flannel-io/flannel/pkg/lease"
	"github.com/flannel-io/flannel/pkg/subnet"
)

// Of flannel.
var version = "unknown"

var (
	pods = ip.IP4Net{IP: ip.MustParseIP4("10.42.0.0"), PrefixLen: 16}
	own  = ip.IP4Net{IP: ip.MustParseIP4("10.42.1.0"), PrefixLen: 24}
)

// The part of a cluster that stores the leases of nodes.
type leases struct{ subnet.Manager }

func (leases) GetStoredMacAddresses(context.Context) (string, string) { return "", "" }

func (leases) AcquireLease(_ context.Context, attrs *lease.LeaseAttrs) (*lease.Lease, error) {
	return &lease.Lease{EnableIPv4: true, Subnet: own, Attrs: *attrs}, nil
}

func main() {
	name := ""
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	if name == "--version" {
		fmt.Println(version)
		return
	}
	if err := run(name); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(name string) error {
	family, err := ipmatch.GetIPFamily(true, false)
	if err != nil {
		return err
	}
	external, err := ipmatch.LookupExtIface(name, "", "", family, ipmatch.PublicIPOpts{})
	if err != nil {
		return err
	}
	backend, err := vxlan.New(leases{}, external)
	if err != nil {
		return err
	}
	config := &subnet.Config{EnableIPv4: true, Network: pods}
	if _, err := backend.RegisterNetwork(context.Background(), &sync.WaitGroup{}, config); err != nil {
		return err
	}
	fmt.Println(external.IfaceName, external.ExtAddr)
	return nil
}
