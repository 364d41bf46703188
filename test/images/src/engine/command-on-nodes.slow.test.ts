/** The command against real nodes, through an SSH server on the jumphost's node: what only a kubelet can answer. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startWorkstation, type Workstation } from '@skolo/fleet/testing';
import { peer, startContainerRegistry, whyNoRealNodes } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { root } from '../paths.ts';
import { jumphost, machine, type RackOnNodes, startRackOnNodes } from './rack-on-nodes.ts';
import { theEngine } from './testing.ts';

const why = whyNoRealNodes('curl', 'docker-registry');
const main = join(root, 'packages/cli/src/main.ts');
const service = 'power-cycle-daemon';
const images = ['metadata-server', service, 'swarming-client'] as const;
let rack: RackOnNodes;
let workstation: Workstation;

describe.skipIf(why)('skolo, against real nodes', () => {
  beforeAll(async () => {
    const prepared = inject('prepared');
    if (prepared.is !== 'ready') return;
    // A push compares the alerts of before and after.
    rack = await startRackOnNodes(prepared.access, [...images, 'prometheus']);
    const node = rack.nodes.jumphost;
    await node.forward(rack.plane.port);
    const { kubeconfig } = rack.plane;
    workstation = await startWorkstation({ kubeconfig, networkOf: node.pid });
    const record = join(workstation.env.HOME ?? '', 'record');
    await workstation.jumphost.program('logger', `echo "$@" >> '${record}'`);
    await copyFile(
      join(root, 'kube/racks/rack4/rack.yaml'),
      `${workstation.rack.overlay}/rack.yaml`,
    );
  });
  afterAll(async () => {
    await workstation?.close();
    await rack?.close();
  });

  it.each([...images, 'prometheus'])('%s becomes ready', async (name) => {
    await expect.poll(() => rack.stateOf(name), { interval: 500 }).toBe('ready');
  });

  it('attach has kubectl exec and port-forward for an admin, and not for others', async ({
    skip,
  }) => {
    theEngine(skip);
    const exec = `kubectl exec -n skolo deployment/${service} -- id -u`;
    const script = `${exec}; exec kubectl port-forward -n skolo deployment/${service} :20012`;

    const denied = skolo('attach', 'rack4', '--', 'sh', '-c', exec);
    const allowed = skolo('attach', '--role', 'admin', 'rack4', '--', 'sh', '-c', script);

    expect((await denied.ended).code).toBe(1);
    expect(denied.err()).toContain('cannot create resource "pods/exec"');
    await allowed.prints(/Forwarding from 127\.0\.0\.1:\d+/);
    expect(allowed.out()).toMatch(/^10001\n/);
    const [, port] = /127\.0\.0\.1:(\d+)/.exec(allowed.out()) ?? [];
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
  });

  it('kubectl passes on the exit code of a command in a pod, and what it reads', async ({
    skip,
  }) => {
    theEngine(skip);
    const inPod = ['exec', '-i', '-n', 'skolo', `deployment/${service}`, '--', 'sh', '-c'];
    const command = skolo('kubectl', '--role', 'admin', 'rack4', ...inPod, 'read x; exit $x');

    command.type('7\n');

    expect((await command.ended).code).toBe(7);
  });

  it('shell --bot is a shell in the pod of the agent, in a terminal, and on record', async ({
    skip,
  }) => {
    theEngine(skip);
    const shell = inTerminal(`shell ${machine.name} --bot`);
    await shell.prints(/[#$] /);
    shell.type('tty; echo "$SKOLO_MACHINE on $(hostname)"; exit 3\n');

    expect((await shell.ended).code).toBe(3);
    expect(shell.out()).toContain('/dev/pts/');
    expect(shell.out()).toContain(`${machine.name} on ${machine.name}`);
    const record = await readFile(join(workstation.env.HOME ?? '', 'record'), 'utf8');
    expect(record).toContain(`shell in the agent's pod on ${machine.name}`);
  });

  it('forward serves a service of the rack and a Service of the cluster', async ({ skip }) => {
    theEngine(skip);
    // k3s' ServiceLB sets it; kube-proxy serves it.
    const status = { loadBalancer: { ingress: [{ ip: jumphost.address }] } };
    const patch = ['--subresource=status', '--type=merge', `-p=${JSON.stringify({ status })}`];
    await rack.plane.kubectl(['patch', 'service', service, '-n', 'skolo', ...patch]);

    const own = skolo('forward', 'rack4', service);
    const metrics = skolo('forward', 'rack4', `${service}-metrics`);

    const url = /http:\S+/;
    await own.prints(url);
    await metrics.prints(url);
    // The service takes who comes by this URL for a stranger.
    expect(await statusOf(`${url.exec(own.out())}v1/holds`)).toBe('401');
    expect(await statusOf(`${url.exec(metrics.out())}readyz`)).toBe('200');
  });

  it('logs prints lines of a machine and of a service, and with -f until its pod ends', async ({
    skip,
  }) => {
    theEngine(skip);
    const ofMachine = skolo('logs', 'rack4', machine.name, '--lines', '5');
    const followed = skolo('logs', 'rack4', service, '-f');
    expect((await ofMachine.ended).code).toBe(0);
    expect(ofMachine.out().trim().split('\n')).toHaveLength(5);
    await followed.prints(/"msg":"/);
    const { name = '' } = (await rack.podOf(service))?.metadata ?? {};

    await rack.plane.kubectl(['delete', 'pod', '-n', 'skolo', name, '--timeout=1h']);

    expect((await followed.ended).code).toBe(0);
    expect(followed.out()).toContain(`[pod/${name}/${service}]`);
    expect(followed.out()).toMatch(/stopp/);
  });

  it('push deploys a version that a kubelet pulls from a registry, and rollback the previous one', async ({
    skip,
  }) => {
    theEngine(skip);
    const registry = await startContainerRegistry(peer('docker-registry') ?? '');
    onTestFinished(registry.close);
    const node = rack.nodes.jumphost;
    await node.forward(Number(new URL(`http://${registry.host}`).port));
    const repository = `${registry.host}/skolo/${service}`;
    const next = '2026-11-26T00_00_00Z-ann-295cca0-clean';
    const text = rack.objects.map((object) => JSON.stringify(object)).join('\n---\n');
    const pins = images.map((name) => ({ name, tag: tagIn(text, name) }));
    const previous = tagIn(text, service);
    for (const tag of [previous, next]) {
      const own = `registry.example.com/skolo/${service}:${previous}`;
      const push = ['ctr', '-n', 'k8s.io', 'images', 'push', '--plain-http'];
      await node.run(...push, `${repository}:${tag}`, own);
    }
    const git = await commitOverlay(text.replaceAll('registry.example.com/skolo/', 'skolo/'), {
      resources: ['all.yaml'],
      images: pins.map(({ name, tag }) => ({
        name: `skolo/${name}`,
        newName: name === service ? repository : `registry.example.com/skolo/${name}`,
        newTag: tag,
      })),
    });
    const imageOf = async () => (await rack.podOf(service))?.spec.containers[0]?.image;
    const options = ['--racks', 'rack4', '--reason', 'faster', '--soak', '1s', '--yes'];

    const pushed = skolo('push', service, '--version', next, ...options);
    expect(await pushed.ended, pushed.out() + pushed.err()).toEqual({ code: 0 });
    expect(await imageOf()).toMatch(`${repository}:${next}@sha256:`);
    expect(await rack.stateOf(service)).toBe('ready');
    expect(await git('log', '-1', '--format=%s')).toBe(`push(rack4): ${service} ${next}\n`);

    const back = skolo('push', 'rollback', ...options);
    expect(await back.ended, back.out() + back.err()).toEqual({ code: 0 });
    expect(await imageOf()).toBe(`${repository}:${previous}`);
    expect(await rack.stateOf(service)).toBe('ready');
  });
});

function tagIn(text: string, name: string): string {
  return text.match(new RegExp(`"registry\\.example\\.com/skolo/${name}:([^"]+)"`))?.[1] ?? '';
}

/** Makes kube/ of the workstation a repository of racks. @returns git in it */
async function commitOverlay(objects: string, kustomization: object) {
  const { overlay } = workstation.rack;
  await writeFile(join(overlay, 'all.yaml'), objects);
  await writeFile(join(overlay, 'kustomization.yaml'), stringify(kustomization));
  const git = async (...args: string[]) => {
    const options = { cwd: join(workstation.env.HOME ?? '', 'kube') };
    return (await promisify(execFile)('git', args, options)).stdout;
  };
  await git('init', '--quiet', '--initial-branch=main');
  await git('config', 'user.name', 'Ann');
  await git('config', 'user.email', 'ann@example.com');
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'racks');
  return git;
}

/** By curl, which takes names below localhost for this computer. */
async function statusOf(url: string): Promise<string> {
  const only = ['-s', '-o', '/dev/null', '-w', '%{http_code}'];
  return (await promisify(execFile)(peer('curl') ?? 'curl', [...only, url])).stdout;
}

function skolo(...args: string[]) {
  return watched(process.execPath, [main, ...args]);
}

/** In a pseudo-terminal of util-linux' script. */
function inTerminal(line: string) {
  return watched('script', ['-qec', `${process.execPath} ${main} ${line}`, '/dev/null']);
}

function watched(program: string, args: readonly string[]) {
  const env = { ...workstation.env, SKOLO_CLUSTERS: workstation.clusters };
  const child = spawn(program, args, { env });
  const ended = once(child, 'close').then(([code]) => ({ code }));
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (data) => {
    said.out += data;
  });
  child.stderr.on('data', (data) => {
    said.err += data;
  });
  return {
    ended,
    out: () => said.out,
    err: () => said.err,
    type: (text: string) => child.stdin.write(text),
    prints: (text: RegExp) => expect.poll(() => said.out + said.err).toMatch(text),
  };
}
