// containerd 2 for tests: k3s embeds one, and Debian 12 has 1.6. `pull SOCKET IMAGE` is a pull as a kubelet requests it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	_ "github.com/containerd/containerd/v2/cmd/containerd/builtins"
	"github.com/containerd/containerd/v2/cmd/containerd/command"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func main() {
	run := command.App().Run
	if len(os.Args) > 1 && os.Args[1] == "pull" {
		run = pull
	}
	if err := run(context.Background(), os.Args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func pull(ctx context.Context, args []string) error {
	if len(args) != 4 {
		return errors.New("usage: pull SOCKET IMAGE")
	}
	connection, err := grpc.NewClient("unix://"+args[2], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	_, err = runtime.NewImageServiceClient(connection).PullImage(ctx, &runtime.PullImageRequest{
		Image: &runtime.ImageSpec{Image: args[3]},
	})
	return err
}
