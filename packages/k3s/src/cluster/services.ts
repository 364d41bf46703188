/** A rack's services in its cluster, each of which reports its own health. */

import { shellWord } from '@skolo/base';
import type { Check, Host } from '@skolo/computers';
import { z } from 'zod';

const kubectl = 'k3s kubectl';

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
export async function askService(
  host: Pick<Host, 'run'>,
  { name, namespace, metricsPort }: AskedService,
): Promise<Check> {
  const hint = `kubectl describe pod -n ${namespace} -l app.kubernetes.io/name=${name}`;
  const { code, stdout, stderr } = await host.run(
    `${kubectl} get pods -n ${namespace} -l app.kubernetes.io/name=${name} -o json`,
  );
  if (code !== 0) return { differs: [`${name}: ${stderr.split('\n').at(-1)}`] };
  const pods = Pods.parse(JSON.parse(stdout)).items;
  const pod = pods.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  const address = pod?.status.podIP;
  if (address === undefined) return { differs: [`${name}: no pod is running; run ${hint}`] };
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${metricsPort}`;
  const answer = await host.run(askScript(url));
  const [status = '', version = '', ...body] = answer.stdout.split('\n');
  if (status === '200') return { differs: [], note: `${name} ${version}`.trim() };
  return { differs: [`${name}: ${body.join(' ').trim() || status || answer.stderr}; run ${hint}`] };
}

/** Status, version and body of \`/readyz\`. curl may not be there, Node is. */
function askScript(url: string): string {
  const script = `
const ask = async (path) => fetch(${JSON.stringify(url)} + path, { signal: AbortSignal.timeout(5000) });
try {
  const ready = await ask('/readyz');
  const body = await ready.text();
  const metrics = await ask('/metrics').then((answer) => answer.text()).catch(() => '');
  console.log(ready.status + '\\n' + (/_build_info\\{[^}]*version="([^"]*)"/.exec(metrics)?.[1] ?? '') + '\\n' + body.slice(0, 500));
} catch (error) { console.log('0\\n\\n' + (error.cause?.message ?? error.message)); }`;
  return `/usr/bin/node --input-type=module -e ${shellWord(script)}`;
}
