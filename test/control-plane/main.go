// A real Kubernetes control plane for tests, with nodes that only pretend. One binary holds all parts, and each runs as a
// process of its own, so that a test can kill one of them. Each ends when its standard input does: a test that dies leaves
// nothing behind. README.md lists what a test can make happen to pods and nodes.
//
//	control-plane certificates --dir DIR
//	control-plane certificate --dir DIR --user NAME [--groups A,B]
//	control-plane etcd --data-dir DIR --port N --peer-port N
//	control-plane apiserver FLAGS OF kube-apiserver
//	control-plane controllers FLAGS OF kube-controller-manager
//	control-plane scheduler FLAGS OF kube-scheduler
//	control-plane nodes --dir DIR --kubeconfig FILE --nodes FILE --port N --heartbeat DURATION
//	control-plane version
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/restclient"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/component-base/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	part, args := os.Args[1], os.Args[2:]
	switch part {
	case "version":
		fmt.Println(version.Get().GitVersion)
	case "certificates":
		exitWith(part, writeCertificates(args))
	case "certificate":
		exitWith(part, printClientCertificate(args))
	case "etcd":
		go endWithInput()
		exitWith(part, runEtcd(args))
	case "apiserver":
		runComponent("kube-apiserver", args, apiserver.NewAPIServerCommand())
	case "controllers":
		runComponent("kube-controller-manager", args, controllers.NewControllerManagerCommand())
	case "scheduler":
		runComponent("kube-scheduler", args, scheduler.NewSchedulerCommand())
	case "nodes":
		go endWithInput()
		exitWith(part, runNodes(args))
	default:
		usage()
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: control-plane certificates|certificate|etcd|apiserver|controllers|scheduler|nodes|version [FLAGS]")
	os.Exit(2)
}

func exitWith(part string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "control-plane: %s: %v\n", part, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// runComponent runs a part of Kubernetes, whose command reads its flags from os.Args.
func runComponent(name string, args []string, command *cobra.Command) {
	go endWithInput()
	os.Args = append([]string{name}, args...)
	os.Exit(cli.Run(command))
}

// endWithInput ends the process when the one that started it is gone.
func endWithInput() {
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}
