package main

import (
	"context"
	"fmt"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// reference is a ConfigMap or Secret that a pod needs to start.
type reference struct {
	secret    bool
	name, key string
	optional  *bool
	// mounted as a volume; else read into a variable.
	mounted bool
}

// missing asks for all that a pod needs, with the rights of the node. It returns what is missing among volumes, and among variables.
func (n *node) missing(context context.Context, pod *core.Pod) (mount, config string) {
	for _, reference := range referencesOf(&pod.Spec) {
		problem := n.problemWith(context, pod.Namespace, reference)
		if reference.mounted && mount == "" {
			mount = problem
		} else if !reference.mounted && config == "" {
			config = problem
		}
	}
	return mount, config
}

func (n *node) problemWith(context context.Context, namespace string, reference reference) string {
	if ptr.Deref(reference.optional, false) {
		return ""
	}
	keys := map[string]bool{}
	if reference.secret {
		secret, err := n.client.CoreV1().Secrets(namespace).Get(context, reference.name, meta.GetOptions{})
		if err != nil {
			return err.Error()
		}
		for key := range secret.Data {
			keys[key] = true
		}
	} else {
		configMap, err := n.client.CoreV1().ConfigMaps(namespace).Get(context, reference.name, meta.GetOptions{})
		if err != nil {
			return err.Error()
		}
		for key := range configMap.Data {
			keys[key] = true
		}
		for key := range configMap.BinaryData {
			keys[key] = true
		}
	}
	if reference.key != "" && !keys[reference.key] {
		return fmt.Sprintf("couldn't find key %s in %s/%s", reference.key, namespace, reference.name)
	}
	return ""
}

func referencesOf(spec *core.PodSpec) []reference {
	var all []reference
	for _, volume := range spec.Volumes {
		if source := volume.ConfigMap; source != nil {
			all = append(all, reference{name: source.Name, optional: source.Optional, mounted: true})
		}
		if source := volume.Secret; source != nil {
			all = append(all, reference{secret: true, name: source.SecretName, optional: source.Optional, mounted: true})
		}
		if volume.Projected == nil {
			continue
		}
		for _, projection := range volume.Projected.Sources {
			if source := projection.ConfigMap; source != nil {
				all = append(all, reference{name: source.Name, optional: source.Optional, mounted: true})
			}
			if source := projection.Secret; source != nil {
				all = append(all, reference{secret: true, name: source.Name, optional: source.Optional, mounted: true})
			}
		}
	}
	for _, container := range spec.Containers {
		for _, from := range container.EnvFrom {
			if source := from.ConfigMapRef; source != nil {
				all = append(all, reference{name: source.Name, optional: source.Optional})
			}
			if source := from.SecretRef; source != nil {
				all = append(all, reference{secret: true, name: source.Name, optional: source.Optional})
			}
		}
		for _, variable := range container.Env {
			from := variable.ValueFrom
			if from == nil {
				continue
			}
			if source := from.ConfigMapKeyRef; source != nil {
				all = append(all, reference{name: source.Name, key: source.Key, optional: source.Optional})
			}
			if source := from.SecretKeyRef; source != nil {
				all = append(all, reference{secret: true, name: source.Name, key: source.Key, optional: source.Optional})
			}
		}
	}
	return all
}
