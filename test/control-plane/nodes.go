package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/component-base/version"
	"k8s.io/utils/ptr"
)

// What a node does is in this annotation of it, and may change at any time.
const (
	nodeAnnotation = "test.skolo/node"
	dead           = "dead"
	stuck          = "stuck"
	busy           = "busy"
)

// nodeSpec is one of the nodes that a test asks for.
type nodeSpec struct {
	Name         string            `json:"name"`
	Architecture string            `json:"architecture"`
	Taints       []core.Taint      `json:"taints"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
}

// node is a fake one. Whatever it writes and whichever ConfigMap or Secret it reads, it does so with its own certificate.
type node struct {
	nodeSpec
	number int
	client kubernetes.Interface
	fleet  *fleet
	lease  *coordination.Lease
}

// fleet is all nodes of one process. They share a watch of nodes and one of pods: with 300 watches of their own, an API server
// would do little else.
type fleet struct {
	nodes     map[string]*node
	admin     kubernetes.Interface
	port      int32
	heartbeat time.Duration
	events    record.EventRecorder
	nodeCache corelisters.NodeLister
	podCache  corelisters.PodLister
	addresses atomic.Int32
	// queue names the pods that are to be looked at.
	queue workqueue.TypedDelayingInterface[types.NamespacedName]
}

func runNodes(args []string) error {
	flags := flag.NewFlagSet("nodes", flag.ExitOnError)
	dir := flags.String("dir", "", "folder of the authority")
	kubeconfig := flags.String("kubeconfig", "", "file of a user who may do everything")
	file := flags.String("nodes", "", "file with the list of nodes")
	port := flags.Int("port", 0, "port on which all kubelets serve")
	heartbeat := flags.Duration("heartbeat", 0, "time from one renewal of a node's lease to the next")
	flags.Parse(args)
	text, err := os.ReadFile(*file)
	if err != nil {
		return err
	}
	var specs []nodeSpec
	if err := json.Unmarshal(text, &specs); err != nil {
		return fmt.Errorf("%s: %w", *file, err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	authority, err := readAuthority(*dir)
	if err != nil {
		return err
	}
	unlimited(config)
	admin, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	fleet := &fleet{nodes: map[string]*node{}, admin: admin, port: int32(*port), heartbeat: *heartbeat}
	for number, spec := range specs {
		client, err := nodeClient(config, authority, spec.Name)
		if err != nil {
			return err
		}
		fleet.nodes[spec.Name] = &node{nodeSpec: spec, number: number, client: client, fleet: fleet}
	}
	context := context.Background()
	fleet.watch(context)
	for _, node := range fleet.nodes {
		go node.run(context)
	}
	for range 8 {
		go fleet.workOnPods(context)
	}
	return fleet.serve(*dir)
}

// watch keeps copies of all nodes and pods, and queues the pods that a change may be about.
func (f *fleet) watch(context context.Context) {
	broadcaster := record.NewBroadcaster()
	broadcaster.StartRecordingToSink(&typed.EventSinkImpl{Interface: f.admin.CoreV1().Events("")})
	f.events = broadcaster.NewRecorder(scheme.Scheme, core.EventSource{Component: "kubelet"})
	f.queue = workqueue.NewTypedDelayingQueue[types.NamespacedName]()
	factory := informers.NewSharedInformerFactory(f.admin, 0)
	nodes, pods := factory.Core().V1().Nodes(), factory.Core().V1().Pods()
	f.nodeCache, f.podCache = nodes.Lister(), pods.Lister()
	pods.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(pod any) { f.enqueue(pod.(*core.Pod)) },
		UpdateFunc: func(_, pod any) { f.enqueue(pod.(*core.Pod)) },
	})
	nodes.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		UpdateFunc: func(before, after any) {
			node := after.(*core.Node)
			if before.(*core.Node).Annotations[nodeAnnotation] != node.Annotations[nodeAnnotation] {
				f.enqueueAllOf(node.Name)
			}
		},
	})
	factory.Start(context.Done())
	factory.WaitForCacheSync(context.Done())
}

func (f *fleet) node(name string) *core.Node {
	node, _ := f.nodeCache.Get(name)
	return node
}

// ready tells whether pods can be placed on all nodes.
func (f *fleet) ready() bool {
	for name := range f.nodes {
		node := f.node(name)
		if node == nil || !isReady(node) && node.Annotations[nodeAnnotation] != dead {
			return false
		}
		for _, taint := range node.Spec.Taints {
			if taint.Key == core.TaintNodeNotReady {
				return false
			}
		}
	}
	return true
}

// nodeClient has the rights of that node, and no others.
func nodeClient(admin *rest.Config, authority authority, name string) (kubernetes.Interface, error) {
	pair, err := authority.client("system:node:"+name, "system:nodes")
	if err != nil {
		return nil, err
	}
	config := rest.AnonymousClientConfig(admin)
	config.CertData, config.KeyData = pair.certificate, pair.key
	unlimited(config)
	return kubernetes.NewForConfig(config)
}

// unlimited leaves it to the API server to say when there is too much.
func unlimited(config *rest.Config) {
	config.QPS = -1
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
}

// run registers the node and keeps it alive.
func (n *node) run(context context.Context) {
	for n.register(context) != nil {
		time.Sleep(200 * time.Millisecond)
	}
	// Not all of them in the same moment.
	time.Sleep(rand.N(n.fleet.heartbeat))
	for {
		if n.behaviour() != dead {
			n.renewLease(context)
			n.report(context)
		}
		time.Sleep(n.fleet.heartbeat)
	}
}

// register makes the node as a kubelet does; then its labels and annotations, as an operator does.
func (n *node) register(context context.Context) error {
	labels := map[string]string{
		core.LabelHostname:   n.Name,
		core.LabelOSStable:   "linux",
		core.LabelArchStable: n.Architecture,
	}
	_, err := n.client.CoreV1().Nodes().Create(context, &core.Node{
		ObjectMeta: meta.ObjectMeta{Name: n.Name, Labels: labels},
		Spec:       core.NodeSpec{Taints: n.Taints},
		Status:     n.status(),
	}, meta.CreateOptions{})
	if err != nil && !errors.IsAlreadyExists(err) {
		return err
	}
	n.renewLease(context)
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"labels": n.Labels, "annotations": n.Annotations},
	})
	if err != nil {
		return err
	}
	_, err = n.fleet.admin.CoreV1().Nodes().Patch(context, n.Name, types.MergePatchType, patch, meta.PatchOptions{})
	return err
}

// renewLease says that the node is alive. What fails is tried again at the next beat.
func (n *node) renewLease(context context.Context) {
	leases := n.client.CoordinationV1().Leases(core.NamespaceNodeLease)
	now := ptr.To(meta.NowMicro())
	if n.lease == nil {
		n.lease, _ = leases.Get(context, n.Name, meta.GetOptions{})
	}
	if n.lease == nil || n.lease.Name == "" {
		n.lease, _ = leases.Create(context, &coordination.Lease{
			ObjectMeta: meta.ObjectMeta{Name: n.Name},
			Spec:       coordination.LeaseSpec{HolderIdentity: &n.Name, RenewTime: now},
		}, meta.CreateOptions{})
		return
	}
	n.lease.Spec.RenewTime = now
	renewed, err := leases.Update(context, n.lease, meta.UpdateOptions{})
	if err != nil {
		renewed = nil
	}
	n.lease = renewed
}

// report says that the node is ready where the control plane has begun to doubt it.
func (n *node) report(context context.Context) {
	stored := n.fleet.node(n.Name)
	if stored == nil || isReady(stored) {
		return
	}
	changed := stored.DeepCopy()
	changed.Status = n.status()
	n.client.CoreV1().Nodes().UpdateStatus(context, changed, meta.UpdateOptions{})
}

func (n *node) behaviour() string {
	if stored := n.fleet.node(n.Name); stored != nil {
		return stored.Annotations[nodeAnnotation]
	}
	return n.Annotations[nodeAnnotation]
}

func (n *node) status() core.NodeStatus {
	now := meta.Now()
	capacity := core.ResourceList{
		core.ResourceCPU:              resource.MustParse("4"),
		core.ResourceMemory:           resource.MustParse("8Gi"),
		core.ResourcePods:             resource.MustParse("110"),
		core.ResourceEphemeralStorage: resource.MustParse("100Gi"),
	}
	return core.NodeStatus{
		Capacity:    capacity,
		Allocatable: capacity,
		Conditions: []core.NodeCondition{{
			Type: core.NodeReady, Status: core.ConditionTrue, Reason: "KubeletReady",
			LastHeartbeatTime: now, LastTransitionTime: now,
		}},
		// The API server connects to the second. Endpoints reject addresses of loopback, so pods report the first.
		Addresses: []core.NodeAddress{
			{Type: core.NodeInternalIP, Address: n.address()},
			{Type: core.NodeExternalIP, Address: "127.0.0.1"},
			{Type: core.NodeHostName, Address: n.Name},
		},
		DaemonEndpoints: core.NodeDaemonEndpoints{KubeletEndpoint: core.DaemonEndpoint{Port: n.fleet.port}},
		NodeInfo: core.NodeSystemInfo{
			Architecture: n.Architecture, OperatingSystem: "linux",
			KubeletVersion: version.Get().GitVersion, ContainerRuntimeVersion: "pretended://1",
		},
	}
}

// address is one of a network that is reserved for documentation and benchmarks.
func (n *node) address() string {
	return fmt.Sprintf("198.18.%d.%d", n.number/250, n.number%250+1)
}

func isReady(node *core.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == core.NodeReady {
			return condition.Status == core.ConditionTrue
		}
	}
	return false
}
