/**
 * The steps on a real Debian with systemd, sshd, apt and nftables, in namespaces of its own. k3s is a stand-in with its files,
 * flags, unit and paths, in front of a real API server.
 *
 * One test goes on where the one before has ended: it is the story of one jumphost.
 */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseRack } from '@skolo/rack';
import { peer } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downloader } from './downloads.ts';
import { isPrepared, prepare, type StepProgress } from './engine.ts';
import { changeGuarded, type Guard } from './guarded-change.ts';
import type { Host } from './host.ts';
import type { Step } from './step.ts';
import { stepsOf } from './steps/index.ts';
import { k3sVersion } from './steps/versions.ts';
import {
  address,
  type BareJumphost,
  startBareJumphost,
  subnet,
  whyNoJumphost,
} from './testing/bare-jumphost.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../../', import.meta.url));
const { signal } = new AbortController();

const rack = parseRack(
  `
rack: rack4
timezone: UTC
network: { subnet: ${subnet} }
jumphost: { name: jumphost-rack4, address: ${address}, aliases: [metadata] }
`,
  { file: 'rack.yaml' },
);

const nothing = { differs: async () => [], apply: async () => {} };

async function accounts(): Promise<string> {
  const parts = ['namespaces', 'access'].map((part) => `${repository}kube/base/${part}`);
  const texts = await Promise.all(
    parts.map(async (part) => (await run(peer('kubectl') ?? '', ['kustomize', part])).stdout),
  );
  return texts.join('\n---\n');
}

/** All but those that need the racks' repository: the command has a test of them. */
function stepsFor(jumphost: BareJumphost, guard: Guard): Step[] {
  const steps = stepsOf({
    ...{ rack, guard, accounts, k3sVersion },
    download: downloader({ folder: jumphost.files, fetch, signal }),
    sources: { bundles: jumphost.bundles, deploy: `${repository}deploy` },
    hasClockPod: false,
    ...{ secretFiles: nothing, secrets: nothing, overlay: nothing },
    services: [],
    now: Date.now,
  });
  const ofRepository = ['secret-files', 'secrets', 'overlay', 'services'];
  return steps.filter(({ name }) => !ofRepository.includes(name));
}

function statesOf(steps: readonly StepProgress[]): Record<string, string> {
  return Object.fromEntries(
    steps.map(({ name, state, text }) => [name, state === 'failed' ? `failed: ${text}` : state]),
  );
}

/** What changes it: all files, but those that change by themselves. */
const snapshot = `find /etc /usr /opt /var/lib /root -xdev \\( -path /var/lib/rancher -o -path /var/lib/chrony -o -path /var/lib/systemd -o -path /opt/test -o -path /root/.kube \\) -prune -o -type f -printf '%p %T@ %m %s\\n' | LC_ALL=C sort`;

const why = whyNoJumphost();
const name = why === undefined ? 'a bare Debian' : `a bare Debian (${why})`;
describe.skipIf(why !== undefined)(name, { timeout: 600_000 }, () => {
  let jumphost: BareJumphost;
  let host: Host & { close(): Promise<void> };
  let guard: Guard;
  beforeAll(async () => {
    jumphost = await startBareJumphost();
    host = await jumphost.open(signal);
    guard = { returnSeconds: 60, newSession: jumphost.open, signal };
  }, 120_000);
  afterAll(async () => {
    await host?.close();
    await jumphost?.close();
  });

  const all = () => stepsFor(jumphost, guard);
  const go = (steps: readonly Step[], isCheck = false) =>
    prepare(host, steps, { isCheck, signal, report() {} });

  it('differs in nearly everything, and a check changes nothing', async () => {
    const before = await host.need(snapshot);

    const steps = await go(all(), true);

    expect(statesOf(steps)).toMatchObject({ system: 'ok', packages: 'differs', k3s: 'differs' });
    expect(isPrepared(steps)).toBe(false);
    expect(await host.need(snapshot)).toBe(before);
  });

  it('becomes a jumphost', async () => {
    const steps = await go(all());

    expect(Object.values(statesOf(steps)).filter((state) => !/^(ok|changed)$/.test(state))).toEqual(
      [],
    );
    expect(await host.need('k3s kubectl get nodes -o name')).toBe('node/jumphost-rack4\n');
  });

  it('is not changed by a second run', async () => {
    const before = await host.need(snapshot);

    const steps = await go(all());

    expect(new Set(Object.values(statesOf(steps)))).toEqual(new Set(['ok']));
    expect(await host.need(snapshot)).toBe(before);
  });

  it('takes a firewall back that lets nobody in', async () => {
    const rules = '/etc/skolo/firewall.nft';
    const before = await host.read(rules);
    const locked = before?.replace(/^ *tcp dport.*$/m, '').replace(/^ *ip saddr.*$/m, '') ?? '';
    const change = {
      name: 'firewall',
      // Also for connections that are there.
      files: [{ path: rules, content: locked.replace(/^ *ct state established.*$/m, '') }],
      activate: `nft --file ${rules}`,
    };

    const changed = changeGuarded(host, change, { ...guard, returnSeconds: 8 });

    await expect(changed).rejects.toThrow('no new ssh session got in');
    expect(await host.read(rules)).toBe(before);
    expect(await host.need('nft list table inet skolo')).toContain('tcp dport 22 accept');
  });
});
