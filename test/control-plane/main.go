// A real Kubernetes API server for tests, and the etcd that it stores in. One binary holds both, and each runs as a process of
// its own, so that a test can kill one of them. Each ends when its standard input does: a test that dies leaves nothing behind.
//
//	control-plane etcd --data-dir DIR --port N --peer-port N
//	control-plane apiserver FLAGS OF kube-apiserver
//	control-plane version
package main

import (
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/restclient"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/component-base/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	part := ""
	if len(os.Args) > 1 {
		part = os.Args[1]
	}
	switch part {
	case "version":
		fmt.Println(version.Get().GitVersion)
	case "etcd":
		go endWithInput()
		if err := runEtcd(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "control-plane: etcd:", err)
			os.Exit(1)
		}
	case "apiserver":
		go endWithInput()
		os.Args = append([]string{"kube-apiserver"}, os.Args[2:]...)
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	default:
		fmt.Fprintln(os.Stderr, "usage: control-plane etcd|apiserver|version [FLAGS]")
		os.Exit(2)
	}
}

// endWithInput ends the process when whoever started it is gone.
func endWithInput() {
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// runEtcd serves one member on loopback until SIGTERM or SIGINT.
func runEtcd(args []string) error {
	flags := flag.NewFlagSet("etcd", flag.ExitOnError)
	dir := flags.String("data-dir", "", "folder that holds the data")
	port := flags.Int("port", 0, "port for clients")
	peerPort := flags.Int("peer-port", 0, "port for other members, of which there are none")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config := embed.NewConfig()
	config.Dir = *dir
	config.LogLevel = "error"
	clients, peers := loopback(*port), loopback(*peerPort)
	config.ListenClientUrls, config.AdvertiseClientUrls = clients, clients
	config.ListenPeerUrls, config.AdvertisePeerUrls = peers, peers
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	// A test's data need not outlive a power cut.
	config.UnsafeNoFsync = true
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	defer etcd.Close()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	select {
	case err := <-etcd.Err():
		return err
	case <-signals:
		return nil
	}
}

func loopback(port int) []url.URL {
	return []url.URL{{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}}
}
