/** A rack's services in its cluster, each of which reports its own health. */

import { shellWord } from '@skolo/base';
import type { Check, Host } from '@skolo/computers';
import { hostOfUrl } from '@skolo/rack/light';
import { z } from 'zod';
import { kubectl } from '../server/manifests.ts';

/** A service and the port at which it reports its health. */
export interface AskedService {
  name: string;
  namespace: string;
  metricsPort: number;
}

const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), deletionTimestamp: z.string().exactOptional() }),
      status: z.object({ podIP: z.string().exactOptional(), phase: z.string() }),
    }),
  ),
});

/** Why it is not ready, and its version. */
export async function askService(host: Pick<Host, 'run'>, service: AskedService): Promise<Check> {
  const { name, namespace, metricsPort } = service;
  const hint = `kubectl describe pod -n ${namespace} -l app.kubernetes.io/name=${name}`;
  const found = await podAddress(host, service);
  if ('why' in found) return { differs: [`${name}: ${found.why}`] };
  if (found.address === undefined) return { differs: [`${name}: no pod is running; run ${hint}`] };
  const url = `http://${hostOfUrl(found.address)}:${metricsPort}`;
  const [ready, metrics] = await fetchOn(host, [`${url}/readyz`, `${url}/metrics`]);
  const [, version = ''] = /_build_info\{[^}]*version="([^"]*)"/.exec(metrics?.text ?? '') ?? [];
  if (ready?.status === 200) return { differs: [], note: `${name} ${version}`.trim() };
  const why = ready?.text.slice(0, 500).replaceAll('\n', ' ').trim() || ready?.status;
  return { differs: [`${name}: ${why}; run ${hint}`] };
}

/** Of a pod that is not being deleted. */
export async function podAddress(
  host: Pick<Host, 'run'>,
  { name, namespace }: Pick<AskedService, 'name' | 'namespace'>,
): Promise<{ address: string | undefined } | { why: string }> {
  const { code, stdout, stderr } = await host.run(
    `${kubectl} get pods -n ${namespace} -l app.kubernetes.io/name=${name} -o json`,
  );
  if (code !== 0) return { why: stderr.split('\n').at(-1) ?? '' };
  const pods = Pods.parse(JSON.parse(stdout)).items;
  const pod = pods.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  return { address: pod?.status.podIP };
}

const Fetched = z.object({ status: z.int(), text: z.string() });
type Fetched = z.output<typeof Fetched>;

/** curl may not be installed, but Node is. Tokens do not leave the computer. */
const fetchScript = `
const [headers, ...urls] = JSON.parse(process.argv[1]);
console.log(JSON.stringify(await Promise.all(urls.map(async (url) => {
  try {
    const answer = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(5000) });
    const text = (await answer.text()).slice(0, 2 ** 21);
    return { status: answer.status, text: text.includes('access_token') ? '' : text };
  } catch (error) {
    return { status: 0, text: error.cause?.message || error.message };
  }
}))));`;

/** GET requests from the host, all at the same time, each within 5 s. Status 0: no response, and why. */
export async function fetchOn(
  host: Pick<Host, 'run'>,
  urls: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): Promise<Fetched[]> {
  const words = [fetchScript, JSON.stringify([headers, ...urls])].map(shellWord).join(' ');
  const { code, stdout, stderr } = await host.run(`/usr/bin/node --input-type=module -e ${words}`, {
    deadlineMs: 30_000,
  });
  if (code === 0) return z.array(Fetched).parse(JSON.parse(stdout));
  return urls.map(() => ({ status: 0, text: stderr.split('\n').at(-1) ?? '' }));
}
