// Google's own in-memory Pub/Sub, pstest, as a program for tests: gRPC, and the few JSON requests of clients without a library, on one
// port, which it prints. It ends when its standard input does.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Set by build-go.
var version = "unknown"

func main() {
	if len(os.Args) > 1 && os.Args[1] == "--version" {
		fmt.Println("pstest", version)
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Println("listening on", listener.Addr())
	fmt.Fprintln(os.Stderr, newServer().Serve(listener))
	os.Exit(1)
}

func newServer() *http.Server {
	fake := pstest.NewServerWithAddress("127.0.0.1:0")
	overGrpc := grpc.NewServer()
	pubsubpb.RegisterPublisherServer(overGrpc, &fake.GServer)
	pubsubpb.RegisterSubscriberServer(overGrpc, &fake.GServer)
	asJson := jsonHandler(&fake.GServer)
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Protocols: &protocols,
		Handler: http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
			if strings.HasPrefix(request.Header.Get("Content-Type"), "application/grpc") {
				overGrpc.ServeHTTP(answer, request)
			} else {
				asJson.ServeHTTP(answer, request)
			}
		}),
	}
}

// The service's mapping to HTTP (google.api.http in pubsub.proto). A resource is named by its path, and not in the body.
func jsonHandler(server *pstest.GServer) http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("PUT /v1/projects/{project}/topics/{name}", func(answer http.ResponseWriter, request *http.Request) {
		topic := &pubsubpb.Topic{}
		respond(answer, request, topic, func(ctx context.Context) (proto.Message, error) {
			topic.Name = nameOf(request)
			return server.CreateTopic(ctx, topic)
		})
	})
	routes.HandleFunc("PUT /v1/projects/{project}/subscriptions/{name}", func(answer http.ResponseWriter, request *http.Request) {
		subscription := &pubsubpb.Subscription{}
		respond(answer, request, subscription, func(ctx context.Context) (proto.Message, error) {
			subscription.Name = nameOf(request)
			return server.CreateSubscription(ctx, subscription)
		})
	})
	routes.HandleFunc("POST /v1/projects/{project}/subscriptions/{call}", func(answer http.ResponseWriter, request *http.Request) {
		subscription, method, _ := strings.Cut(nameOf(request), ":")
		switch method {
		case "pull":
			pull := &pubsubpb.PullRequest{}
			respond(answer, request, pull, func(ctx context.Context) (proto.Message, error) {
				pull.Subscription = subscription
				return server.Pull(ctx, pull)
			})
		case "acknowledge":
			acknowledge := &pubsubpb.AcknowledgeRequest{}
			respond(answer, request, acknowledge, func(ctx context.Context) (proto.Message, error) {
				acknowledge.Subscription = subscription
				return server.Acknowledge(ctx, acknowledge)
			})
		default:
			http.NotFound(answer, request)
		}
	})
	return routes
}

func nameOf(request *http.Request) string {
	return strings.TrimPrefix(request.URL.Path, "/v1/")
}

func respond(answer http.ResponseWriter, request *http.Request, message proto.Message, call func(context.Context) (proto.Message, error)) {
	body, err := io.ReadAll(request.Body)
	if err == nil && len(body) > 0 {
		err = protojson.Unmarshal(body, message)
	}
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	result, err := call(request.Context())
	if err != nil {
		failure := status.Convert(err)
		answer.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(answer, `{"error":{"status":%q,"message":%q}}`, failure.Code(), failure.Message())
		return
	}
	text, err := protojson.Marshal(result)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusInternalServerError)
		return
	}
	answer.Header().Set("Content-Type", "application/json")
	_, _ = answer.Write(text)
}
