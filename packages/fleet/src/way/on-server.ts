/**
 * Programs of root on a server of Kubernetes, of k3s or of kubeadm. Each command alone is always the same, so that sudoers can allow
 * just these.
 */
const adminFile = '/etc/kubernetes/admin.conf';

/** @param args words of a shell */
export function kubectlOnServer(args: string): string {
  return onServer(`kubectl --kubeconfig ${adminFile} ${args}`, `k3s kubectl ${args}`);
}

/** ctr of containerd, for the images of pods. */
export function ctrOnServer(args: string): string {
  return onServer(`ctr -n k8s.io ${args}`, `k3s ctr -n k8s.io ${args}`);
}

function onServer(ofKubeadm: string, ofK3s: string): string {
  return `if [ -e ${adminFile} ]; then sudo -n ${ofKubeadm}; else sudo -n ${ofK3s}; fi`;
}
