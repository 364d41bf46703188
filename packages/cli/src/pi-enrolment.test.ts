/** Shared images, and Pis that ask for their identity, from an engineer's point of view. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EnrolledPi, RevokedPi, WaitingPi } from '@skolo/api';
import { sha256 } from '@skolo/base';
import { run } from '@skolo/base/testing';
import {
  createTokens,
  type Scripted,
  startScripted,
  type TestTokens,
} from '@skolo/scripted-services';
import { k3sVersion } from '@skolo/setup/k3s';
import { makeTestImage, readByMtools, systems } from '@skolo/setup/pi/testing';
import { lacks } from '@skolo/simulators';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from './testing/run-command.ts';

const serial = '10000000f00dcafe';
const secret = '3fa92c01.a-secret-of-a-shared-image';
const pin = `sha256//${'A'.repeat(43)}=`;

const at = '2026-11-22T12:00:00.000Z';
const secrets = [{ id: '3fa92c01', by: 'ann', at, expires: at }];

function waits(more: Partial<WaitingPi> = {}): WaitingPi {
  return {
    key: 'a1'.repeat(32),
    serial,
    macs: ['dc:a6:32:00:00:07'],
    from: '192.168.1.230',
    model: 'Raspberry Pi 4 Model B',
    since: at,
    lastAsked: at,
    code: 'unknown',
    why: 'no machine in rack.yaml has this serial number or MAC address',
    ...more,
  };
}

describe('enrolment', () => {
  let folder: string;
  let tokens: TestTokens;
  let service: Scripted<'machine-state'>;
  let waiting: WaitingPi[] = [];
  let enrolled: EnrolledPi[] = [];
  let revoked: RevokedPi[] = [];
  const changes = () => service.calls.filter(({ name }) => name !== 'enrolments');
  const path = (name: string) => join(folder, name);
  const pi = (...words: string[]) =>
    runCommand([
      ...['--rack', path('rack.yaml'), '--url', service.url, '--token-file', path('token')],
      ...['pi', ...words],
    ]);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skolo-pi-enrolment-'));
    tokens = await createTokens();
    await writeFile(path('token'), tokens.operate, { mode: 0o600 });
    const times = { at: '2026-11-22T12:00:00Z', expires: '2026-12-22T12:00:00Z' };
    service = await startScripted(
      'machine-state',
      {
        enrolments: () => ({ waiting, enrolled, revoked, secrets }),
        revokeKey({ params: { key } }) {
          const had = enrolled.find((each) => each.key === key);
          return { key, serial, name: had?.name, at, by: 'ann' };
        },
        adopt: waits(),
        newEnrolmentSecret: { id: '3fa92c01', by: 'ann', ...times, secret, port: 8005, pin },
        revokeEnrolmentSecret: { status: 204 },
      },
      { tokens },
    );
  });
  beforeEach(async () => {
    waiting = [];
    [enrolled, revoked] = [[], []];
    service.calls.length = 0;
    await writeFile(
      path('rack.yaml'),
      `rack: rack4
network: { subnet: 192.168.1.0/24, domain: lan }
jumphost: { name: jumphost-rack4, address: 192.168.1.8 }
equipment: { router: { model: edgeos, address: 192.168.1.1, uplink: internet, backup: false } }
machines:
  rpi-[001-003]: { kind: rpi, address: "192.168.1.[101-103]" } # by the door
services: { machine-state: { enrolment: {} } }
`,
    );
  });
  afterAll(async () => {
    await service.close();
    await tokens.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('lists those that wait, and what they say on one line each', async () => {
    waiting = [waits({ model: 'Pi\u001b[2J', why: 'rpi-001 is alive\nyes' })];

    const { out, err } = await pi('waiting');

    expect(out).toMatch(/^SERIAL +KEY +MAC +MODEL +FROM +SINCE +WHY\n/);
    expect(out.split('\n')).toHaveLength(3);
    expect(out).not.toContain('\u001b');
    expect(out).toContain('a1a1a1a1');
    expect(err).toBe('to name one, run skolo pi adopt SERIAL NAME\n');
  });

  it('gives one a name, and writes its serial number into rack.yaml', async () => {
    waiting = [waits()];

    const { err, exitCode } = await pi('adopt', serial, 'rpi-002', '--reason', 'new', '--yes');

    expect(err).toContain(`${serial}: Raspberry Pi 4 Model B, dc:a6:32:00:00:07, key a1a1a1a1`);
    expect(exitCode).toBe(0);
    const body = { key: 'a1'.repeat(32), name: 'rpi-002', reason: 'new', force: false };
    expect(changes()).toEqual([{ name: 'adopt', body }]);
    expect(await readFile(path('rack.yaml'), 'utf8')).toContain(
      `  rpi-[001,003]: { kind: rpi, address: "192.168.1.[101,103]" } # by the door
  rpi-002: { kind: rpi, serial: ${serial}, address: 192.168.1.102 }
`,
    );
  });

  it.each([
    [
      'none with that serial number',
      [],
      /no Pi with this serial number has a pending enrolment; to list pending enrolments, run skolo pi waiting/,
    ],
    ['a person who is not there', [waits()], /cannot ask for confirmation without a terminal/],
    [
      'two',
      [waits(), waits({ key: 'b2'.repeat(32) })],
      /2 SD cards report .* --key: a1a1a1a1, b2b2b2b2/,
    ],
  ])('changes nothing with %s', async (_, all, why) => {
    waiting = all;
    const before = await readFile(path('rack.yaml'), 'utf8');

    const { err, exitCode } = await pi('adopt', serial, 'rpi-002', '--reason', 'new');

    expect(err).toMatch(why);
    expect(exitCode).not.toBe(0);
    expect(changes()).toEqual([]);
    expect(await readFile(path('rack.yaml'), 'utf8')).toBe(before);
  });

  it('lists cards with their boards, and revoked ones', async () => {
    enrolled = [{ name: 'rpi-001', key: 'c3'.repeat(32), serial, macs: ['dc:a6:32:00:00:07'], at }];
    revoked = [{ key: 'd4'.repeat(32), name: 'rpi-002', serial, at, by: 'ann' }];

    expect((await pi('waiting', '--enrolled')).out).toMatch(
      /rpi-001 +.* c3c3c3c3 +dc:a6:32:00:00:07/,
    );
    expect((await pi('waiting', '--revoked')).out).toMatch(/d4d4d4d4 +rpi-002 +.* ann/);
  });

  it.each([
    ['the card of a machine', 'rpi-001', 'c3'.repeat(32), 'rpi-001: revoked the key c3c3c3c3\n'],
    ['a key that waits', 'a1a1a1a1', 'a1'.repeat(32), `${serial}: revoked the key a1a1a1a1\n`],
    [
      'a machine whose card is revoked',
      'rpi-002',
      'd4'.repeat(32),
      `${serial}: revoked the key d4d4d4d4\n`,
    ],
    ['the secret of an image', '3fa92c01', '3fa92c01', '3fa92c01: revoked\n'],
  ])('revokes %s', async (_, what, target, text) => {
    waiting = [waits({ name: 'rpi-003' })];
    enrolled = [{ name: 'rpi-001', key: 'c3'.repeat(32), serial, macs: [], at }];
    revoked = [{ key: 'd4'.repeat(32), name: 'rpi-002', serial, at, by: 'ann' }];

    const { err, exitCode } = await pi('revoke', what);

    const revokedNow = changes().map(({ body }) => body.key ?? body.id);
    expect([exitCode, revokedNow, err]).toEqual([0, [target], text]);
  });

  it.each([
    ['a name that no card has', 'rpi-003', /rpi-003: no enrolled machine has this name/],
    ['a key that is too short', 'a1a1', /a1a1: no enrolled machine/],
    [
      'a key that may be two',
      '3fa92c01',
      /matches key 3fa92c01(3fa92c01)+ and a secret; specify the full key/,
    ],
  ])('revokes nothing for %s', async (_, what, why) => {
    waiting = [waits({ name: 'rpi-003' }), waits({ key: '3fa92c01'.repeat(8) })];

    const { err, exitCode } = await pi('revoke', what);

    expect(err).toMatch(why);
    expect([exitCode, changes()]).toEqual([1, []]);
  });

  it.skipIf(lacks('mtools', 'ssh'))('makes one image for all machines', async () => {
    const dpkg = Buffer.alloc(64);
    dpkg.write('\u007fELF', 'latin1');
    dpkg.writeUInt16LE(0x28, 18);
    const root = { ...systems.trixie.root, 'usr/bin/dpkg': dpkg.toString('latin1') };
    await makeTestImage(path('trixie.img'), { ...systems.trixie, root });
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path('id')]);
    const files = path(`files/k3s-${k3sVersion}`);
    await mkdir(files, { recursive: true });
    await writeFile(join(files, 'k3s-armhf'), 'k3s');
    const sum = sha256('k3s');
    await writeFile(join(files, 'sha256sum-arm.txt'), `${sum}  k3s-armhf\n`);
    const words = ['--base', path('trixie.img'), '--key', path('id.pub'), '--files', path('files')];

    const { out, err } = await pi('image', '--shared', ...words, '--out', path('cards'));

    expect(out.replaceAll(folder, '')).toBe(
      '/cards/rack4-shared.img: 0.1 GB, for all machines in the rack (cloud-init, debian trixie)\n',
    );
    expect(err).toMatch(
      /new cards can enrol until 2026-12-22.*; to end enrolment earlier, run skolo pi revoke 3fa92c01/,
    );
    const card = path('cards/rack4-shared.img');
    expect(await readByMtools(card, 'skolo-secret')).toBe(`${secret}\n`);
    const script = await readByMtools(card, 'skolo-setup.sh');
    expect(script).toContain(
      `ExecStart=/usr/local/sbin/skolo-enrol https://192.168.1.8:8005 ${pin}`,
    );
    expect(script).not.toContain(secret);
    expect(await readByMtools(card, 'user-data')).toContain('hostname: skolo-new');
    const named = await pi('image', 'rpi-001', '--shared', ...words);
    expect(named.err).toContain('--shared applies to all machines; omit the names');
  });
});
