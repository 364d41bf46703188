/**
 * Ways to break a jumphost, each tried on a Debian that has booted and that `prepare` has made a jumphost: `verify` names it, and
 * `prepare` repairs it or leaves it to a person. testdata/broken-jumphosts.txt has the table that comes out (`vitest -u` writes it).
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { isLong, seed } from '@skolo/base/durable/fault-injection';
import { parseRack } from '@skolo/rack';
import { prepare } from '@skolo/setup/engine';
import {
  address,
  type BareJumphost,
  network,
  type OpenHost,
  openTestHost,
  subnet,
} from '@skolo/setup/k3s/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { usesStep } from '../effective/uses.ts';
import { type Breakage, breakages } from './breakages.ts';
import { rackYaml, testSteps } from './test-steps.ts';

const { signal } = new AbortController();
const file = fileURLToPath(new URL('../../../testdata/broken-jumphosts.txt', import.meta.url));

const samples = breakages.filter(({ isSample }) => isSample);
const sample = samples.filter((_, at) => at % 4 === seed % 4);

let jumphost: BareJumphost;
let host: OpenHost;

/** What is wrong with the jumphost, or with that part of it. */
async function go(isCheck: boolean, name?: string, keepsChanges = false) {
  const rack = parseRack(rackYaml, { file: 'rack.yaml' });
  const uses = usesStep({ rack, services: [] });
  const all = [...testSteps(jumphost.workstation, signal, {}, { keepsChanges }), uses];
  const steps = all.filter((step) => name === undefined || step.name === name);
  const found = await prepare(host, steps, { isCheck, signal, report() {} });
  return found.filter(({ state }) => state !== 'ok' && state !== 'changed');
}

async function onJumphost(script: string): Promise<void> {
  const filled = script.replaceAll('ADDRESS', address).replaceAll('SUBNET', subnet);
  await host.need(filled, { deadlineMs: 300_000 });
}

/** @param on a jumphost that has been prepared, and that others have changed since */
export function provesVerify(on: () => BareJumphost): void {
  beforeAll(async () => {
    jumphost = on();
    host = await openTestHost(jumphost.workstation, signal);
    expect(await go(false, 'changes', true)).toEqual([]);
  });
  afterAll(() => host?.close());

  it('is healthy', async () => {
    expect(await go(true)).toEqual([]);
  });

  it('does not report the changes of a usual week', async () => {
    await onJumphost(`apt-get -q -y install logrotate > /dev/null
apt-get -q -y install --reinstall -o Dpkg::Options::=--force-confnew chrony > /dev/null
logrotate --force /etc/logrotate.conf
systemctl start apt-daily.service
touch /etc/hosts /etc/ssh/sshd_config
systemctl restart k3s chrony systemd-journald`);

    const [changes] = await prepare(
      host,
      testSteps(jumphost.workstation, signal).filter(({ name }) => name === 'changes'),
      { isCheck: true, signal, report() {} },
    );
    expect(changes).toMatchObject({ state: 'ok', text: '' });
  });

  it('accepts accounts that use no sudo, ask for a password, or have a comment among their keys', async () => {
    await onJumphost(`for user in eve dan; do
  useradd --create-home --shell /bin/bash $user
  install -D -o $user -m 600 /root/.ssh/authorized_keys /home/$user/.ssh/authorized_keys
  printf '  # of the laptop\\n\\n' >> /home/$user/.ssh/authorized_keys
  chown $user /home/$user/.ssh
done
usermod --append --groups sudo dan`);

    expect(await go(true, 'ssh')).toEqual([]);
    await onJumphost('for user in eve dan; do userdel --remove $user 2> /dev/null; done');
  });

  it('lists other changes as information, until they are confirmed', async () => {
    const check = async (isCheck: boolean, keepsChanges = false) => {
      const steps = testSteps(jumphost.workstation, signal, {}, { keepsChanges });
      const only = steps.filter(({ name }) => name === 'changes');
      return (await prepare(host, only, { isCheck, signal, report() {} }))[0];
    };
    await onJumphost(
      'echo hello > /etc/motd; mkdir -p /etc/sudoers.d; echo "bob ALL=(ALL) ALL" > /etc/sudoers.d/bob',
    );

    const found = await check(true);
    await onJumphost('rm /etc/sudoers.d/bob');
    expect(found?.state).toBe('differs');
    expect(found?.text).toMatch(/who can sign in: \/etc\/sudoers.d\/bob was added \(owner root, 2/);
    expect(found?.text).toMatch(/information: changed by others since .*: \/etc\/motd was changed/);
    expect(await check(false)).toMatchObject({
      state: 'ok',
      text: expect.stringContaining('motd'),
    });
    expect(await check(false, true)).toMatchObject({ state: 'changed' });
    expect(await check(true)).toMatchObject({ state: 'ok', text: '' });
  });

  it('reports at once that /run is full', async () => {
    await onJumphost('mount -o remount,size=300k /run; ! head -c 1M /dev/zero > /run/full');

    const [found] = await go(true, 'system');
    const applied = go(false, 'system');
    await expect(applied).rejects.toThrow(/\/run\/skolo-steps\/holder cannot be written.*df/);
    await onJumphost('rm /run/full; mount -o remount,size=20% /run');
    expect(found?.text).toBe('/run has no free space (file system /run); remove files');
  });

  provesBreakages();
}

function provesBreakages(): void {
  let text: string;
  beforeAll(async () => {
    text = await readFile(file, 'utf8');
  });

  const rows = new Map<Breakage, string>();
  it.each(isLong ? breakages : sample)(`is broken: $what (seed ${seed})`, async (breakage) => {
    const { what, step, script, undo, why = 'yes' } = breakage;
    await onJumphost(script);
    const [found] = await go(true, step);
    const left = await go(false, step);
    if (undo !== undefined) await onJumphost(undo);

    const message = found?.text
      .replaceAll('|', '\\|')
      .replaceAll(network, '192.168.1')
      .replace(/\(process \d+\)/, '(process 1234)')
      .replace(/2\d{3}-\d\d-\d\dT\d\d:\d\dZ/g, '2026-11-01T08:00Z');
    rows.set(breakage, `| ${what} | ${step}: ${message} | ${why} |`);
    expect(found).toMatchObject({ name: step, state: 'differs' });
    expect(left.map(({ name }) => name)).toEqual(why === 'yes' ? [] : [step]);
    if (why === 'yes') expect(found?.isRepairable).toBe(true);
    expect(await go(true, step)).toEqual([]);
    if (!isLong) expect(text).toContain(rows.get(breakage));
  });

  it.runIf(isLong)('is healthy in the end, and the table has what was found', async () => {
    const table = breakages.map((each) => rows.get(each) ?? '').join('\n');

    expect(await go(true)).toEqual([]);
    const head = text.split('\n').slice(0, 2).join('\n');
    await expect(`${head}\n${table}\n`).toMatchFileSnapshot(file);
  });
}
