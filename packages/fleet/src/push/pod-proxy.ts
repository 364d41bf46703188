/** A pod's response on its metrics port, through the API server. */
import type { Rack } from './rack.ts';

export interface PodPort {
  namespace: string;
  pod: string;
  metricsPort: number;
}

/** @throws KubectlError */
export async function getFromPod(
  { namespace, pod, metricsPort }: PodPort,
  path: 'metrics' | 'readyz',
  { kubectl }: Rack,
): Promise<string> {
  const url = `/api/v1/namespaces/${namespace}/pods/${pod}:${metricsPort}/proxy/${path}`;
  return await kubectl(['get', '--raw', url], { deadlineMs: 15_000 });
}
