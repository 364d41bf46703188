package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// runNetwork makes a network namespace with the bridge of all nodes, and connects it with the API server, which listens on
// loopback of the computer: nodes find it at the bridge's address, and it finds them by a proxy at DIR/egress.sock.
func runNetwork(args []string) error {
	flags := flag.NewFlagSet("network", flag.ExitOnError)
	dir := flags.String("dir", "", "folder for egress.sock")
	address := flags.String("address", "", "address of the bridge, with the length of its prefix")
	port := flags.Int("api-port", 0, "port of the API server, on loopback and on the bridge")
	remove := flags.Bool("remove", false, "remove the folder at the end")
	flags.Parse(args)
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return err
	}
	for _, command := range []string{
		"ip link set lo up",
		"ip link add name rack type bridge",
		"ip address add " + *address + " dev rack",
		"ip link set rack up",
	} {
		if err := run(command); err != nil {
			return err
		}
	}
	host, _, _ := strings.Cut(*address, "/")
	listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", host, *port))
	if err != nil {
		return err
	}
	inside, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", os.Getpid()))
	if err != nil {
		return err
	}
	egress, err := net.Listen("unix", filepath.Join(*dir, "egress.sock"))
	if err != nil {
		return err
	}
	go accept(egress, func(client net.Conn) { serveEgress(client, inside) })
	go accept(listener, func(client net.Conn) { passToLoopback(client, *port) })
	io.Copy(io.Discard, os.Stdin)
	if *remove {
		// The test is gone. Its etcd and its nodes are ending, and may still write.
		for range 50 {
			os.RemoveAll(*dir)
			time.Sleep(100 * time.Millisecond)
		}
	}
	return nil
}

// runForward makes a port of the computer's loopback one of a node or of the bridge: of a simulator that pods connect to.
func runForward(args []string) error {
	flags := flag.NewFlagSet("forward", flag.ExitOnError)
	node := flags.Int("node", 0, "first process of the node, or process of `real-node network`")
	address := flags.String("address", "127.0.0.1", "address there")
	port := flags.Int("port", 0, "port, there and here")
	flags.Parse(args)
	inside, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", *node))
	if err != nil {
		return err
	}
	listener, err := inNamespace(inside, func() (net.Listener, error) {
		return net.Listen("tcp", fmt.Sprintf("%s:%d", *address, *port))
	})
	if err != nil {
		return err
	}
	fmt.Println("listening")
	go accept(listener, func(client net.Conn) { passToLoopback(client, *port) })
	io.Copy(io.Discard, os.Stdin)
	return nil
}

func passToLoopback(client net.Conn, port int) {
	server, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		join(client, client, server)
	}
}

func accept(listener net.Listener, serve func(net.Conn)) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer client.Close()
			serve(client)
		}()
	}
}

// serveEgress answers the CONNECT of an API server. Fake kubelets listen on loopback of the computer.
func serveEgress(client net.Conn, inside *os.File) {
	reader := bufio.NewReader(client)
	request, err := http.ReadRequest(reader)
	if err != nil || request.Method != http.MethodConnect {
		return
	}
	dial := func() (net.Conn, error) { return net.DialTimeout("tcp", request.Host, 10*time.Second) }
	var server net.Conn
	if strings.HasPrefix(request.Host, "127.") {
		server, err = dial()
	} else {
		server, err = inNamespace(inside, dial)
	}
	if err != nil {
		fmt.Fprintf(client, "HTTP/1.1 502 %s\r\n\r\n", strings.ReplaceAll(err.Error(), "\n", " "))
		return
	}
	fmt.Fprint(client, "HTTP/1.1 200 OK\r\n\r\n")
	join(client, reader, server)
}

// inNamespace calls a function in a network namespace, on a thread that ends with it.
func inNamespace[T any](namespace *os.File, call func() (T, error)) (T, error) {
	var result T
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET)
		if err == nil {
			result, err = call()
		}
		done <- err
	}()
	err := <-done
	return result, err
}

// join passes on what both sides send, until both have ended.
func join(client net.Conn, fromClient io.Reader, server net.Conn) {
	defer server.Close()
	go func() {
		io.Copy(server, fromClient)
		closeWrite(server)
	}()
	io.Copy(client, server)
	closeWrite(client)
}

func closeWrite(connection net.Conn) {
	if half, ok := connection.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
}

// run runs a command whose arguments have no spaces.
func run(command string) error {
	words := strings.Fields(command)
	output, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", command, err, output)
	}
	return nil
}
