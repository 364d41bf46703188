package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log"
	"os/exec"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	networklisters "k8s.io/client-go/listers/networking/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// enforcer keeps one table of nft on a node, which holds the NetworkPolicies for the node's own pods. IPv4 only.
//
// A packet of a pod is checked as it leaves its node or reaches it (forward), and if it is for the node itself (input). What a
// node sends to its own pods is always allowed, since a kubelet probes them. Rules see addresses of pods and not of Services:
// kube-proxy has replaced those by then.
type enforcer struct {
	node       string
	pods       corelisters.PodLister
	namespaces corelisters.NamespaceLister
	policies   networklisters.NetworkPolicyLister
}

func enforcePolicies(args []string) error {
	flags := flag.NewFlagSet("policies", flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "file of a user who may read pods, namespaces and policies")
	node := flags.String("node", "", "name of the node")
	flags.Parse(args)
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods, namespaces := factory.Core().V1().Pods(), factory.Core().V1().Namespaces()
	policies := factory.Networking().V1().NetworkPolicies()
	enforcer := enforcer{*node, pods.Lister(), namespaces.Lister(), policies.Lister()}
	changed := make(chan struct{}, 1)
	notify := func(any) {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc: notify, DeleteFunc: notify, UpdateFunc: func(_, after any) { notify(after) },
	}
	for _, informer := range []cache.SharedIndexInformer{pods.Informer(), namespaces.Informer(), policies.Informer()} {
		informer.AddEventHandler(handler)
	}
	factory.Start(context.Background().Done())
	factory.WaitForCacheSync(context.Background().Done())
	before := ""
	for {
		if rules := enforcer.rules(); rules != before {
			if err := load(rules); err != nil {
				return err
			}
			before = rules
		}
		<-changed
		// What belongs together arrives together.
		time.Sleep(20 * time.Millisecond)
	}
}

// load replaces the table as a whole.
func load(rules string) error {
	command := exec.Command("nft", "--file", "-")
	command.Stdin = strings.NewReader(rules)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		log.Printf("rules:\n%s", rules)
		return fmt.Errorf("nft: %w: %s", err, output.String())
	}
	return nil
}

// rules is what the table is to be: chains for each pod of this node that a policy selects, and maps from addresses to chains.
func (e enforcer) rules() string {
	pods, _ := e.pods.List(labels.Everything())
	policies, _ := e.policies.List(labels.Everything())
	slices.SortFunc(pods, func(a, b *core.Pod) int { return strings.Compare(string(a.UID), string(b.UID)) })
	slices.SortFunc(policies, func(a, b *networking.NetworkPolicy) int { return strings.Compare(string(a.UID), string(b.UID)) })
	pods = slices.DeleteFunc(slices.Clone(pods), func(pod *core.Pod) bool { return !hasNetwork(pod) })
	var chains strings.Builder
	ways := map[networking.PolicyType][]string{}
	for _, pod := range pods {
		if pod.Spec.NodeName != e.node {
			continue
		}
		for _, way := range []networking.PolicyType{networking.PolicyTypeEgress, networking.PolicyTypeIngress} {
			selecting := slices.DeleteFunc(slices.Clone(policies), func(policy *networking.NetworkPolicy) bool {
				return policy.Namespace != pod.Namespace || !slices.Contains(policy.Spec.PolicyTypes, way) ||
					!matches(&policy.Spec.PodSelector, pod.Labels)
			})
			if len(selecting) == 0 {
				continue
			}
			chain := fmt.Sprintf("%s-%s", strings.ToLower(string(way)), pod.Status.PodIP)
			ways[way] = append(ways[way], fmt.Sprintf("%s : jump %s", pod.Status.PodIP, chain))
			fmt.Fprintf(&chains, "  chain %s {\n", chain)
			for _, policy := range selecting {
				for _, rule := range e.linesOf(policy, way, pod, pods) {
					fmt.Fprintf(&chains, "    %s\n", rule)
				}
			}
			// Connections that are not allowed fail at once, with EHOSTUNREACH, so a test tells them from a closed port.
			fmt.Fprintf(&chains, "    reject with icmp type host-prohibited\n  }\n")
		}
	}
	egress := lookup("saddr", ways[networking.PolicyTypeEgress])
	ingress := lookup("daddr", ways[networking.PolicyTypeIngress])
	return `table inet skolo-policies
delete table inet skolo-policies
table inet skolo-policies {
` + chains.String() + `  chain forward {
    type filter hook forward priority filter;
    ct state established,related accept
` + egress + ingress + `  }
  chain input {
    type filter hook input priority filter;
    ct state established,related accept
` + egress + `  }
}
`
}

func lookup(field string, elements []string) string {
	if len(elements) == 0 {
		return ""
	}
	return fmt.Sprintf("    ip %s vmap { %s }\n", field, strings.Join(elements, ", "))
}

// hasNetwork tells whether a pod has an address of its own. Policies do not apply to others.
func hasNetwork(pod *core.Pod) bool {
	over := pod.Status.Phase == core.PodSucceeded || pod.Status.Phase == core.PodFailed
	return !pod.Spec.HostNetwork && pod.Status.PodIP != "" && !over
}

// linesOf is what a policy allows to come to a pod or to leave it: lines that return from the pod's chain.
func (e enforcer) linesOf(policy *networking.NetworkPolicy, way networking.PolicyType, own *core.Pod, pods []*core.Pod) []string {
	var lines []string
	add := func(peers []networking.NetworkPolicyPeer, ports []networking.NetworkPolicyPort) {
		if len(ports) == 0 {
			ports = []networking.NetworkPolicyPort{{}}
		}
		for _, port := range ports {
			for _, peer := range e.resolve(policy.Namespace, peers, way, pods) {
				servers := []*core.Pod{own}
				if way == networking.PolicyTypeEgress {
					servers = peer.pods
				}
				lines = append(lines, peer.lines(port, way, servers)...)
			}
		}
	}
	if way == networking.PolicyTypeIngress {
		for _, rule := range policy.Spec.Ingress {
			add(rule.From, rule.Ports)
		}
	} else {
		for _, rule := range policy.Spec.Egress {
			add(rule.To, rule.Ports)
		}
	}
	return lines
}

// resolved is a peer of a rule: a match of nft for a network, or pods.
type resolved struct {
	network string
	pods    []*core.Pod
}

func (e enforcer) resolve(own string, peers []networking.NetworkPolicyPeer, way networking.PolicyType, pods []*core.Pod) []resolved {
	if len(peers) == 0 {
		// Any address; ports with names are those of pods.
		return []resolved{{network: "meta nfproto ipv4", pods: pods}}
	}
	field := "saddr"
	if way == networking.PolicyTypeEgress {
		field = "daddr"
	}
	var all []resolved
	for _, peer := range peers {
		if block := peer.IPBlock; block != nil {
			match := fmt.Sprintf("ip %s %s", field, block.CIDR)
			if len(block.Except) > 0 {
				match += fmt.Sprintf(" ip %s != { %s }", field, strings.Join(block.Except, ", "))
			}
			all = append(all, resolved{network: match})
			continue
		}
		selected := slices.DeleteFunc(slices.Clone(pods), func(pod *core.Pod) bool { return !e.selects(peer, own, pod) })
		if len(selected) > 0 {
			match := fmt.Sprintf("ip %s { %s }", field, strings.Join(addressesOf(selected), ", "))
			all = append(all, resolved{network: match, pods: selected})
		}
	}
	return all
}

func (e enforcer) selects(peer networking.NetworkPolicyPeer, own string, pod *core.Pod) bool {
	if peer.PodSelector != nil && !matches(peer.PodSelector, pod.Labels) {
		return false
	}
	if peer.NamespaceSelector == nil {
		return pod.Namespace == own
	}
	namespace, err := e.namespaces.Get(pod.Namespace)
	return err == nil && matches(peer.NamespaceSelector, namespace.Labels)
}

// lines are the matches of this peer with a port.
//
// servers are the pods that listen: a port with a name may be another one on each of them.
func (r resolved) lines(port networking.NetworkPolicyPort, way networking.PolicyType, servers []*core.Pod) []string {
	protocol := "tcp"
	if port.Protocol != nil {
		protocol = strings.ToLower(string(*port.Protocol))
	}
	switch {
	case port.Port == nil && port.Protocol == nil:
		return []string{r.network + " return"}
	case port.Port == nil:
		return []string{fmt.Sprintf("%s meta l4proto %s return", r.network, protocol)}
	case port.Port.Type == intstr.Int && port.EndPort != nil:
		return []string{fmt.Sprintf("%s %s dport %d-%d return", r.network, protocol, port.Port.IntVal, *port.EndPort)}
	case port.Port.Type == intstr.Int:
		return []string{fmt.Sprintf("%s %s dport %d return", r.network, protocol, port.Port.IntVal)}
	}
	var lines []string
	for _, server := range servers {
		for _, number := range portsNamed(server, port.Port.StrVal, protocol) {
			match := r.network
			if way == networking.PolicyTypeEgress {
				match = "ip daddr " + server.Status.PodIP
			}
			lines = append(lines, fmt.Sprintf("%s %s dport %d return", match, protocol, number))
		}
	}
	return lines
}

func portsNamed(pod *core.Pod, name, protocol string) []int32 {
	var numbers []int32
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			if port.Name == name && strings.EqualFold(string(port.Protocol), protocol) {
				numbers = append(numbers, port.ContainerPort)
			}
		}
	}
	return numbers
}

func matches(selector *meta.LabelSelector, of map[string]string) bool {
	parsed, err := meta.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(labels.Set(of))
}

func addressesOf(pods []*core.Pod) []string {
	var all []string
	for _, pod := range pods {
		all = append(all, pod.Status.PodIP)
	}
	return all
}
