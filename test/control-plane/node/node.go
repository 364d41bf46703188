package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// nodeSpec is DIR/node.json.
type nodeSpec struct {
	Name string `json:"name"`
	// Address in the network of the rack, with the length of its prefix.
	Address string `json:"address"`
	Gateway string `json:"gateway"`
	Pods    string `json:"pods"`
	// Routes to the pods of other nodes: `10.42.1.0/24 via 192.168.1.101`.
	Routes []string            `json:"routes"`
	Taints []map[string]string `json:"taints"`
	// Data becomes /var of the node: a folder, or a file with a file system.
	Data string `json:"data"`
	// Kubelet has settings of KubeletConfiguration beyond those of each node.
	Kubelet map[string]any `json:"kubelet"`
	// Dir is the folder of this file.
	Dir string `json:"-"`
}

const groupPrefix = "skolo-node-"

func readSpec(dir string) (nodeSpec, error) {
	var spec nodeSpec
	text, err := os.ReadFile(filepath.Join(dir, "node.json"))
	if err != nil {
		return spec, err
	}
	spec.Dir = dir
	return spec, json.Unmarshal(text, &spec)
}

// runNode starts a node in namespaces of its own, and ends it with its standard input. The kernel ends every process of the
// node with the first one, and releases mounts and interfaces with the last one. The control groups are removed here.
func runNode(args []string) error {
	flags := flag.NewFlagSet("node", flag.ExitOnError)
	dir := flags.String("dir", "", "folder with node.json and the kubeconfigs")
	network := flags.Int("network", 0, "process of `real-node network`")
	flags.Parse(args)
	spec, err := readSpec(*dir)
	if err != nil {
		return err
	}
	removeStaleGroups()
	groups, err := makeGroups(fmt.Sprintf("%s%d", groupPrefix, os.Getpid()))
	if err != nil {
		return err
	}
	defer removeGroups(groups)
	mayStart, release, err := os.Pipe()
	if err != nil {
		return err
	}
	node := exec.Command("/proc/self/exe", "node-cgroup", *dir)
	node.Stdout, node.Stderr = os.Stdout, os.Stderr
	node.ExtraFiles = []*os.File{mayStart}
	node.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWPID,
		Pdeathsig:  unix.SIGKILL,
	}
	if err := node.Start(); err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		node.Process.Kill()
	}()
	if err := admit(node.Process.Pid, *network, groups, spec); err != nil {
		node.Process.Kill()
		node.Wait()
		return err
	}
	release.Write([]byte("x"))
	return node.Wait()
}

// admit puts the first process of a node into its control groups, and connects it with the bridge.
func admit(pid, network int, groups []string, spec nodeSpec) error {
	for _, group := range groups {
		if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
			return err
		}
	}
	port := fmt.Sprintf("n%d", pid)
	outside := fmt.Sprintf("nsenter --net --target %d ip link ", network)
	inside := fmt.Sprintf("nsenter --net --target %d ip ", pid)
	commands := []string{
		outside + fmt.Sprintf("add %s type veth peer name eth0 netns %d", port, pid),
		outside + fmt.Sprintf("set %s master rack up", port),
		inside + "link set lo up",
		inside + "link set eth0 up",
		inside + "address add " + spec.Address + " dev eth0",
		inside + "route add default via " + spec.Gateway,
	}
	for _, route := range spec.Routes {
		commands = append(commands, inside+"route add "+route)
	}
	for _, command := range commands {
		if err := run(command); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(spec.Dir, "pid"), []byte(strconv.Itoa(pid)), 0o644)
}

// enterCgroups makes the control groups of this process the root of all that it sees, and goes on as another program: a
// namespace of control groups belongs to a thread, and the thread that executes becomes the process.
func enterCgroups() error {
	if _, err := os.NewFile(3, "release").Read(make([]byte, 1)); err != nil {
		return err
	}
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return err
	}
	// The test's folder for temporary files is not in the root of the node.
	os.Setenv("TMPDIR", "/tmp")
	return syscall.Exec("/proc/self/exe", []string{"real-node", "node-init", os.Args[2]}, os.Environ())
}

// hierarchies are the folders of cgroup v1.
func hierarchies() []string {
	all, _ := filepath.Glob("/sys/fs/cgroup/*/cgroup.clone_children")
	for i := range all {
		all[i] = filepath.Dir(all[i])
	}
	return all
}

func makeGroups(name string) ([]string, error) {
	var groups []string
	for _, hierarchy := range hierarchies() {
		group := filepath.Join(hierarchy, name)
		if err := os.Mkdir(group, 0o755); err != nil {
			return nil, err
		}
		groups = append(groups, group)
		// A group without processors and memory accepts no process.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			if all, err := os.ReadFile(filepath.Join(hierarchy, file)); err == nil {
				os.WriteFile(filepath.Join(group, file), all, 0o644)
			}
		}
	}
	return groups, nil
}

// removeStaleGroups removes what a node left behind whose process was killed.
func removeStaleGroups() {
	for _, hierarchy := range hierarchies() {
		groups, _ := filepath.Glob(filepath.Join(hierarchy, groupPrefix+"*"))
		for _, group := range groups {
			_, pid, _ := strings.Cut(filepath.Base(group), groupPrefix)
			if _, err := os.Stat("/proc/" + pid); err != nil {
				removeGroups([]string{group})
			}
		}
	}
}

// removeGroups removes groups and those below, the innermost first. A process that is ending keeps its group for a moment.
func removeGroups(groups []string) {
	for _, group := range groups {
		for range 100 {
			var folders []string
			filepath.WalkDir(group, func(path string, entry fs.DirEntry, err error) error {
				if err == nil && entry.IsDir() {
					folders = append([]string{path}, folders...)
				}
				return nil
			})
			for _, folder := range folders {
				os.Remove(folder)
			}
			if _, err := os.Stat(group); err != nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}
