import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { peer } from '../peer.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { policyCases } from './policy-cases.ts';
import { nodePrograms, whyNoRealNodes } from './real-nodes.ts';

/** `npm test` sees what the test of connections.yaml uses of them: pods and network policies. */
const why = whyNoRealNodes('curl');
const seldom = { interval: 300 };
const kernelSettings = ['kernel/panic', 'vm/overcommit_memory', 'net/ipv4/ip_forward'];
const namespaces = ['x', 'y', 'z'];
const names = namespaces.flatMap((namespace) =>
  ['a', 'b', 'c'].map((pod) => `${namespace}/${pod}`),
);
const addresses = new Map<string, string>();
const addressOf = (pod: string) => addresses.get(pod) ?? '';
let plane: ControlPlane;

const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), namespace: z.string() }),
      status: z.object({ podIP: z.string() }),
    }),
  ),
});

/** On two nodes, with ports as in Kubernetes' tests. */
function podObject(name: string): object {
  const [namespace, pod] = name.split('/');
  const ports = [80, 81].map((port) => ({ name: `serve-${port}-tcp`, containerPort: port }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod, namespace, labels: { pod } },
    spec: {
      nodeName: pod === 'b' ? 'n2' : 'n1',
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'pause', image: 'test.skolo/pause:1', ports }],
    },
  };
}

/** A pod on the other node, with programs of the computer. */
const client = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'client', namespace: 'default' },
  spec: {
    nodeName: 'n2',
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'client',
        image: 'test.skolo/pause:1',
        command: ['/usr/bin/sh', '-c', 'echo started; exec sleep 1000'],
        volumeMounts: nodePrograms.volumeMounts,
      },
    ],
    volumes: nodePrograms.volumes,
  },
};

function readSettings(): string[] {
  return kernelSettings.map((name) => readFileSync(join('/proc/sys', name), 'utf8'));
}

describe.skipIf(why)('real nodes', () => {
  const before = why ? [] : readSettings();

  beforeAll(async () => {
    plane = await startControlPlane(peer('control-plane') ?? '', peer('kubectl') ?? '', {
      realNodes: [
        { name: 'n1', address: '192.168.1.8', labels: { role: 'first' } },
        { name: 'n2', address: '192.168.1.9' },
      ],
    });
    const items = [
      ...namespaces.map((name) => ({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, labels: { ns: name } },
      })),
      ...names.map(podObject),
      client,
    ];
    const coreDns = fileURLToPath(new URL('../../../control-plane/coredns.yaml', import.meta.url));
    await plane.kubectl(['apply', '--validate=false', '-f', coreDns]);
    await plane.kubectl(['create', '--validate=false', '-f', '-'], {
      apiVersion: 'v1',
      kind: 'List',
      items,
    });
    await plane.kubectl(['wait', '--for=condition=Ready', 'pod', '--all', '-A', '--timeout=1h']);
    const pods = Pods.parse(JSON.parse(await plane.kubectl(['get', 'pods', '-A', '-o', 'json'])));
    for (const { metadata, status } of pods.items) {
      addresses.set(`${metadata.namespace}/${metadata.name}`, status.podIP);
    }
  });
  afterAll(() => plane?.close());

  it('run containers, with their logs, commands in them, Services and cluster DNS', async () => {
    const exec = (...command: string[]) => plane.kubectl(['exec', 'client', '--', ...command]);

    expect(await plane.kubectl(['logs', 'client'])).toBe('started\n');
    expect((await exec('hostname')).trim()).toBe('client');
    expect(await exec('busybox', 'nslookup', 'kubernetes.default.svc.cluster.local')).toContain(
      '10.43.0.1',
    );
    expect(await exec('curl', '-ks', 'https://10.43.0.1/version')).toContain('v1.36');
  });

  it('see no file of the computer but its programs, and leave its kernel settings alone', async () => {
    const node = plane.realNode('n1');

    expect((await node.run('ls', '/')).trim().split('\n')).not.toContain('work');
    expect((await node.run('ls', '/root', '/home', '/mnt')).trim()).toMatch(/^[/:\w\s]*$/);
    expect(readSettings()).toEqual(before);
  });

  it('write a ConfigMap at once when an annotation of its pod changes, as skolo push rack does', async () => {
    const volume = { name: 'rack', configMap: { name: 'rack' } };
    const container = {
      name: 'pause',
      image: 'test.skolo/pause:1',
      volumeMounts: [{ name: 'rack', mountPath: '/etc/skolo' }],
    };
    await plane.kubectl(['create', 'configmap', 'rack', '--from-literal=rack.yaml=first']);
    await plane.kubectl(['create', '-f', '-'], {
      ...client,
      metadata: { name: 'reader' },
      spec: { ...client.spec, nodeName: 'n1', containers: [container], volumes: [volume] },
    });
    await plane.kubectl(['wait', '--for=condition=Ready', 'pod/reader', '--timeout=1h']);
    const file = '/var/lib/kubelet/pods/*/volumes/kubernetes.io~configmap/rack/rack.yaml';
    const read = () => plane.realNode('n1').run('sh', '-c', `cat ${file}`);
    expect(await read()).toBe('first');

    const data = { 'rack.yaml': 'second' };
    await plane.kubectl(['patch', 'configmap', 'rack', '-p', JSON.stringify({ data })]);
    await plane.kubectl(['annotate', 'pod', 'reader', 'test.skolo/change=1']);

    // By itself, kubelet takes 60 s and more.
    await expect.poll(read, { interval: 300 }).toBe('second');
  });

  const cases = policyCases(addressOf);
  it.each(cases.map(({ name }) => name))('%s', async (name) => {
    const steps = policyCases(addressOf).find((one) => one.name === name)?.steps ?? [];
    for (const step of steps) {
      const items = step.apply?.map(({ namespace, name, spec }) => ({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { namespace, name },
        spec,
      }));
      if (items) {
        await plane.kubectl(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
      }
      if (step.label) await plane.kubectl(['label', ...step.label]);
      if (step.deleteAll) await deletePolicies();

      await expect
        .poll(() => forbiddenAt(step.at), seldom)
        .toEqual(pairsOf(step.forbidden).filter((pair) => !pairsOf(step.but ?? []).includes(pair)));
    }
    await deletePolicies();
  });

  it('leave no process, control group, namespace, mount or file after close()', async () => {
    const traces = tracesOf(dirname(plane.kubeconfig));
    expect(remaining(traces)).not.toEqual([]);

    await plane.close();

    expect(remaining(traces)).toEqual([]);
  });
});

async function deletePolicies(): Promise<void> {
  await plane.kubectl(['delete', 'networkpolicies', '--all', '-A']);
}

/** `x/a > *` as one pair for each pod. A pod always reaches itself. */
function pairsOf(patterns: readonly string[]): string[] {
  const matching = (pattern = '') =>
    names.filter((name) => pattern === '*' || name.startsWith(pattern.replace('*', '')));
  const pairs = patterns.flatMap((pattern) => {
    const [from, to] = pattern.split(' > ');
    return matching(from).flatMap((one) => matching(to).map((other) => `${one} > ${other}`));
  });
  return allPairs.filter((pair) => pairs.includes(pair));
}

const allPairs = names.flatMap((from) =>
  names.filter((to) => to !== from).map((to) => `${from} > ${to}`),
);

/** The pairs between which no connection comes about. */
async function forbiddenAt({ port, network } = { port: 80, network: 'tcp' as 'tcp' | 'udp' }) {
  const target = (pod: string) => ({ address: addressOf(pod), port, network });
  const attempts = allPairs.map((pair) => {
    const [from = '', to = ''] = pair.split(' > ');
    return { from: addressOf(from), to: target(to) };
  });
  const results = await plane.network().reach(names.map(target), attempts);
  return allPairs.filter((_, at) => results[at] !== 'open');
}

interface Traces {
  folder: string;
  /** Folders of control groups. */
  groups: string[];
  /** As in /proc: `net:[4026531840]`. */
  namespaces: string[];
  /** All processes at that time: later ones may get a number of a namespace that has ended. */
  running: string[];
}

/** Identifies a control plane with real nodes: its folder, the nodes' control groups, and the namespaces of all processes. */
function tracesOf(folder: string): Traces {
  const firstProcesses = globSync(join(folder, '*/pid')).map((file) => readFileSync(file, 'utf8'));
  const names = firstProcesses.map(
    (pid) => readFileSync(`/proc/${pid}/cgroup`, 'utf8').match(/memory:.*?([^/\n]+)\n/)?.[1] ?? '',
  );
  const groups = names.flatMap((name) => globSync(`/sys/fs/cgroup/*/${name}`));
  const inGroups = groups.flatMap((group) =>
    globSync(join(group, '**/cgroup.procs')).flatMap((file) =>
      readFileSync(file, 'utf8').trim().split('\n'),
    ),
  );
  const outside = processes().filter((pid) => textsOf(pid).some((text) => text.includes(folder)));
  const ours = linksOf('self', 'ns');
  const all = new Set([...inGroups, ...outside].flatMap((pid) => linksOf(pid, 'ns')));
  const namespaces = [...all].filter((one) => !ours.includes(one));
  expect(groups).toContain(`/sys/fs/cgroup/memory/${names[0]}`);
  const kinds = namespaces.map((one) => one.replace(/:.*/, ''));
  expect(kinds).toEqual(expect.arrayContaining(['mnt', 'net', 'pid']));
  return { folder, groups, namespaces, running: processes().map(withStart) };
}

/** Folders that still exist, and processes that use a folder, mount or namespace of the nodes. */
function remaining({ folder, groups, namespaces, running }: Traces): string[] {
  const users = processes().filter((pid) => {
    if (!running.includes(withStart(pid))) return false;
    const links = [...linksOf(pid, 'ns'), ...linksOf(pid, 'fd')];
    return [...textsOf(pid), ...links].some((text) =>
      [folder, ...namespaces].some((trace) => text.includes(trace)),
    );
  });
  return [...[folder, ...groups].filter((path) => existsSync(path)), ...users];
}

/** Distinguishes a process from a later one with its number. */
function withStart(pid: string): string {
  const stat = unlessEnded(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), '');
  return `${pid} ${stat.replace(/.*\) /, '').split(' ')[19]}`;
}

function processes(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

function textsOf(pid: string): string[] {
  const files = ['cmdline', 'mountinfo'];
  return files.map((file) => unlessEnded(() => readFileSync(`/proc/${pid}/${file}`, 'utf8'), ''));
}

function linksOf(pid: string, kind: 'ns' | 'fd'): string[] {
  const dir = `/proc/${pid}/${kind}`;
  const names = unlessEnded(() => readdirSync(dir), []);
  return names.flatMap((name) => unlessEnded(() => [readlinkSync(join(dir, name))], []));
}

/** A process may end, or close a file, while it is examined. */
function unlessEnded<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

describe.skipIf(why)('real nodes of a test that is killed', () => {
  it('leave no process, control group, namespace, mount or file', async () => {
    const temporary = await mkdtemp(join(tmpdir(), 'skolo-killed-'));
    const code = `
      import { peer, startControlPlane } from '@skolo/simulators';
      const realNodes = [{ name: 'n1', address: '192.168.1.8' }];
      await startControlPlane(peer('control-plane'), peer('kubectl'), { realNodes });
      console.log('started');`;
    const test = spawn(process.execPath, ['--input-type=module', '--eval', code], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(test, 'close');
    const [line] = await once(createInterface({ input: test.stdout }), 'line');
    expect(line).toBe('started');
    const [folder = ''] = await readdir(temporary);
    const traces = tracesOf(join(temporary, folder));
    expect(remaining(traces)).not.toEqual([]);

    test.kill('SIGKILL');
    await ended;

    await expect.poll(() => remaining(traces), seldom).toEqual([]);
    await rmdir(temporary);
  });
});
