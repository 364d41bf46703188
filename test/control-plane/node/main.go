// Real nodes for tests: a kubelet, kube-proxy and containerd in namespaces of their own, on a common bridge. One binary contains
// all parts that are not Debian packages. README.md of the folder above describes them.
//
//	real-node network --dir DIR --address CIDR --api-port N [--remove]
//	real-node forward --node PID [--address ADDRESS] --port N
//	real-node node --dir DIR --network PID
//	real-node reach < attempts.json
//	real-node pause-image
//	real-node kubelet|kube-proxy|coredns|policies FLAGS
//	real-node version
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/version"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// The network of the test belongs to the first thread, where others find it as /proc/PID/ns/net.
func init() { runtime.LockOSThread() }

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	part, args := os.Args[1], os.Args[2:]
	switch part {
	case "version":
		fmt.Println(version.Get().GitVersion)
	case "network":
		exitWith(part, runNetwork(args))
	case "forward":
		exitWith(part, runForward(args))
	case "node":
		exitWith(part, runNode(args))
	case "node-cgroup":
		exitWith(part, enterCgroups())
	case "node-init":
		exitWith(part, runInside(args[0]))
	case "reach":
		exitWith(part, reach(os.Stdin, os.Stdout))
	case "pause-image":
		exitWith(part, writePauseImage(os.Stdout))
	case "policies":
		exitWith(part, enforcePolicies(args))
	case "kubelet":
		runComponent(part, args, kubelet.NewKubeletCommand(context.Background()))
	case "kube-proxy":
		runComponent(part, args, proxy.NewProxyCommand())
	case "coredns":
		os.Args = append([]string{part}, args...)
		coremain.Run()
	default:
		usage()
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: real-node network|forward|node|reach|pause-image|policies|kubelet|kube-proxy|coredns|version [FLAGS]")
	os.Exit(2)
}

func exitWith(part string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "real-node: %s: %v\n", part, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// runComponent runs a part of Kubernetes, whose command reads its flags from os.Args.
func runComponent(name string, args []string, command *cobra.Command) {
	os.Args = append([]string{name}, args...)
	os.Exit(cli.Run(command))
}
