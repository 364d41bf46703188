/** Measures the nodes of a cluster, one thing after the other, so that none disturbs another. */
import { randomInt } from 'node:crypto';
import { inParallel, shellWord } from '@skolo/errors';
import type { Host } from '@skolo/jumphost';
import { z } from 'zod';
import { kubectlOn, kubectlPrelude } from '../kubectl.ts';
import { type NodeState, nodesOf } from '../nodes.ts';
import { reasonOf } from '../reason.ts';
import { probeImage } from '../verify/probe-manifests.ts';
import { measureProgram } from './measure-program.ts';

export interface Figure {
  /** `fsync p99` */
  name: string;
  /** A node, or two: `host01 → host02`. */
  where: string;
  value: number;
  unit: string;
  better: 'higher' | 'lower';
}

export interface Measured {
  figures: Figure[];
  /** What could not be measured, and why. */
  failed: { what: string; where: string; why: string }[];
}

export interface MeasureDeps {
  server: Host;
  /** As root. @throws The computer cannot be reached. */
  open(node: Pick<NodeState, 'name' | 'address'>): Promise<Host>;
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

const Disk = z.object({ fsyncMsP50: z.number(), fsyncMsP99: z.number(), writeMBs: z.number() });
const Cpu = z.object({ oneCore: z.number(), allCores: z.number() });
const Sent = z.object({ rttMsP50: z.number(), rttMsP99: z.number(), mbits: z.number() });
const Api = z.object({
  ...{ readMsP50: z.number(), readMsP99: z.number() },
  ...{ writeMsP50: z.number(), writeMsP99: z.number() },
});
const Started = z.object({ secondsP50: z.number() });

/** @throws JumphostError The API server does not answer. @throws The signal's reason. */
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
      failed.push({ what, where, why: reasonOf(where, error) });
    }
  }
  const add = (where: string, ...some: Omit<Figure, 'where'>[]) =>
    figures.push(...some.map((each) => ({ ...each, where })));
  const higher = (name: string, value: number, unit: string) =>
    ({ name, value, unit, better: 'higher' }) as const;
  const lower = (name: string, value: number, unit: string) =>
    ({ name, value, unit, better: 'lower' }) as const;

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
      const found = await run(host, Disk, ['disk', '/var/lib', seconds]);
      add(
        name,
        lower('fsync p50', found.fsyncMsP50, 'ms'),
        lower('fsync p99', found.fsyncMsP99, 'ms'),
        higher('disk write', found.writeMBs, 'MB/s'),
      );
    });
    await attempt('processor', name, async () => {
      const { oneCore, allCores } = await run(host, Cpu, ['cpu', seconds]);
      add(name, higher('one core', oneCore, 'M/s'), higher('all cores', allCores, 'M/s'));
    });
  }
  for (const [from, to] of pairsOf(reached, allPairs)) {
    const where = `${from.name} → ${to.name}`;
    await attempt('network', where, async () => {
      if (to.address === undefined) throw new Error(`${to.name}: has no address in the cluster`);
      const port = randomInt(20_000, 29_999);
      const six = to.address.includes(':') ? 1 : 0;
      const received = run(to.host, z.object({}), ['receive', port, six]);
      // Where the sender fails, it has said more.
      received.catch(() => undefined);
      const sent = await run(from.host, Sent, ['send', to.address, port, seconds]);
      await received;
      add(
        where,
        higher('network', sent.mbits, 'Mbit/s'),
        lower('round trip p50', sent.rttMsP50, 'ms'),
        lower('round trip p99', sent.rttMsP99, 'ms'),
      );
    });
  }
  const inPods = async () => {
    await attempt('API server', server.name, async () => {
      const found = await throughProxy(server, Api, 'api', [100]);
      add(
        server.name,
        lower('API read p50', found.readMsP50, 'ms'),
        lower('API read p99', found.readMsP99, 'ms'),
        lower('API write p50', found.writeMsP50, 'ms'),
        lower('API write p99', found.writeMsP99, 'ms'),
      );
    });
    const image = deps.image ?? (await probeImage(kubectlOn(server)));
    for (const { name, isReady } of nodes) {
      if (!isReady) continue;
      await attempt('pod start', name, async () => {
        const { secondsP50 } = await throughProxy(server, Started, 'pod', [name, image]);
        add(name, lower('pod start', secondsP50, 's'));
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

async function run<S extends z.ZodType>(
  host: Host,
  schema: S,
  args: readonly (string | number)[],
): Promise<z.output<S>> {
  const words = args.map((each) => shellWord(String(each))).join(' ');
  const text = await host.need(`exec perl - ${words}`, { input: measureProgram, deadlineMs });
  return schema.parse(JSON.parse(text));
}

/** Requests over one connection that stays open, without TLS: kubectl has it. */
async function throughProxy<S extends z.ZodType>(
  server: Host,
  schema: S,
  mode: 'api' | 'pod',
  args: readonly (string | number)[],
): Promise<z.output<S>> {
  const words = [namespace, ...args].map((each) => shellWord(String(each))).join(' ');
  const script = `${kubectlPrelude}
folder=$(mktemp -d) && program=$(cat) || exit 1
kubectl proxy --unix-socket="$folder/api" --reject-methods= --accept-paths='.*' > "$folder/log" 2>&1 &
proxy=$!
trap 'kill "$proxy" 2>/dev/null; rm -rf "$folder"' EXIT
perl -e "$program" ${mode} "$folder/api" ${words} || { cat "$folder/log" >&2; exit 1; }`;
  const text = await server.need(script, { input: measureProgram, deadlineMs });
  return schema.parse(JSON.parse(text));
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
