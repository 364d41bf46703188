/**
 * A machine's MAC against the kernel's own neighbour table: two hosts made of network namespaces, with
 * a cable between them. The real server runs in one, the machine in the other.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { run } from '@skolo/base/testing';
import { readRack } from '@skolo/rack';
import { peer } from '@skolo/simulators';
import { expect, it, onTestFinished, type TestContext } from 'vitest';

import { savedTokensFolder } from '../tokens/saved-tokens.ts';

const mac = '02:00:00:00:00:02';
const spoofed = '02:00:00:00:00:66';

const rackYaml = (address: string) => `
rack: mac
timezone: UTC
network: { domain: lan }
jumphost: { name: jumphost, address: 10.99.0.1, identity: bots }
identities:
  bots: { project: p, email: bots@p.example, credentials: { fixed: token } }
machines:
  machine-1: { kind: rpi, address: "${address}", mac: "${mac}", identity: bots }
`;

/** Two namespaces and a cable, gone when the test ends. */
async function makeHosts(context: TestContext) {
  const ip = peer('ip');
  if (!ip) return context.skip('ip (iproute2) is not installed');
  if (process.getuid?.() !== 0) return context.skip('needs root to make network namespaces');
  const [jumphost, machine] = [`skolo-j-${process.pid}`, `skolo-m-${process.pid}`];
  const made = await run(ip, ['netns', 'add', jumphost]).catch(() => undefined);
  if (!made) return context.skip('this kernel lets nobody make network namespaces');
  onTestFinished(async () => {
    for (const name of [jumphost, machine]) await run(ip, ['netns', 'del', name]);
  });
  const on = (host: string, ...args: string[]) => run(ip, ['-n', host, ...args]);
  await run(ip, ['netns', 'add', machine]);
  await on(
    jumphost,
    'link',
    'add',
    'eth0',
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    machine,
  );
  for (const [host, last] of [
    [jumphost, '1'],
    [machine, '2'],
  ] as const) {
    await on(host, 'link', 'set', 'eth0', 'address', `02:00:00:00:00:0${last}`);
    await on(host, 'addr', 'add', `10.99.0.${last}/24`, 'dev', 'eth0');
    await on(host, 'addr', 'add', `fd99::${last}/64`, 'dev', 'eth0', 'nodad');
    for (const link of ['lo', 'eth0']) await on(host, 'link', 'set', link, 'up');
  }
  return { ip, on, jumphost, machine };
}

async function startServer(command: string[], dir: string): Promise<{ port: string }> {
  const [program = '', ...args] = command;
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
    await rm(savedTokensFolder(await readRack(join(dir, 'rack.yaml')), join(dir, 'state')), {
      recursive: true,
    });
    await rm(dir, { recursive: true });
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
    lines.push(line);
    const port = /"port":(\d+).*"msg":"listening"/.exec(line)?.[1];
    if (port) return { port };
  }
  throw new Error(`the server never listened:\n${lines.join('\n')}`);
}

const families = [
  ['IPv4', '10.99.0.2', '10.99.0.1'],
  ['IPv6', 'fd99::2', '[fd99::1]'],
] as const;

it.for(families)(
  'a machine over %s is answered from its MAC and rejected from another',
  async ([, address, server], context) => {
    const { ip, on, jumphost, machine } = await makeHosts(context);
    const dir = await mkdtemp(join(tmpdir(), 'skolo-mac-'));
    await writeFile(join(dir, 'rack.yaml'), rackYaml(address));
    await writeFile(join(dir, 'token'), 'a-fixed-token', { mode: 0o600 });
    const main = join(import.meta.dirname, '../main.ts');
    const flags = ['--rack', join(dir, 'rack.yaml'), '--port', '0', '--metrics-port', '0'];
    const state = ['--state-dir', join(dir, 'state')];
    const inside = [ip, 'netns', 'exec', jumphost, process.execPath];
    const { port } = await startServer([...inside, main, ...flags, ...state], dir);
    const url = `http://${server}:${port}/computeMetadata/v1/instance/service-accounts/default/token`;

    async function status(): Promise<number> {
      const program = `fetch('${url}', { headers: { 'Metadata-Flavor': 'Google' } }).then((r) => console.log(r.status))`;
      const inMachine = ['netns', 'exec', machine, process.execPath];
      const { stdout } = await run(ip, [...inMachine, '--eval', program]);
      return Number(stdout);
    }

    expect(await status()).toBe(200);

    await on(machine, 'link', 'set', 'eth0', 'down');
    await on(machine, 'link', 'set', 'eth0', 'address', spoofed);
    await on(machine, 'link', 'set', 'eth0', 'up');
    // IPv6 addresses go with the link.
    await on(machine, 'addr', 'replace', 'fd99::2/64', 'dev', 'eth0', 'nodad');

    expect(await status()).toBe(403);
  },
);
