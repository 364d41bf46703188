/** A push by one user to one cluster, for tests. */
import { pid } from 'node:process';
import { kubectlAt } from '../../testing/kubectl.ts';
import { openRecords, openRepository, type PushDeps, type Request } from '../index.ts';

export interface Work {
  /** Path of the program. */
  kubectl: string;
  kubeconfig: string;
  /** Path of kube/clusters/config.json. */
  clusters: string;
  /** A folder, which need not exist. */
  records: string;
  request: Request;
}

export async function pushDeps(
  { kubectl, kubeconfig, clusters, records, request }: Work,
  {
    mayBeDirty = false,
    ...given
  }: Pick<PushDeps, 'times'> & Partial<PushDeps> & { mayBeDirty?: boolean },
): Promise<PushDeps> {
  const { signal } = new AbortController();
  return {
    repository: await openRepository(clusters, signal, { mayBeDirty }),
    records: openRecords(records),
    open: async (name) => ({
      name,
      kubectl: kubectlAt(kubeconfig, kubectl),
      close: async () => undefined,
    }),
    stages: [request.racks],
    workstation: { name: 'ann@desk', pid, isAlive: () => false },
    signal,
    now: Date.now,
    report: () => undefined,
    ...given,
  };
}
