/** What a cluster is to be, and what differs between ways to make it: data for `setUp`, `deploy` and `removeNodes`. */
import type { Download, Host, Step } from '@skolo/computers';
import { type JoinCluster, type Role, unitFile } from '@skolo/k3s';

/** A computer of a cluster. */
export interface Member {
  name: string;
  /** As the others reach it. Without one, k3s takes that of the default route. */
  address?: string;
}

export interface ClusterPlan {
  distribution: Distribution;
  /** The first. Its database is that of the cluster. */
  server: Required<Member>;
  agents: readonly Member[];
  /** Where there is none yet: `v1.32.5+k3s1`, `v1.34.8` of kubeadm. */
  version: string;
  /** Images on every disk before k3s starts, for a cluster without an internet connection. `own`: a file of yours. */
  airGap?: { own?: string };
}

export interface PlanDeps {
  download: Download;
  /** Namespaces and accounts of kube/base, rendered: `skolo attach` needs them. */
  accounts(): Promise<string>;
  now(): number;
  /** For a node to be ready. Milliseconds; default 5 min. */
  readyMs?: number;
}

export interface Distribution {
  name: 'k3s' | 'kubeadm';
  /** Of its programs there: `v1.34.8`; undefined: it has none. */
  installedVersion(host: Host): Promise<string | undefined>;
  /** Programs, and what they need. Without a role, it is not known yet. */
  deploySteps(plan: Programs, deps: Pick<PlanDeps, 'download' | 'now'>, role?: Role): Step[];
  /** The server makes the cluster. */
  serverSteps(plan: ClusterPlan, deps: PlanDeps): Step[];
  /** @param server resolves when the API server answers, with a host for its commands */
  joinSteps(plan: ClusterPlan, member: Member, server: Promise<Host>, deps: PlanDeps): Step[];
  /** Its nodes, for those that leave. */
  clusterOn(server: Host): Pick<JoinCluster, 'node' | 'forget'>;
  /**
   * Ends it there, and removes it.
   *
   * @param keepsData volumes of pods stay, and on a server the database with its keys: a later setup goes on with them
   * @throws ClusterError It cannot keep data.
   */
  uninstall(host: Host, role: Role, keepsData: boolean): Promise<void>;
}

export type Programs = Pick<ClusterPlan, 'version' | 'airGap'>;

/** The part that a computer has in a cluster. */
export interface Place {
  distribution: Distribution['name'];
  role: Role;
}

const placeScript = `[ ! -e ${unitFile('server')} ] || echo k3s server
[ ! -e ${unitFile('agent')} ] || echo k3s agent
if [ -e /etc/kubernetes/admin.conf ]; then echo kubeadm server
elif [ -e /etc/kubernetes/kubelet.conf ]; then echo kubeadm agent
fi`;

/** Undefined: it is in no cluster. */
export async function placeOf(host: Host): Promise<Place | undefined> {
  const { stdout } = await host.run(placeScript);
  const [distribution, role] = (stdout.split('\n')[0] ?? '').split(' ');
  if (distribution !== 'k3s' && distribution !== 'kubeadm') return undefined;
  return role === 'server' || role === 'agent' ? { distribution, role } : undefined;
}

/** Another part is lost with all its data, and so only by `reset`. */
export function placeStep(wanted: Place): Step {
  const text = ({ distribution, role }: Place) => `${role} of ${distribution}`;
  return {
    name: 'role',
    about: `its only cluster role is ${text(wanted)}`,
    async check(host) {
      const now = await placeOf(host);
      if (now === undefined || text(now) === text(wanted)) return { differs: [] };
      return {
        differs: [
          `it is ${text(now)}, but should become ${text(wanted)}; first remove it from its cluster with skolo pi kubernetes reset`,
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

/** Ends what the network of pods has left: a script, as k3s-killall.sh. Interfaces and rules go on working without k3s or kubelet. */
export const endNetwork = `for each in cni0 flannel.1 flannel-v6.1; do ip link delete "$each" 2>/dev/null; done
for each in iptables ip6tables; do
  if command -v "$each-save" > /dev/null; then "$each-save" | grep -vE 'KUBE-|CNI-|flannel' | "$each-restore"; fi
done`;
