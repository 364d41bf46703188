/** Verifies each part of the testbed with the requests of its users, and that Grafana does not accept its default password. */

import { count, errorText, type Finding } from '@skolo/base';
import type { Fetch } from '@skolo/base/internet';
import { z } from 'zod';
import { FleetError } from '../errors.ts';
import { Condition, deadNodes } from '../push/gate.ts';
import { type KubeObject, titleOf } from '../push/objects.ts';
import { getObjects, type Rack, readNodes } from '../push/rack.ts';
import { problemText } from '../push/rollout.ts';
import { readTestbed } from './parts.ts';
import { judgeAll } from './up.ts';

interface VerifyOptions {
  /** Reaches node ports through the jumphost. */
  fetch: Fetch;
  signal: AbortSignal;
}

/** @throws KubectlError The cluster cannot be queried at all. @throws The signal's reason. */
export async function verifyTestbed(cluster: Rack, options: VerifyOptions): Promise<Finding[]> {
  const { signal } = options;
  const nodes = await readNodes(cluster);
  const checks: readonly [name: string, work: () => Promise<string>][] = [
    ['nodes', async () => nodesLive(nodes)],
    ['pods', () => podsReady(cluster)],
    ['volumes', () => claimsBound(cluster)],
    ['metrics', () => metricsOf(cluster, nodes)],
    ['prometheus', () => targetsUp(cluster)],
    ['grafana', () => hasNoUsualPassword(cluster, options)],
    ['dashboard', () => dashboardAnswers(cluster)],
    ['pipeline', () => lastRun(cluster)],
  ];
  return await Promise.all(
    checks.map(async ([thing, work]): Promise<Finding> => {
      try {
        return { thing, state: 'ok', found: await work() };
      } catch (error) {
        signal.throwIfAborted();
        const { advice } = error instanceof Wrong ? error : {};
        return { thing, state: 'differs', found: errorText(error), advice };
      }
    }),
  );
}

/** What differs, and what to do. */
class Wrong extends FleetError {
  readonly advice: string | undefined;

  constructor(found: string, advice?: string) {
    super(found);
    this.advice = advice;
  }
}

function nodesLive(nodes: readonly KubeObject[]): string {
  const dead = deadNodes(nodes);
  if (dead.size > 0) throw new Wrong(`not ready: ${[...dead].join(', ')}`);
  return `${nodes.length} ready`;
}

async function podsReady(cluster: Rack): Promise<string> {
  const workloads = await readTestbed(cluster, ['deployments', 'daemonsets']);
  if (workloads.length === 0)
    throw new Wrong('the testbed is not installed in the cluster', 'run skolo pi testbed up');
  const verdicts = await judgeAll(cluster, workloads);
  const bad = verdicts.filter(({ verdict }) => verdict.state !== 'ready');
  if (bad.length > 0) {
    const texts = bad.map(
      ({ workload, verdict }) => `${titleOf(workload)}: ${problemText(verdict)}`,
    );
    throw new Wrong(texts.join('; '));
  }
  return `${workloads.length} workloads ready`;
}

const Claim = z.object({
  metadata: z.object({ name: z.string() }),
  status: z.object({ phase: z.string().default('Pending') }).prefault({}),
});

async function claimsBound(cluster: Rack): Promise<string> {
  const claims = (await readTestbed(cluster, ['persistentvolumeclaims'])).map((object) =>
    Claim.parse(object),
  );
  const names = (all: typeof claims) => all.map(({ metadata }) => metadata.name).join(', ');
  if (claims.length === 0)
    throw new Wrong('the testbed has no volume claims', 'run skolo pi testbed up');
  const unbound = claims.filter(({ status }) => status.phase !== 'Bound');
  if (unbound.length > 0) throw new Wrong(`without a volume: ${names(unbound)}`);
  return `bound: ${names(claims)}`;
}

const Metrics = z.object({
  items: z.array(z.object({ metadata: z.object({ name: z.string() }) })),
});

async function metricsOf(cluster: Rack, nodes: readonly KubeObject[]): Promise<string> {
  const { items } = Metrics.parse(await getJson(cluster, '/apis/metrics.k8s.io/v1beta1/nodes'));
  const seen = new Set(items.map(({ metadata }) => metadata.name));
  const missing = nodes.map(({ metadata }) => metadata.name).filter((name) => !seen.has(name));
  if (missing.length > 0) throw new Wrong(`no metrics from ${missing.join(', ')}`);
  return `metrics from ${count(seen.size, 'node')}`;
}

const Targets = z.object({
  data: z.object({
    activeTargets: z.array(
      z.object({
        labels: z.object({ job: z.string(), instance: z.string() }),
        health: z.string(),
        lastError: z.string().default(''),
      }),
    ),
  }),
});

async function targetsUp(cluster: Rack): Promise<string> {
  const path = servicePath('testbed', 'prometheus:9090', 'api/v1/targets?state=active');
  const { activeTargets } = Targets.parse(await getJson(cluster, path)).data;
  // The health of a new target is unknown until it is scraped.
  const down = activeTargets.filter(({ health }) => health === 'down');
  if (activeTargets.length === 0) throw new Wrong('Prometheus does not scrape any targets');
  if (down.length > 0) {
    const texts = down.map(
      ({ labels: { job, instance }, lastError }) => `${job} ${instance}: ${lastError}`,
    );
    throw new Wrong(texts.join('; '));
  }
  return count(activeTargets.length, 'target');
}

/** Tries Grafana's initial user name and password. */
async function hasNoUsualPassword(
  cluster: Rack,
  { fetch, signal }: VerifyOptions,
): Promise<string> {
  const url = `${await nodeUrl(cluster, 'testbed', 'grafana')}/api/org`;
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(30_000)]);
  const authorization = `Basic ${Buffer.from('admin:admin').toString('base64')}`;
  const { status } = await fetch(url, { headers: { authorization }, signal: deadline }).catch(
    (error: Error) => {
      throw new Wrong(`${url} did not respond: ${errorText(error.cause ?? error)}`);
    },
  );
  if (status === 200)
    throw new Wrong(
      `${url} accepts the user admin with the password admin`,
      "delete Grafana's pod",
    );
  if (status !== 401) throw new Wrong(`${url} returns ${status} instead of 401`);
  return 'Grafana rejects the user admin with the password admin';
}

async function dashboardAnswers({ kubectl }: Rack): Promise<string> {
  const path = servicePath('testbed', 'dashboard:80', '');
  const page = await kubectl(['get', '--raw', path], { deadlineMs: 30_000 });
  if (!page.includes('<html')) throw new Wrong('the dashboard does not return an HTML page');
  return 'responds';
}

const Job = z.object({
  metadata: z.object({ creationTimestamp: z.string().default('') }),
  status: z.object({ conditions: z.array(Condition).default([]) }).prefault({}),
});

/** How a Job ended: undefined while it runs. */
export function endOfJob(object: KubeObject): { isDone: boolean; message: string } | undefined {
  const { conditions } = Job.parse(object).status;
  const end = conditions.find(
    ({ type, status }) => /^(Complete|Failed)$/.test(type) && status === 'True',
  );
  return end && { isDone: end.type === 'Complete', message: end.message };
}

async function lastRun(cluster: Rack): Promise<string> {
  const args = ['jobs', '-n', 'testbed-build', '-l', 'app.kubernetes.io/name=pipeline'];
  const last = (await getObjects(cluster, args))
    .map((object) => ({ object, created: Job.parse(object).metadata.creationTimestamp }))
    .sort((a, b) => (a.created < b.created ? 1 : -1))[0];
  if (!last) throw new Wrong('the pipeline has not run yet', 'run skolo pi testbed run');
  const { name } = last.object.metadata;
  const end = endOfJob(last.object);
  if (end === undefined) throw new Wrong(`run ${name} has not finished`);
  if (!end.isDone) throw new Wrong(`run ${name} failed: ${end.message}`);
  return `run ${name} succeeded`;
}

const Addresses = z.object({
  status: z.object({
    addresses: z.array(z.object({ type: z.string(), address: z.string() })).default([]),
  }),
});

const NodePorts = z.object({
  spec: z.object({ ports: z.tuple([z.object({ nodePort: z.number() })]) }),
});

/** The URL of a Service on the first node that is ready, at the port that it has in the cluster. @throws FleetError, KubectlError */
export async function nodeUrl(cluster: Rack, namespace: string, name: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/services/${name}`;
  const [port] = NodePorts.parse(await getJson(cluster, path)).spec.ports;
  return `http://${addressOf(await readNodes(cluster))}:${port.nodePort}`;
}

function addressOf(nodes: readonly KubeObject[]): string {
  const dead = deadNodes(nodes);
  const found = nodes
    .filter(({ metadata }) => !dead.has(metadata.name))
    .flatMap((node) => Addresses.parse(node).status.addresses)
    .find(({ type }) => type === 'InternalIP');
  if (!found) throw new Wrong('no ready node has an address');
  return found.address.includes(':') ? `[${found.address}]` : found.address;
}

/** A path of a Service, through the API server. */
export function servicePath(namespace: string, service: string, path: string): string {
  return `/api/v1/namespaces/${namespace}/services/${service}/proxy/${path}`;
}

async function getJson({ kubectl }: Rack, path: string): Promise<unknown> {
  return JSON.parse(await kubectl(['get', '--raw', path], { deadlineMs: 30_000 }));
}
