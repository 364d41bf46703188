/**
 * Commands run as root on a Kubernetes server (k3s or kubeadm). Each command is always the same, so that sudoers can allow
 * only these.
 */
const adminFile = '/etc/kubernetes/admin.conf';

/** @param args shell words */
export function kubectlOnServer(args: string): string {
  return onServer(`kubectl --kubeconfig ${adminFile} ${args}`, `k3s kubectl ${args}`);
}

/** containerd's ctr, for the images of pods. */
export function ctrOnServer(args: string): string {
  return onServer(`ctr -n k8s.io ${args}`, `k3s ctr -n k8s.io ${args}`);
}

function onServer(ofKubeadm: string, ofK3s: string): string {
  return `if [ -e ${adminFile} ]; then sudo -n ${ofKubeadm}; else sudo -n ${ofK3s}; fi`;
}
