/** A cluster's settings, and the differences between distributions (k3s, kubeadm): data for `setUp`, `deploy` and `removeNodes`. */

import type { Download, Host, Step } from '@skolo/setup/engine';
import { type JoinCluster, type Role, unitFile } from '@skolo/setup/k3s';

/** A computer of a cluster. */
export interface Member {
  name: string;
  /** The address at which the others reach it. By default, k3s uses that of the default route. */
  address?: string;
}

export interface ClusterPlan {
  distribution: Distribution;
  /** The first computer, which contains the cluster's database. */
  server: Required<Member>;
  agents: readonly Member[];
  /** Version for new installations: `v1.32.5+k3s1`, or kubeadm's `v1.34.8`. */
  version: string;
  /** Images copied to each disk before k3s starts, for a cluster without an internet connection. `own`: your own file. */
  airGap?: { own?: string };
}

export interface PlanDeps {
  download: Download;
  /** Rendered namespaces and accounts from kube/base, which `skolo attach` requires. */
  accounts(): Promise<string>;
  now(): number;
  /** Time for a node to become ready, in milliseconds; default 5 min. */
  readyMs?: number;
}

export interface Distribution {
  name: 'k3s' | 'kubeadm';
  /** Version of its programs on the computer: `v1.34.8`; undefined: not installed. */
  installedVersion(host: Host): Promise<string | undefined>;
  /** Programs and their requirements. Without a role, the role is not known yet. */
  deploySteps(plan: Programs, deps: Pick<PlanDeps, 'download' | 'now'>, role?: Role): Step[];
  /** The server creates the cluster. */
  serverSteps(plan: ClusterPlan, deps: PlanDeps): Step[];
  /** @param server resolves when the API server responds, with a host for its commands */
  joinSteps(plan: ClusterPlan, member: Member, server: Promise<Host>, deps: PlanDeps): Step[];
  /** Its nodes, for removals. */
  clusterOn(server: Host): Pick<JoinCluster, 'node' | 'forget'>;
  /**
   * Stops and uninstalls it on a computer.
   *
   * @param keepsData pod volumes stay, and on a server, the database and its keys, so that a later setup can reuse them
   * @throws ClusterError It cannot keep data.
   */
  uninstall(host: Host, role: Role, keepsData: boolean): Promise<void>;
}

export type Programs = Pick<ClusterPlan, 'version' | 'airGap'>;

/** A computer's role in a cluster. */
interface Place {
  distribution: Distribution['name'];
  role: Role;
}

const placeScript = `[ ! -e ${unitFile('server')} ] || echo k3s server
[ ! -e ${unitFile('agent')} ] || echo k3s agent
if [ -e /etc/kubernetes/admin.conf ]; then echo kubeadm server
elif [ -e /etc/kubernetes/kubelet.conf ]; then echo kubeadm agent
fi`;

/** Undefined: it does not belong to a cluster. */
export async function placeOf(host: Host): Promise<Place | undefined> {
  const { stdout } = await host.run(placeScript);
  const [distribution, role] = (stdout.split('\n')[0] ?? '').split(' ');
  if (distribution !== 'k3s' && distribution !== 'kubeadm') return undefined;
  return role === 'server' || role === 'agent' ? { distribution, role } : undefined;
}

/** A different role is removed, with all its data, only by `reset`. */
export function placeStep(wanted: Place): Step {
  const text = ({ distribution, role }: Place) => `${distribution} ${role}`;
  return {
    name: 'role',
    about: `the computer's only cluster role is ${text(wanted)}`,
    async check(host) {
      const now = await placeOf(host);
      if (now === undefined || text(now) === text(wanted)) return { differs: [] };
      return {
        differs: [
          `this computer is a ${text(now)}, not a ${text(wanted)}; run skolo pi kubernetes reset to remove it from its current cluster`,
        ],
      };
    },
  };
}

/** A worker waits for it. */
export function serverStep(server: Promise<Host>): Step {
  return {
    name: 'server',
    about: "the cluster's server is ready",
    async check() {
      await server;
      return { differs: [] };
    },
  };
}

/** Script that removes the pod network, like k3s-killall.sh. Its interfaces and rules keep working without k3s or the kubelet. */
export const endNetwork = `for each in cni0 flannel.1 flannel-v6.1; do ip link delete "$each" 2>/dev/null; done
for each in iptables ip6tables; do
  if command -v "$each-save" > /dev/null; then "$each-save" | grep -vE 'KUBE-|CNI-|flannel' | "$each-restore"; fi
done`;
