/** A rack's services in its cluster, each of which reports its own health. */

import { nodeCommand, script } from '@skolo/base';
import { hostOfUrl } from '@skolo/rack/light';
import type { Check, Host } from '@skolo/setup/engine';
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
  const { name, namespace } = service;
  const answers = await readService(host, service, ['/readyz', '/metrics']);
  if ('why' in answers) return { differs: [`${name}: ${answers.why}`] };
  const none = { status: 0, text: '' };
  const [ready = none, metrics = none] = answers;
  const [, version = ''] = /_build_info\{[^}]*version="([^"]*)"/.exec(metrics.text) ?? [];
  if (ready.status === 200) return { differs: [], note: `${name} ${version}`.trim() };
  const why = ready.text.slice(0, 500).replaceAll('\n', ' ').trim() || ready.status;
  return { differs: [`${name}: ${why}; run ${describePod(namespace, name)}`] };
}

/**
 * A service's responses to GET requests.
 *
 * @param address default: of its pod that is not being deleted
 */
export async function readService(
  host: Pick<Host, 'run'>,
  { name, namespace, metricsPort }: AskedService,
  paths: readonly string[],
  address?: string,
): Promise<Fetched[] | { why: string }> {
  const found = address ?? (await podAddress(host, name, namespace));
  if (typeof found === 'object') return found;
  const url = `http://${hostOfUrl(found)}:${metricsPort}`;
  return await fetchOn(
    host,
    paths.map((path) => `${url}${path}`),
  );
}

function describePod(namespace: string, name: string): string {
  return `kubectl describe pod -n ${namespace} -l app.kubernetes.io/name=${name}`;
}

async function podAddress(
  host: Pick<Host, 'run'>,
  name: string,
  namespace: string,
): Promise<string | { why: string }> {
  const { code, stdout, stderr } = await host.run(
    `${kubectl} get pods -n ${namespace} -l app.kubernetes.io/name=${name} -o json`,
  );
  if (code !== 0) return { why: stderr.split('\n').at(-1) ?? '' };
  const pods = Pods.parse(JSON.parse(stdout)).items;
  const pod = pods.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  const why = `no pod is running; run ${describePod(namespace, name)}`;
  return pod?.status.podIP ?? { why };
}

const Fetched = z.object({ status: z.int(), text: z.string() });
type Fetched = z.output<typeof Fetched>;

/** curl may not be installed, but Node is. Tokens do not leave the computer. */
const fetchAll = script(new URL('./fetch-all.mjs', import.meta.url));

/**
 * GET requests from the host, all at the same time, each within 5 s. Status 0: no response, and why.
 *
 * @param before a script that sets the proxy in the environment
 */
export async function fetchOn(
  host: Pick<Host, 'run'>,
  urls: readonly string[],
  headers: Readonly<Record<string, string>> = {},
  before = 'true',
): Promise<Fetched[]> {
  const get = nodeCommand(fetchAll, [JSON.stringify([headers, ...urls])]);
  const { code, stdout, stderr } = await host.run(`${before}\n${get}`, { deadlineMs: 30_000 });
  if (code === 0) return z.array(Fetched).parse(JSON.parse(stdout));
  return urls.map(() => ({ status: 0, text: stderr.split('\n').at(-1) ?? '' }));
}
