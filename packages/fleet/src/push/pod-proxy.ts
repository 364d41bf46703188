/** What a pod answers on its metrics port, through the API server. */
import type { Kubectl } from '../kubectl.ts';

export interface PodPort {
  namespace: string;
  pod: string;
  metricsPort: number;
}

/** @throws KubectlError */
export async function getFromPod(
  { namespace, pod, metricsPort }: PodPort,
  path: 'metrics' | 'readyz',
  kubectl: Kubectl,
  signal: AbortSignal,
): Promise<string> {
  const url = `/api/v1/namespaces/${namespace}/pods/${pod}:${metricsPort}/proxy/${path}`;
  return await kubectl(['get', '--raw', url], { signal, deadlineMs: 15_000 });
}
