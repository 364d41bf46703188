/** Ends what the network of pods has left: a script, as k3s-killall.sh. Interfaces and rules go on working without k3s or kubelet. */
export const endNetwork = `for each in cni0 flannel.1 flannel-v6.1; do ip link delete "$each" 2>/dev/null; done
for each in iptables ip6tables; do
  if command -v "$each-save" > /dev/null; then "$each-save" | grep -vE 'KUBE-|CNI-|flannel' | "$each-restore"; fi
done`;
