package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"reflect"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// What a container does is the last word of its image's tag: `2026-11-20-ann-crash` crashes. Any other word runs well.
const (
	crash      = "crash"
	badConfig  = "badconfig"
	unready    = "unready"
	unpullable = "unpullable"
	slow       = "slow"
)

const (
	// slowStart is how long a slow container takes to become ready.
	slowStart = 5 * time.Second
	// running is how long a crashing container runs.
	running = 500 * time.Millisecond
	// longestBackOff between two starts of one that crashes. It doubles from 1 s; a kubelet's goes from 10 s to 5 minutes.
	longestBackOff = 30 * time.Second
	// askAgain for a ConfigMap or Secret that is missing.
	askAgain = 300 * time.Millisecond
)

func (f *fleet) enqueue(pod *core.Pod) {
	if f.nodes[pod.Spec.NodeName] != nil {
		f.queue.Add(types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name})
	}
}

func (f *fleet) enqueueAllOf(node string) {
	pods, _ := f.podCache.List(labels.Everything())
	for _, pod := range pods {
		if pod.Spec.NodeName == node {
			f.enqueue(pod)
		}
	}
}

func (f *fleet) workOnPods(context context.Context) {
	for {
		name, _ := f.queue.Get()
		if again := f.workOn(context, name); again > 0 {
			f.queue.AddAfter(name, again)
		}
		f.queue.Done(name)
	}
}

// workOn brings a pod one step further. It returns when to look at it again though nothing has changed; 0 is never.
func (f *fleet) workOn(context context.Context, name types.NamespacedName) time.Duration {
	pod, err := f.podCache.Pods(name.Namespace).Get(name.Name)
	if err != nil {
		return 0
	}
	node := f.nodes[pod.Spec.NodeName]
	behaviour := node.behaviour()
	if behaviour == dead || behaviour == stuck {
		return 0
	}
	pods := node.client.CoreV1().Pods(pod.Namespace)
	if pod.DeletionTimestamp != nil {
		// This is when its grace ends.
		if left := time.Until(pod.DeletionTimestamp.Time); behaviour == busy && left > 0 {
			return left
		}
		err := pods.Delete(context, pod.Name, meta.DeleteOptions{
			GracePeriodSeconds: ptr.To(int64(0)),
			Preconditions:      meta.NewUIDPreconditions(string(pod.UID)),
		})
		return retryAfter(err)
	}
	changed := pod.DeepCopy()
	again := node.advance(context, changed)
	if reflect.DeepEqual(changed.Status, pod.Status) {
		return again
	}
	if _, err := pods.UpdateStatus(context, changed, meta.UpdateOptions{}); err != nil {
		return retryAfter(err)
	}
	return again
}

func retryAfter(err error) time.Duration {
	if err == nil || errors.IsNotFound(err) {
		return 0
	}
	return 200 * time.Millisecond
}

// advance writes into a pod's status what its containers do now, and returns when that changes by itself.
func (n *node) advance(context context.Context, pod *core.Pod) time.Duration {
	status := &pod.Status
	if status.StartTime == nil {
		status.StartTime = ptr.To(meta.Now())
		status.HostIP = n.address()
		status.HostIPs = []core.HostIP{{IP: status.HostIP}}
		status.PodIP = status.HostIP
		if !pod.Spec.HostNetwork {
			status.PodIP = n.fleet.nextAddress()
		}
		status.PodIPs = []core.PodIP{{IP: status.PodIP}}
	}
	var again time.Duration
	mount, config := "", ""
	if len(status.ContainerStatuses) == 0 || !hasStarted(status.ContainerStatuses) {
		mount, config = n.missing(context, pod)
	}
	soon := func(after time.Duration) {
		if after > 0 && (again == 0 || after < again) {
			again = after
		}
	}
	each := func(containers []core.Container, before []core.ContainerStatus) []core.ContainerStatus {
		after := make([]core.ContainerStatus, len(containers))
		for i, container := range containers {
			if i < len(before) {
				after[i] = before[i]
			}
			state := &after[i]
			state.Name, state.Image = container.Name, container.Image
			switch {
			case mount != "":
				wait(state, "ContainerCreating", "")
				soon(askAgain)
			case config != "":
				wait(state, "CreateContainerConfigError", config)
				soon(askAgain)
			default:
				soon(advanceContainer(state, &container))
			}
		}
		return after
	}
	if mount != "" {
		n.fleet.events.Event(pod, core.EventTypeWarning, "FailedMount", "MountVolume.SetUp failed: "+mount)
	}
	status.ContainerStatuses = each(pod.Spec.Containers, status.ContainerStatuses)
	status.InitContainerStatuses = make([]core.ContainerStatus, len(pod.Spec.InitContainers))
	for i, container := range pod.Spec.InitContainers {
		status.InitContainerStatuses[i] = core.ContainerStatus{
			Name: container.Name, Image: container.Image, ImageID: imageID(container.Image), Ready: true,
			State: core.ContainerState{Terminated: &core.ContainerStateTerminated{Reason: "Completed", StartedAt: *status.StartTime, FinishedAt: *status.StartTime}},
		}
	}
	status.Phase = core.PodRunning
	if !hasStarted(status.ContainerStatuses) {
		status.Phase = core.PodPending
	}
	ready := core.ConditionTrue
	for _, container := range status.ContainerStatuses {
		if !container.Ready {
			ready = core.ConditionFalse
		}
	}
	setCondition(status, core.PodInitialized, core.ConditionTrue)
	setCondition(status, core.ContainersReady, ready)
	setCondition(status, core.PodReady, ready)
	return again
}

// advanceContainer brings a container one step further, and returns when the next one is due. All that it knows is in the status,
// so a new process goes on where the last one ended.
func advanceContainer(state *core.ContainerStatus, container *core.Container) time.Duration {
	kind := behaviourOf(container.Image)
	state.Ready = false
	if kind == unpullable {
		if waiting := state.State.Waiting; waiting == nil || waiting.Reason == "ContainerCreating" {
			wait(state, "ErrImagePull", container.Image+": not found")
			return running
		}
		wait(state, "ImagePullBackOff", fmt.Sprintf("Back-off pulling image %q", container.Image))
		return 0
	}
	now := time.Now()
	ended := state.LastTerminationState.Terminated
	if state.State.Waiting != nil && state.State.Waiting.Reason == "CrashLoopBackOff" && ended != nil {
		backOff := min(time.Second<<min(state.RestartCount, 10), longestBackOff)
		if left := ended.FinishedAt.Add(backOff).Sub(now); left > 0 {
			return left
		}
		state.RestartCount++
		state.State = core.ContainerState{}
	}
	if state.State.Running == nil {
		state.State = core.ContainerState{Running: &core.ContainerStateRunning{StartedAt: meta.NewTime(now)}}
		state.ImageID = imageID(container.Image)
		state.ContainerID = fmt.Sprintf("pretended://%x", sha256.Sum256([]byte(state.ImageID+now.String())))
		state.Started = ptr.To(true)
	}
	started := state.State.Running.StartedAt
	switch kind {
	case crash, badConfig:
		// Without a probe, one that runs is ready.
		state.Ready = container.ReadinessProbe == nil
		if left := started.Add(running).Sub(now); left > 0 {
			return left
		}
		ended := &core.ContainerStateTerminated{
			ExitCode: 1, Reason: "Error", StartedAt: started, FinishedAt: meta.NewTime(now), ContainerID: state.ContainerID,
		}
		if kind == badConfig {
			ended.ExitCode = 78
		}
		state.LastTerminationState.Terminated = ended
		wait(state, "CrashLoopBackOff", "back-off restarting failed container")
		return time.Second
	case unready:
		return 0
	case slow:
		if left := started.Add(slowStart).Sub(now); left > 0 {
			return left
		}
	}
	state.Ready = true
	return 0
}

func wait(state *core.ContainerStatus, reason, message string) {
	state.State = core.ContainerState{Waiting: &core.ContainerStateWaiting{Reason: reason, Message: message}}
	state.Ready, state.Started = false, ptr.To(false)
}

func hasStarted(containers []core.ContainerStatus) bool {
	for _, container := range containers {
		if container.ImageID == "" {
			return false
		}
	}
	return true
}

// behaviourOf is the last word of an image's tag.
func behaviourOf(image string) string {
	image, _, _ = strings.Cut(image, "@")
	name := image[strings.LastIndex(image, "/")+1:]
	_, tag, _ := strings.Cut(name, ":")
	return tag[strings.LastIndex(tag, "-")+1:]
}

// imageID is the image by its digest, which is that of its name where it has none.
func imageID(image string) string {
	name, digest, found := strings.Cut(image, "@")
	if !found {
		digest = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(image)))
	}
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		name = name[:colon]
	}
	return name + "@" + digest
}

func setCondition(status *core.PodStatus, kind core.PodConditionType, value core.ConditionStatus) {
	for i := range status.Conditions {
		condition := &status.Conditions[i]
		if condition.Type == kind {
			if condition.Status != value {
				condition.Status, condition.LastTransitionTime = value, meta.Now()
			}
			return
		}
	}
	status.Conditions = append(status.Conditions, core.PodCondition{Type: kind, Status: value, LastTransitionTime: meta.Now()})
}

// nextAddress is a new one of the network of pods.
func (f *fleet) nextAddress() string {
	number := f.addresses.Add(1)
	return fmt.Sprintf("10.42.%d.%d", number/250%250, number%250+1)
}

// missing asks, with the rights of the node, for each ConfigMap and Secret that a pod needs to start. It returns what is missing
// among those that are mounted, and among those that are read into variables.
func (n *node) missing(context context.Context, pod *core.Pod) (mount, config string) {
	has := func(kind, name, key string, optional *bool) string {
		if name == "" || ptr.Deref(optional, false) {
			return ""
		}
		keys, err := n.keysOf(context, kind, pod.Namespace, name)
		if err != nil {
			return err.Error()
		}
		if key != "" && !keys[key] {
			return fmt.Sprintf("couldn't find key %s in %s %s/%s", key, kind, pod.Namespace, name)
		}
		return ""
	}
	note := func(where *string, problem string) {
		if *where == "" {
			*where = problem
		}
	}
	for _, volume := range pod.Spec.Volumes {
		if source := volume.ConfigMap; source != nil {
			note(&mount, has("configmap", source.Name, "", source.Optional))
		}
		if source := volume.Secret; source != nil {
			note(&mount, has("secret", source.SecretName, "", source.Optional))
		}
		if source := volume.Projected; source != nil {
			for _, projection := range source.Sources {
				if source := projection.ConfigMap; source != nil {
					note(&mount, has("configmap", source.Name, "", source.Optional))
				}
				if source := projection.Secret; source != nil {
					note(&mount, has("secret", source.Name, "", source.Optional))
				}
			}
		}
	}
	for _, container := range pod.Spec.Containers {
		for _, from := range container.EnvFrom {
			if source := from.ConfigMapRef; source != nil {
				note(&config, has("configmap", source.Name, "", source.Optional))
			}
			if source := from.SecretRef; source != nil {
				note(&config, has("secret", source.Name, "", source.Optional))
			}
		}
		for _, variable := range container.Env {
			if variable.ValueFrom == nil {
				continue
			}
			if source := variable.ValueFrom.ConfigMapKeyRef; source != nil {
				note(&config, has("configmap", source.Name, source.Key, source.Optional))
			}
			if source := variable.ValueFrom.SecretKeyRef; source != nil {
				note(&config, has("secret", source.Name, source.Key, source.Optional))
			}
		}
	}
	return mount, config
}

func (n *node) keysOf(context context.Context, kind, namespace, name string) (map[string]bool, error) {
	keys := map[string]bool{}
	if kind == "secret" {
		secret, err := n.client.CoreV1().Secrets(namespace).Get(context, name, meta.GetOptions{})
		if err != nil {
			return nil, err
		}
		for key := range secret.Data {
			keys[key] = true
		}
		return keys, nil
	}
	configMap, err := n.client.CoreV1().ConfigMaps(namespace).Get(context, name, meta.GetOptions{})
	if err != nil {
		return nil, err
	}
	for key := range configMap.Data {
		keys[key] = true
	}
	for key := range configMap.BinaryData {
		keys[key] = true
	}
	return keys, nil
}
