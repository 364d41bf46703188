package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	criSocket = "/run/containerd/containerd.sock"
	cgroupTop = "/sys/fs/cgroup"
)

// runInside is the first process of a node: it makes the root file system, starts the programs, and ends when one of them does.
func runInside(dir string) error {
	spec, err := readSpec(dir)
	if err != nil {
		return err
	}
	if err := makeRoot(spec); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(spec.Name)); err != nil {
		return err
	}
	if err := writeSettings(spec); err != nil {
		return err
	}
	names := map[int]string{}
	start := func(name string, command ...string) error {
		process, err := startLogged(name, command)
		if err == nil {
			names[process.Pid] = name
		}
		return err
	}
	if err := start("containerd", "containerd", "--config", "/etc/containerd/config.toml"); err != nil {
		return err
	}
	if err := waitForRuntime(criSocket); err != nil {
		return err
	}
	if err := importPauseImage(); err != nil {
		return err
	}
	for name, flags := range programs(spec) {
		if err := start(name, append([]string{"/opt/real-node", name}, flags...)...); err != nil {
			return err
		}
	}
	return reap(names)
}

func programs(spec nodeSpec) map[string][]string {
	address, _, _ := strings.Cut(spec.Address, "/")
	return map[string][]string{
		"kubelet": {
			"--config=/etc/node/kubelet.yaml", "--kubeconfig=/etc/node/kubelet.kubeconfig", "--root-dir=/var/lib/kubelet",
			"--cert-dir=/run/kubelet", "--hostname-override=" + spec.Name, "--node-ip=" + address,
		},
		"kube-proxy": {"--config=/etc/node/kube-proxy.yaml", "--hostname-override=" + spec.Name},
		"policies":   {"--kubeconfig=/etc/node/policies.kubeconfig", "--node=" + spec.Name},
	}
}

// reap waits for every process, since orphans of a node become children of its first process.
func reap(names map[int]string) error {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if name, found := names[pid]; found {
			log, _ := os.ReadFile("/var/log/" + name + ".log")
			return fmt.Errorf("%s ended (%d): %s", name, status, log[max(0, len(log)-1500):])
		}
	}
}

func startLogged(name string, command []string) (*os.Process, error) {
	log, err := os.OpenFile("/var/log/"+name+".log", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	path, err := exec.LookPath(command[0])
	if err != nil {
		return nil, err
	}
	return os.StartProcess(path, command, &os.ProcAttr{Files: []*os.File{nil, log, log}, Env: os.Environ()})
}

// waitForRuntime waits until containerd answers for Kubernetes: it listens before it is initialized, and a kubelet ends at that error.
func waitForRuntime(socket string) error {
	// By default, a refused connection is tried again only after a second.
	soon := backoff.DefaultConfig
	soon.BaseDelay = 50 * time.Millisecond
	soon.MaxDelay = soon.BaseDelay
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: soon, MinConnectTimeout: 5 * time.Second}))
	if err != nil {
		return err
	}
	defer connection.Close()
	client := runtimeapi.NewRuntimeServiceClient(connection)
	for range 600 {
		if err = askStatus(client); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("%s: no status after 30 s: %w", socket, err)
}

func askStatus(client runtimeapi.RuntimeServiceClient) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := client.Status(ctx, &runtimeapi.StatusRequest{})
	return err
}

func importPauseImage() error {
	command := exec.Command("ctr", "--namespace", "k8s.io", "images", "import", "-")
	image, err := command.StdinPipe()
	if err != nil {
		return err
	}
	go func() {
		writePauseImage(image)
		image.Close()
	}()
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("pause image: %w: %s", err, output)
	}
	return nil
}

// makeRoot makes a root file system that shares only programs with the computer, and none of its state.
func makeRoot(spec nodeSpec) error {
	root := filepath.Join(spec.Dir, "root")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	steps := []error{mount("tmpfs", root, "tmpfs", 0, "mode=755")}
	in := func(path string) string { return filepath.Join(root, path) }
	for _, path := range []string{
		"etc/node", "etc/containerd", "etc/cni/net.d", "usr", "var", "run/lock", "tmp", "dev/pts", "dev/shm", "dev/mqueue",
		"dev/bus/usb", "proc", "sys", "root", "opt", "mnt", "srv", "home", "old",
	} {
		steps = append(steps, os.MkdirAll(in(path), 0o755))
	}
	steps = append(steps,
		os.Chmod(in("tmp"), 0o1777),
		run("cp -a "+spec.Dir+"/settings/."+" "+in("etc/node")),
		bind("/usr", in("usr"), unix.MS_RDONLY),
		mountData(spec.Data, in("var")),
		os.WriteFile(in("opt/real-node"), nil, 0o755),
		bind("/proc/self/exe", in("opt/real-node"), unix.MS_RDONLY),
		run("cp -a /bin /sbin /lib /lib64 "+root),
		run("cp -a /etc/passwd /etc/group /etc/nsswitch.conf /etc/alternatives /etc/protocols /etc/services /etc/ssl "+
			"/etc/ld.so.cache /etc/iproute2 "+in("etc")),
		mount("proc", in("proc"), "proc", 0, ""),
		mount("sysfs", in("sys"), "sysfs", 0, ""),
		mount("devpts", in("dev/pts"), "devpts", 0, "newinstance,ptmxmode=0666,mode=620"),
		mount("tmpfs", in("dev/shm"), "tmpfs", 0, ""),
		mount("mqueue", in("dev/mqueue"), "mqueue", 0, ""),
		os.Symlink("pts/ptmx", in("dev/ptmx")),
		os.Symlink("/proc/self/fd", in("dev/fd")),
	)
	for _, device := range []string{"null", "zero", "full", "random", "urandom", "tty", "kmsg"} {
		steps = append(steps, os.WriteFile(in("dev/"+device), nil, 0o666), bind("/dev/"+device, in("dev/"+device), 0))
	}
	if err := firstOf(append(steps, mountGroups(in(cgroupTop))...)); err != nil {
		return err
	}
	for _, path := range []string{"lib", "log", "tmp"} {
		os.MkdirAll(filepath.Join(in("var"), path), 0o755)
	}
	os.Symlink("/run", in("var/run"))
	return firstOf([]error{
		unix.PivotRoot(root, in("old")),
		os.Chdir("/"),
		keepKernelSettings(),
	})
}

// mountGroups mounts the control groups of the node as they were its own hierarchies.
func mountGroups(top string) []error {
	steps := []error{mount("tmpfs", top, "tmpfs", 0, "mode=755")}
	for _, hierarchy := range hierarchies() {
		name := filepath.Base(hierarchy)
		options := name
		if name == "systemd" {
			options = "none,name=systemd"
		}
		steps = append(steps, os.Mkdir(filepath.Join(top, name), 0o755),
			mount("cgroup", filepath.Join(top, name), "cgroup", 0, options))
	}
	return steps
}

// keepKernelSettings shows a kubelet the settings that it wants, so that it does not change those of the computer.
func keepKernelSettings() error {
	for path, value := range map[string]string{
		"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
		"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
	} {
		file := "/run/" + strings.ReplaceAll(path, "/", "-")
		if err := firstOf([]error{
			os.WriteFile(file, []byte(value+"\n"), 0o644), bind(file, "/proc/sys/"+path, 0),
		}); err != nil {
			return err
		}
	}
	return firstOf([]error{
		os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0),
		unix.Unmount("/old", unix.MNT_DETACH),
		os.Remove("/old"),
		// As systemd does, for volumes with mountPropagation.
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""),
	})
}

func mount(source, target, kind string, flags uintptr, options string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(source, target, kind, flags, options); err != nil {
		return fmt.Errorf("mount %s on %s: %w", kind, target, err)
	}
	return nil
}

func bind(source, target string, flags uintptr) error {
	source, err := filepath.EvalSymlinks(source)
	if err != nil {
		return err
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind %s to %s: %w", source, target, err)
	}
	if flags == 0 {
		return nil
	}
	return unix.Mount("", target, "", unix.MS_BIND|unix.MS_REMOUNT|flags, "")
}

// mountData mounts a folder, or a file with a file system: the kernel releases its loop device with the last process of the node.
func mountData(data, target string) error {
	if info, err := os.Stat(data); err != nil || info.IsDir() {
		return bind(data, target, 0)
	}
	return run("mount -o loop " + data + " " + target)
}

func firstOf(errors []error) error {
	for _, err := range errors {
		if err != nil {
			return err
		}
	}
	return nil
}

const containerdSettings = `version = 2
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[plugins."io.containerd.grpc.v1.cri"]
  # Without CAP_SYS_RESOURCE no container could get a lower value.
  restrict_oom_score_adj = true
  sandbox_image = "` + pauseImage + `"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
`

// writeSettings writes the files of all programs. Those of kubelet and kube-proxy are JSON.
func writeSettings(spec nodeSpec) error {
	type object map[string]any
	cni := object{"cniVersion": "1.0.0", "name": "cbr0", "plugins": []object{
		// As flannel of k3s has it.
		{
			"type": "bridge", "bridge": "cni0", "hairpinMode": true, "forceAddress": true, "isDefaultGateway": true,
			"ipam": object{"type": "host-local", "ranges": [][]object{{{"subnet": spec.Pods}}}},
		},
		{"type": "portmap", "capabilities": object{"portMappings": true}},
	}}
	kubelet := object{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
		"failCgroupV1": false, "failSwapOn": false, "cgroupDriver": "cgroupfs", "enforceNodeAllocatable": []string{},
		"containerRuntimeEndpoint": "unix://" + criSocket, "imageServiceEndpoint": "unix://" + criSocket,
		"authentication": object{
			"anonymous": object{"enabled": false}, "webhook": object{"enabled": true},
			"x509": object{"clientCAFile": "/etc/node/authority.crt"},
		},
		"authorization": object{"mode": "Webhook"},
		"clusterDNS":    []string{"10.43.0.10"}, "clusterDomain": "cluster.local",
		"evictionHard":              object{"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
		"nodeStatusReportFrequency": "10s", "nodeStatusUpdateFrequency": "1s", "nodeLeaseDurationSeconds": 4,
		"resolvConf": "/etc/resolv.conf", "registerWithTaints": spec.Taints, "podLogsDir": "/var/log/pods", "serializeImagePulls": false,
	}
	maps.Copy(kubelet, spec.Kubelet)
	proxy := object{
		"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "mode": "iptables",
		"clientConnection": object{"kubeconfig": "/etc/node/kube-proxy.kubeconfig"}, "clusterCIDR": "10.42.0.0/16",
		"oomScoreAdj": 0, "healthzBindAddress": "127.0.0.1:10256", "metricsBindAddress": "127.0.0.1:10249",
		"conntrack": object{"maxPerCore": 0, "min": 0, "tcpCloseWaitTimeout": "0s", "tcpEstablishedTimeout": "0s"},
	}
	steps := []error{
		os.WriteFile("/etc/hostname", []byte(spec.Name+"\n"), 0o644),
		os.WriteFile("/etc/hosts", []byte("127.0.0.1 localhost\n"), 0o644),
		os.WriteFile("/etc/resolv.conf", []byte("nameserver "+spec.Gateway+"\n"), 0o644),
		os.WriteFile("/etc/machine-id", []byte(strings.Repeat("0", 32)+"\n"), 0o444),
		os.WriteFile("/etc/containerd/config.toml", []byte(containerdSettings), 0o644),
	}
	for path, content := range map[string]object{
		"/etc/cni/net.d/10-flannel.conflist": cni, "/etc/node/kubelet.yaml": kubelet, "/etc/node/kube-proxy.yaml": proxy,
	} {
		text, err := json.Marshal(content)
		steps = append(steps, err, os.WriteFile(path, text, 0o644))
	}
	// As flannel: only what leaves the cluster gets the address of the node.
	return firstOf(append(steps, run("iptables -t nat -A POSTROUTING -s 10.42.0.0/16 ! -d 10.42.0.0/16 -j MASQUERADE")))
}
