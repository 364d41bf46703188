import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tempDir } from '@skolo/base/testing';
import { lacks, type MpowerOptions, startMpower } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { createMask } from '../configuration/mask.ts';
import { stepsOf } from '../testing/configurations.ts';
import { account, backUp, bytesOf, simulated } from '../testing/simulated-device.ts';
import { backup } from './mpower.ts';

/** With modern ssh: a Diffie-Hellman group as old as the strip costs 150 ms of CPU time per connection. */
async function sit(options: Partial<MpowerOptions> = {}) {
  const legacyOnly = options.legacyOnly ?? false;
  const start = (login: typeof account) =>
    startMpower({ ...login, secondMs: 1, ...options, legacyOnly });
  const about = { model: 'mpower', login: { legacySsh: legacyOnly } };
  return { ...(await simulated(start, about)), model: backup() };
}

/** Runs a workstation's command line with OpenSSH's client; a program provides the password. */
async function atWorkstation(line: string, files: Record<string, Buffer>): Promise<void> {
  const dir = await tempDir();
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(dir, name), bytes);
  const askpass = join(dir, 'askpass');
  await writeFile(askpass, '#!/bin/sh\nprintf "%s\\n" "$SKOLO_TEST_PASSWORD"\n', { mode: 0o700 });
  const config = join(dir, 'config');
  await writeFile(config, `StrictHostKeyChecking no\nUserKnownHostsFile ${dir}/known_hosts\n`);
  await promisify(execFile)('sh', ['-c', line.replace(/^scp/, `scp -F ${config}`)], {
    cwd: dir,
    env: {
      PATH: process.env.PATH,
      SSH_ASKPASS: askpass,
      SSH_ASKPASS_REQUIRE: 'force',
      SKOLO_TEST_PASSWORD: account.password,
    },
  });
}

describe('the configuration of an mPower strip', () => {
  it.each([
    ['by size and checksum, over ssh as old as the strip', { legacyOnly: true }],
    ['by size only, where its BusyBox has no checksums', { checksums: false }],
  ])('is its file, byte for byte, with its address and name: %s', async (_what, options) => {
    const { device, model, connect, transcript } = await sit(options);

    const { content, identity, startup } = await backUp(model, connect());

    expect(bytesOf(content)).toEqual(device.running());
    expect(identity).toEqual({ serial: '24A43CDEF012', hostname: 'mpower-1' });
    expect(startup).toBeUndefined();
    expect(transcript.join('')).not.toContain(account.password);
  });

  it.each([
    'users.1.password=canary',
    'aaa.1.wpa.psk=canary',
    'wpasupplicant.profile.1.network.1.psk=canary phrase',
    'wpasupplicant.profile.1.network.1.password=canary',
    'wireless.1.security.1.key=canary',
    'snmp.community=canary',
    'aaa.1.radius.auth.1.secret=canary',
    'ppp.1.password=canary',
  ])('hides the secret of %s', (line) => {
    const masked = createMask(Buffer.alloc(32, 1)).text(`${line}\n`, backup().secrets);

    expect(masked).toMatch(new RegExp(`^${line.split('=')[0]}=<secret [0-9a-f]{12}>\n$`));
  });

  it('shows none of its secrets once they are masked, and all else', async () => {
    const { device, model } = await sit();
    const text = device.running().toString();

    const masked = createMask(Buffer.alloc(32, 1)).text(text, model.secrets);

    expect(text.match(/hidden/g)?.length).toBe(2);
    expect(masked).not.toContain('hidden');
    expect(masked.replace(/=<secret \w+>/g, '')).toBe(text.replace(/=hidden\w+/g, ''));
  });

  it.skipIf(lacks('ssh'))(
    "gets back into a strip by the steps, copied by OpenSSH's client",
    async () => {
      const version = Buffer.from(
        `users.status=enabled\nusers.1.name=${account.username}\nusers.1.password=x\n`,
      );
      const configuration = 'users.status=enabled\n';
      const sitting = await sit({ configuration, legacyOnly: true });
      const { device, connect } = sitting;

      const [copy, put, restart] = stepsOf(sitting, version);
      await atWorkstation(copy?.lines[1] ?? '', { 'device-1.cfg': version });
      const said: string[] = [];
      for (const line of put?.lines ?? []) said.push((await connect().exec(line)).toString());
      const ending = await Promise.allSettled(
        (restart?.lines ?? []).map((line) => connect().exec(line)),
      );

      expect(copy?.lines[0]).toBe(
        'skolo backup show device-1 --version abc --secrets -o device-1.cfg',
      );
      expect(said.join('')).toContain('Storing Active');
      expect(ending.map(({ status }) => status)).toEqual(['rejected']);
      expect(device.running()).toEqual(version);
      expect(restart?.title).toContain('Outlets may turn off or on during the restart');
    },
  );

  it('stays as it is where only a part of the version arrived', async () => {
    const sitting = await sit();
    const { device, connect } = sitting;
    const before = device.running();

    const [, put] = stepsOf(sitting, Buffer.from('users.status=enabled\n'));
    await connect().upload('/tmp/version.cfg', Buffer.from('users.st'));
    for (const line of put?.lines ?? []) await connect().exec(line, { accept: [0, 1] });

    expect(device.running()).toEqual(before);
    expect(device.startup()).toEqual(before);
  });
});
