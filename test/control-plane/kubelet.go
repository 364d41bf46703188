package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
)

// forwardAnnotation of a node maps ports of its pods to addresses on which a test listens: `9210=127.0.0.1:40001,8003=…`.
const forwardAnnotation = "test.skolo/forward"

// serve answers as the kubelets of all nodes: who asks names the pod, and pods know their node. `/readyz` is for the test.
func (f *fleet) serve(dir string) error {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /readyz", func(answer http.ResponseWriter, _ *http.Request) {
		if !f.ready() {
			answer.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	routes.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", f.serveLog)
	routes.HandleFunc("/portForward/{namespace}/{pod}", f.servePortForward)
	server := &http.Server{
		Addr:    fmt.Sprintf("127.0.0.1:%d", f.port),
		Handler: routes,
		// A connection is taken over for a forwarded port, which HTTP/2 does not allow.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	return server.ListenAndServeTLS(filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key"))
}

// serveLog has one line for each container: which it is, and how often it has been started.
func (f *fleet) serveLog(answer http.ResponseWriter, request *http.Request) {
	pod, err := f.podCache.Pods(request.PathValue("namespace")).Get(request.PathValue("pod"))
	if err != nil {
		http.Error(answer, err.Error(), http.StatusNotFound)
		return
	}
	for _, container := range pod.Status.ContainerStatuses {
		if container.Name == request.PathValue("container") {
			fmt.Fprintf(answer, "%s on %s, start %d\n", container.Image, pod.Spec.NodeName, container.RestartCount+1)
		}
	}
	if request.URL.Query().Get("follow") == "true" {
		answer.(http.Flusher).Flush()
		<-request.Context().Done()
	}
}

func (f *fleet) servePortForward(answer http.ResponseWriter, request *http.Request) {
	options, err := portforward.NewV4Options(request)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	target := forwarder{f, request.PathValue("namespace")}
	portforward.ServePortForward(answer, request, target, request.PathValue("pod"), "", options,
		time.Hour, 30*time.Second, []string{"portforward.k8s.io"})
}

type forwarder struct {
	fleet     *fleet
	namespace string
}

// PortForward connects a stream to the address that the annotation of the pod's node has for the port.
func (f forwarder) PortForward(_ context.Context, name, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	pod, err := f.fleet.podCache.Pods(f.namespace).Get(name)
	if err != nil {
		return err
	}
	node := f.fleet.node(pod.Spec.NodeName)
	if node == nil {
		return fmt.Errorf("pod %s: no node", name)
	}
	for entry := range strings.SplitSeq(node.Annotations[forwardAnnotation], ",") {
		address, found := strings.CutPrefix(entry, fmt.Sprintf("%d=", port))
		if !found {
			continue
		}
		connection, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		defer connection.Close()
		go func() {
			io.Copy(connection, stream)
			connection.(*net.TCPConn).CloseWrite()
		}()
		_, err = io.Copy(stream, connection)
		return err
	}
	return fmt.Errorf("pod %s: nothing listens on port %d", name, port)
}
