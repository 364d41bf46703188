/** What a cluster is to be. */
import type { Download } from '@skolo/computers';
import type { Distribution } from './distribution.ts';

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
  /** Images on every disk before k3s starts, for a cluster without an uplink. `own`: a file of yours. */
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
