/** Measures the nodes of a cluster, one thing after the other, so that none disturbs another. */

import { randomInt } from 'node:crypto';
import { errorText, inParallel, shellWord, withoutName } from '@skolo/base';
import type { Host } from '@skolo/setup/engine';
import type { ClusterNode } from '@skolo/setup/k3s';
import { z } from 'zod';
import { kubectlOn, kubectlPrelude } from '../kubectl.ts';
import { nodesOf } from '../nodes.ts';
import { probeImage } from '../verify/probe-manifests.ts';
import { measureProgram } from './measure-program.ts';

export const Figure = z.object({
  /** `fsync p99` */
  name: z.string(),
  /** A node, or two: `host01 → host02`. */
  where: z.string(),
  value: z.number(),
  unit: z.string(),
  better: z.enum(['higher', 'lower']),
});
export type Figure = z.infer<typeof Figure>;

export interface Measured {
  figures: Figure[];
  /** What could not be measured, and why. */
  failed: { what: string; where: string; why: string }[];
}

interface MeasureDeps {
  server: Host;
  /** As root. @throws The computer cannot be reached. */
  open(node: Pick<ClusterNode, 'name' | 'address'>): Promise<Host>;
  /** Every pair of nodes, and not only each with the next. */
  allPairs: boolean;
  /** For each measurement. */
  seconds: number;
  /** Of the pods; default: one that the cluster has. */
  image?: string;
  report(text: string): void;
  signal: AbortSignal;
}

const namespace = 'skolo-bench';
const deadlineMs = 150_000;

/** What the program prints: names and units of its figures, by their keys. */
type Printed = Readonly<Record<string, readonly [name: string, unit: string]>>;

const disk: Printed = {
  fsyncMsP50: ['fsync p50', 'ms'],
  fsyncMsP99: ['fsync p99', 'ms'],
  writeMBs: ['disk write', 'MB/s'],
};
const processor: Printed = { oneCore: ['one core', 'M/s'], allCores: ['all cores', 'M/s'] };
const network: Printed = {
  mbits: ['network', 'Mbit/s'],
  rttMsP50: ['round trip p50', 'ms'],
  rttMsP99: ['round trip p99', 'ms'],
};
const requests: Printed = {
  readMsP50: ['API read p50', 'ms'],
  readMsP99: ['API read p99', 'ms'],
  writeMsP50: ['API write p50', 'ms'],
  writeMsP99: ['API write p99', 'ms'],
};
const podStart: Printed = { secondsP50: ['pod start', 's'] };

/** @throws ComputerError The API server does not respond. @throws The signal's reason. */
export async function measure(deps: MeasureDeps): Promise<Measured> {
  const { server, open, allPairs, seconds, report, signal } = deps;
  const nodes = await nodesOf(kubectlOn(server));
  const figures: Figure[] = [];
  const failed: Measured['failed'] = [];
  const hosts = new Map<string, Host>();
  async function attempt(what: string, where: string, work: () => Promise<void>): Promise<void> {
    signal.throwIfAborted();
    report(`${what}, ${where}`);
    try {
      await work();
    } catch (error) {
      signal.throwIfAborted();
      failed.push({ what, where, why: withoutName(errorText(error), where) });
    }
  }
  const add = (where: string, printed: Printed, text: string) => {
    const values = z.record(z.string(), z.number()).parse(JSON.parse(text));
    for (const [key, [name, unit]] of Object.entries(printed)) {
      const better = unit === 'ms' || unit === 's' ? 'lower' : 'higher';
      figures.push({ name, where, value: z.number().parse(values[key]), unit, better });
    }
  };

  await inParallel(nodes, 8, async (node) => {
    await attempt('ssh', node.name, async () => {
      hosts.set(node.name, await open(node));
    });
  });
  const reached = nodes.flatMap((node) => {
    const host = hosts.get(node.name);
    return host === undefined ? [] : [{ ...node, host }];
  });
  for (const { name, host } of reached) {
    await attempt('disk', name, async () => {
      add(name, disk, await run(host, ['disk', '/var/lib', seconds]));
    });
    await attempt('processor', name, async () => {
      add(name, processor, await run(host, ['cpu', seconds]));
    });
  }
  for (const [from, to] of pairsOf(reached, allPairs)) {
    const where = `${from.name} → ${to.name}`;
    await attempt('network', where, async () => {
      if (to.address === undefined)
        throw new Error(`${to.name}: the cluster lists no address for it`);
      const port = randomInt(20_000, 29_999);
      const six = to.address.includes(':') ? 1 : 0;
      const received = run(to.host, ['receive', port, six]);
      // Where the sender fails, it has said more.
      received.catch(() => undefined);
      const sent = await run(from.host, ['send', to.address, port, seconds]);
      await received;
      add(where, network, sent);
    });
  }
  const inPods = async () => {
    await attempt('API server', server.name, async () => {
      add(server.name, requests, await throughProxy(server, 'api', [100]));
    });
    const image = deps.image ?? (await probeImage(kubectlOn(server)));
    for (const { name, isReady } of nodes) {
      if (!isReady) continue;
      await attempt('pod start', name, async () => {
        add(name, podStart, await throughProxy(server, 'pod', [name, image]));
      });
    }
  };
  // What was measured before is not lost where the cluster lets nobody make pods.
  await attempt(`namespace ${namespace}`, server.name, () => inNamespace(server, inPods));
  return { figures, failed };
}

/** Each with the next, in a ring; or all, in both directions. */
export function pairsOf<T>(nodes: readonly T[], all: boolean): [T, T][] {
  if (nodes.length < 2) return [];
  if (all)
    return nodes.flatMap((from) =>
      nodes.flatMap((to): [T, T][] => (from === to ? [] : [[from, to]])),
    );
  return nodes.map((from, at): [T, T] => [from, nodes[(at + 1) % nodes.length] as T]);
}

async function run(host: Host, args: readonly (string | number)[]): Promise<string> {
  const script = `exec perl - ${wordsOf(args)}`;
  return await host.need(script, { input: measureProgram, deadlineMs });
}

/** Requests over one connection that stays open, without TLS: kubectl has it. */
async function throughProxy(
  server: Host,
  mode: 'api' | 'pod',
  args: readonly (string | number)[],
): Promise<string> {
  const script = `${kubectlPrelude}
folder=$(mktemp -d) && program=$(cat) || exit 1
kubectl proxy --unix-socket="$folder/api" --reject-methods= --accept-paths='.*' > "$folder/log" 2>&1 &
proxy=$!
trap 'kill "$proxy" 2>/dev/null; rm -rf "$folder"' EXIT
perl -e "$program" ${mode} "$folder/api" ${wordsOf([namespace, ...args])} || { cat "$folder/log" >&2; exit 1; }`;
  return await server.need(script, { input: measureProgram, deadlineMs });
}

function wordsOf(args: readonly (string | number)[]): string {
  return args.map((each) => shellWord(`${each}`)).join(' ');
}

async function inNamespace(server: Host, work: () => Promise<void>): Promise<void> {
  const kubectl = kubectlOn(server);
  const remove = ['delete', 'namespace', namespace, '--ignore-not-found'];
  await kubectl.run([...remove, '--timeout=90s'], { deadlineMs: 120_000 });
  await kubectl.run(['create', 'namespace', namespace]);
  try {
    await work();
  } finally {
    await kubectl.run([...remove, '--wait=false']).catch(() => undefined);
  }
}
