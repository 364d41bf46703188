/**
 * Stands in for k3s on a jumphost: an API server with the objects of two services, and a kubelet that runs their pods as real processes
 * outside its own unit, as k3s does, with back-off after crashes and a ServiceLB that intercepts a port. Objects are in a file, and survive
 * its death; so do containers.
 *
 * `node fake-k3s.ts FOLDER`: reads and writes FOLDER/objects.json; FOLDER/faults.json contains its faults.
 */

import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { createServer, IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';

interface Pod {
  name: string;
  app: string;
  /** The transient systemd unit that is its container. */
  container: string;
  crashes: number;
  /** This process's uptime at which it may be restarted. */
  notBefore: number;
}

/** As stored by the API server, by path. */
type Objects = Record<string, Record<string, unknown>>;

export interface Faults {
  /** It ends immediately after its start. */
  crashes?: boolean;
  /** It accepts connections, but never responds. */
  hangs?: boolean;
  nodeIsNotReady?: boolean;
  /** Pods wait for an image that cannot be pulled. */
  noImages?: boolean;
}

/** The kubelet's input for a container. */
export interface PodSpec {
  namespace: string;
  /** Arguments of systemd-run before the program. */
  properties: string[];
  command: string[];
  readiness: string;
  /** ServiceLB's work for it: the program for iptables rules, and the rule. */
  catchPort?: string[];
}

const [, , folder = ''] = process.argv;
const objectsFile = join(folder, 'objects.json');
const specs = readJson(join(folder, 'pods.json')) as Record<string, PodSpec>;
let objects = readJson(objectsFile) as Objects;
/** The kubelet's back-off: 10 s to 300 s in reality. */
const backOffMs = { first: 1000, longest: 8000 };

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function faults(): Faults {
  try {
    return readJson(join(folder, 'faults.json')) as Faults;
  } catch {
    return {};
  }
}

function save() {
  writeFileSync(`${objectsFile}.new`, JSON.stringify(objects, null, 1));
  renameSync(`${objectsFile}.new`, objectsFile);
}

/** RFC 7386. */
function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = merge(merged[key], value);
  }
  return merged;
}

if (faults().crashes) process.exit(1);

const pods = new Map<string, Pod>();
for (const pod of Object.values((objects.pods ?? {}) as Record<string, Pod>)) {
  pods.set(pod.name, { ...pod, notBefore: 0 });
}

function replicas(app: string): number {
  const path = `/apis/apps/v1/namespaces/${specs[app]?.namespace}/deployments/${app}`;
  const { spec } = (objects[path] ?? {}) as { spec?: { replicas?: number } };
  return spec?.replicas ?? 0;
}

function unitState(unit: string) {
  const text = execFileSync(
    'systemctl',
    ['show', '--property=ActiveState,ExecMainStatus', '--value', unit],
    { encoding: 'utf8' },
  );
  const [exitCode = '0', state = 'inactive'] = text.split('\n');
  return { isRunning: state === 'active' || state === 'activating', exitCode: Number(exitCode) };
}

const readiness = new Map<string, boolean>();

/** One round of the kubelet and the controllers. */
async function reconcile() {
  for (const app of Object.keys(specs)) {
    const own = [...pods.values()].filter((pod) => pod.app === app);
    if (replicas(app) === 0) for (const pod of own) remove(pod);
    else if (own.length === 0) {
      const name = `${app}-${Math.random().toString(36).slice(2, 7)}`;
      pods.set(name, { name, app, container: `pod-${name}`, crashes: 0, notBefore: 0 });
    }
    catchPort(app);
  }
  for (const pod of pods.values()) await runPod(pod);
  objects = { ...objects, pods: Object.fromEntries(pods) };
  save();
}

async function runPod(pod: Pod) {
  const spec = specs[pod.app];
  if (spec === undefined) return;
  const { isRunning } = unitState(pod.container);
  if (isRunning) {
    readiness.set(pod.name, await isReady(spec.readiness));
    return;
  }
  readiness.set(pod.name, false);
  if (faults().noImages || performance.now() < pod.notBefore) return;
  // A container that has ended is a crash; one that never existed is not.
  const wait = Math.min(backOffMs.first * 2 ** pod.crashes, backOffMs.longest);
  pod.crashes += 1;
  pod.notBefore = performance.now() + wait;
  const flags = ['--quiet', '--slice=kubepods.slice', `--unit=${pod.container}`];
  // It fails if the container has never run.
  succeeds(() => execFileSync('systemctl', ['reset-failed', pod.container], { stdio: 'ignore' }));
  execFileSync('systemd-run', [...flags, ...spec.properties, ...spec.command]);
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(20_000) })).ok;
  } catch {
    return false;
  }
}

function remove(pod: Pod) {
  pods.delete(pod.name);
  execFile('systemctl', ['stop', pod.container], () => {});
}

/** Applications with a rule. Known after this process has checked once: nobody else changes it. */
const caught = new Map<string, boolean>();

/** A LoadBalancer intercepts its port by iptables rules, even without a pod behind it. */
function catchPort(app: string) {
  const spec = specs[app];
  if (spec?.catchPort === undefined) return;
  const path = `/api/v1/namespaces/${spec.namespace}/services/${app}`;
  const service = objects[path] as { spec?: { type?: string } } | undefined;
  const isWanted = service?.spec?.type === 'LoadBalancer';
  const [iptables = '', ...rule] = spec.catchPort;
  const run = (verb: string) =>
    execFileSync(iptables, ['-w', '-t', 'nat', verb, ...rule], { stdio: 'ignore' });
  const isThere = caught.get(app) ?? succeeds(() => run('-C'));
  if (isWanted !== isThere) run(isWanted ? '-A' : '-D');
  caught.set(app, isWanted);
}

function succeeds(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}

function podObject(pod: Pod) {
  const { isRunning, exitCode } = unitState(pod.container);
  const ended = { exitCode };
  const waiting = faults().noImages
    ? { reason: 'ImagePullBackOff', message: 'no internet connection' }
    : { reason: 'CrashLoopBackOff' };
  return {
    metadata: { name: pod.name, labels: { 'app.kubernetes.io/name': pod.app } },
    status: {
      phase: 'Running',
      containerStatuses: [
        {
          ready: readiness.get(pod.name) ?? false,
          state: isRunning ? { running: {} } : { waiting },
          lastState: pod.crashes > 1 ? { terminated: ended } : {},
        },
      ],
    },
  };
}

function answer(method: string, url: URL, body: string): { status: number; body: unknown } {
  const path = url.pathname;
  const selector = url.searchParams.get('labelSelector') ?? '';
  if (path === '/readyz') return { status: 200, body: 'ok' };
  if (path === '/api/v1/nodes') {
    const status = faults().nodeIsNotReady ? 'Unknown' : 'True';
    const node = {
      metadata: { name: 'jumphost-rack4' },
      status: { conditions: [{ type: 'Ready', status }] },
    };
    return { status: 200, body: { items: selector.includes('jumphost=true') ? [node] : [] } };
  }
  const [, name] = path.match(/\/pods\/(.+)$/) ?? [];
  if (name !== undefined && method === 'DELETE') {
    const pod = pods.get(name);
    if (pod !== undefined) remove(pod);
    return { status: pod === undefined ? 404 : 200, body: {} };
  }
  if (path.endsWith('/pods')) {
    const own = [...pods.values()].filter(
      ({ app }) =>
        selector === `app.kubernetes.io/name=${app}` &&
        path === `/api/v1/namespaces/${specs[app]?.namespace}/pods`,
    );
    return { status: 200, body: { items: own.map(podObject) } };
  }
  const object = path.replace(/\/scale$/, '');
  const found = objects[object];
  if (found === undefined) return { status: 404, body: { kind: 'Status', code: 404 } };
  if (method === 'PATCH') {
    objects[object] = merge(found, JSON.parse(body)) as Record<string, unknown>;
    save();
  }
  return { status: 200, body: objects[object] };
}

function text(request: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let body = '';
    request.on('data', (data: Buffer) => {
      body += data;
    });
    request.on('end', () => resolve(body));
  });
}

const listener: Parameters<typeof createServer>[1] = async (request, response) => {
  const body = await text(request);
  if (faults().hangs) return;
  const url = new URL(request.url ?? '/', 'https://localhost');
  const { status, body: object } = answer(request.method ?? 'GET', url, body);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(object));
};

const tls = {
  key: readFileSync(join(folder, 'server.key')),
  cert: readFileSync(join(folder, 'server.crt')),
  ca: readFileSync(join(folder, 'ca.crt')),
  requestCert: true,
  rejectUnauthorized: true,
};
createTlsServer(tls, listener).listen(6443, '127.0.0.1');
for (;;) {
  // A kubelet that cannot reach an API server starts nothing.
  if (!faults().hangs) await reconcile();
  await new Promise((resolve) => setTimeout(resolve, 500));
}

/** Like that of packages/base: this file runs standalone. */
function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
