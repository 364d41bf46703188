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
	if pod.Status.StartTime == nil {
		n.place(pod)
	}
	again := n.advanceContainers(context, pod)
	summarize(&pod.Status)
	return again
}

// place gives a pod its addresses, and lets its init containers end at once.
func (n *node) place(pod *core.Pod) {
	status := &pod.Status
	now := meta.Now()
	status.StartTime = &now
	status.HostIP, status.PodIP = n.address(), n.address()
	if !pod.Spec.HostNetwork {
		status.PodIP = n.fleet.nextAddress()
	}
	status.HostIPs, status.PodIPs = []core.HostIP{{IP: status.HostIP}}, []core.PodIP{{IP: status.PodIP}}
	for _, container := range pod.Spec.InitContainers {
		ended := &core.ContainerStateTerminated{Reason: "Completed", StartedAt: now, FinishedAt: now}
		status.InitContainerStatuses = append(status.InitContainerStatuses, core.ContainerStatus{
			Name: container.Name, Image: container.Image, ImageID: imageID(container.Image), Ready: true,
			State: core.ContainerState{Terminated: ended},
		})
	}
	status.ContainerStatuses = make([]core.ContainerStatus, len(pod.Spec.Containers))
}

func (n *node) advanceContainers(context context.Context, pod *core.Pod) time.Duration {
	containers := pod.Status.ContainerStatuses
	mount, config := "", ""
	if !allStarted(containers) {
		mount, config = n.missing(context, pod)
	}
	if mount != "" {
		n.fleet.events.Event(pod, core.EventTypeWarning, "FailedMount", "MountVolume.SetUp failed: "+mount)
	}
	soonest := time.Duration(0)
	for i, container := range pod.Spec.Containers {
		state := &containers[i]
		state.Name, state.Image = container.Name, container.Image
		again := askAgain
		switch {
		case mount != "":
			wait(state, "ContainerCreating", "")
		case config != "":
			wait(state, "CreateContainerConfigError", config)
		default:
			again = advanceContainer(state, &container)
		}
		if again > 0 && (soonest == 0 || again < soonest) {
			soonest = again
		}
	}
	return soonest
}

// summarize derives the phase and the conditions of a pod from its containers.
func summarize(status *core.PodStatus) {
	status.Phase = core.PodRunning
	if !allStarted(status.ContainerStatuses) {
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

func allStarted(containers []core.ContainerStatus) bool {
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
