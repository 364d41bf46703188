/**
 * A jumphost with the state of a whole rack dies, and a spare goes on with it: 20 machines in power cycles, thousands of alerts that were
 * accepted, configurations of 20 devices. The archive is made by the unit of systemd, by the schedule of router-backup.
 *
 * Units of systemd run the services in the place of pods, from their sources. PDU and switches are simulated.
 * One test goes on where the one before has ended. It prints how long each step takes.
 */

import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isLong } from '@skolo/base/durable/fault-injection';
import { newToken } from '@skolo/common';
import { newRackKey } from '@skolo/rack/jumphost';
import { jumphostServices } from '@skolo/rack/light';
import {
  address,
  type BareJumphost,
  bridge,
  network,
  startBareJumphost,
  subnet,
  whyNoJumphost,
} from '@skolo/setup/k3s/testing';
import {
  type CliDevice,
  type Computer,
  type ContainerRegistry,
  type HttpDevice,
  lacks,
  peer,
  startContainerRegistry,
  startNxos,
  startSynaccess,
} from '@skolo/simulators';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { makeRacks, routePods, typed } from './jumphost-workstation.ts';

/** Of all that is simulated. */
const equipment = `${network}.30`;
const tester = `${network}.40`;
const spare = { name: 'spare-rack4', address: `${network}.9` };
const account = { username: 'skolo', password: 'of-switches' };

const alerts = isLong ? 100_000 : 10_000;
const patience = { interval: 500 };
const numbers = (count: number) =>
  Array.from({ length: count }, (_, i) => `${i + 1}`.padStart(2, '0'));
const machines = numbers(20).map((number) => `m-${number}`);
const switches = numbers(20).map((number) => `switch-${number}`);
/** Of its machine in rack.yaml. */
const outletOf = (machine: string) => `${Number(machine.slice(2)) + 2}`;
/** A person has turned it off. */
const broken = 'm-20';

/** Heartbeats and notices have no number. */
const Message = z.object({ n: z.string().exactOptional() });
const Versions = z.object({ versions: z.array(z.object({ time: z.string() })) });
const Devices = z.object({
  equipment: z.array(
    z.object({ name: z.string(), lastSuccess: z.string().exactOptional(), offsite: z.string() }),
  ),
});

function rackYaml(pdu: number, ports: readonly number[], recipient: string): string {
  return `
rack: rack4
timezone: UTC
network: { subnet: ${subnet} }
secrets: { folder: ~/secrets }
jumphost: { name: jumphost-rack4, address: ${address}, aliases: [metadata], power: pdu-1/1 }
access: { tokens: { file: secrets/tokens }, anonymousRead: [${subnet}] }
identities:
  bots: { project: bots, email: bots@example.com, credentials: { fixed: secrets/token } }
logins:
  pdus: { username: admin, password: secrets/pdu }
  switches: { username: ${account.username}, password: secrets/switch }
equipment:
  pdu-1: { model: synaccess, address: ${equipment}, port: ${pdu}, login: pdus, outlets: 24 }
${switches.map((name, at) => `  ${name}: { model: nxos, address: ${equipment}, port: ${ports[at]}, login: switches }`).join('\n')}
machines:
  ${spare.name}: { kind: host, address: ${spare.address}, power: pdu-1/2 }
  tester: { kind: host, address: ${tester}, identity: bots }
  m-[01-20]: { kind: host, power: "pdu-1/[3-22]" }
services:
  power-cycle-daemon: { softSeconds: 1 }
  router-backup: { schedule: "* * * * *", jitterSeconds: 0, upload: /srv/offsite, encrypt: [${recipient}] }
  alert-to-pubsub: { sinks: [{ name: pagers, kind: http, url: "http://${tester}:9009/" }] }
`;
}

/** In the place of pods, on a computer: `skolo-test.service` starts all. */
async function installServices(computer: Computer, files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await computer.write(`/etc/test/${path}`, content, 0o600);
  }
  const units = jumphostServices.map((name) => `skolo-test-${name}.service`);
  for (const [at, name] of jumphostServices.entries()) {
    const main = `/opt/test/repository/services/${name}/src/main.ts`;
    await computer.write(
      `/etc/systemd/system/${units[at]}`,
      `[Service]
ExecStart=/opt/test/node ${main} --rack /etc/test/rack.yaml --state-dir /var/lib/skolo/${name}
WorkingDirectory=/
Restart=always
RestartSec=1
`,
    );
  }
  await computer.write(
    '/etc/systemd/system/skolo-test.service',
    `[Unit]\nWants=${units.join(' ')}\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n`,
  );
  // On the spare, from when it is the jumphost.
  await computer.write(
    '/etc/systemd/system/skolo-test.path',
    '[Path]\nPathExists=/etc/skolo/took-over\n',
  );
  await computer.run('mkdir', '/srv/offsite');
  await computer.run('systemctl', 'daemon-reload');
  await routePods(computer);
}

/** Programs of the jumphost itself, from their sources. */
async function useRealPrograms(bundles: string): Promise<void> {
  for (const name of ['power-cycle-daemon', 'router-backup']) {
    const main = join(bundles, name, 'opt/skolo/services', name, 'dist/main.js');
    await writeFile(main, `import('/opt/test/repository/services/${name}/src/main.ts');\n`);
  }
}

/** What the tester gets of the metadata server. */
async function tokenOf(): Promise<string | undefined> {
  const url = `http://${address}/computeMetadata/v1/instance/service-accounts/default/token`;
  const headers = { 'metadata-flavor': 'Google' };
  return await new Promise((resolve) => {
    const request = get(url, { localAddress: tester, headers }, (answer) => {
      text(answer).then(
        (body) => resolve(/"access_token":"([^"]+)"/.exec(body)?.[1]),
        () => resolve(undefined),
      );
    });
    request.on('error', () => resolve(undefined));
  });
}

const why = whyNoJumphost() ?? lacks('docker-registry');
describe.skipIf(why)('the state of a dead jumphost', () => {
  let jumphost: BareJumphost;
  let other: Computer;
  let registry: ContainerRegistry;
  let pdu: HttpDevice;
  let devices: CliDevice[];
  let racks: string;
  let token: string;
  let key: string;
  /** By device: SHA-1 of the newest version. */
  let configurations: Map<string, string>;
  const sources = () => [
    '--files',
    jumphost.workstation.files,
    '--bundles',
    jumphost.workstation.bundles,
  ];
  const type = (...args: string[]) => typed(racks, jumphost, ['jumphost', ...args, ...sources()]);
  const offsite = () => join(jumphost.computer.root, 'srv/offsite');
  const replace = (...args: string[]) => {
    const copy = ['--from', offsite(), '--identity', key, '--return-after', '10m'];
    return type('replace', 'rack4', '--with', spare.name, ...copy, ...args);
  };

  beforeAll(async () => {
    registry = await startContainerRegistry(peer('docker-registry') ?? '');
    await registry.push('skolo/service', '2026-11-20T22_40_05Z-ann-295cca0-clean', 'clean');
    const folders = Object.fromEntries(
      ['/usr/bin/git', '/usr/lib/git-core'].map((path) => [path, path]),
    );
    jumphost = await startBareJumphost({ bridge, folders });
    other = await jumphost.addSpare(spare);
    for (const each of [equipment, tester]) {
      execFileSync('ip', ['address', 'add', `${each}/24`, 'dev', bridge]);
    }
    pdu = await startSynaccess({ host: equipment, outlets: 24 });
    devices = await Promise.all(
      switches.map((name) => {
        const configuration = `hostname ${name}\ninterface Ethernet1/1\n  description of ${name}\n`;
        return startNxos({ ...account, host: equipment, configuration, secondMs: 1 });
      }),
    );
    const home = jumphost.workstation.env.HOME ?? '';
    const age = await generateX25519Identity();
    key = join(home, 'age-key');
    await writeFile(key, `${age}\n`, { mode: 0o600 });
    const ports = devices.map(({ port }) => port);
    const yaml = rackYaml(pdu.port, ports, await identityToRecipient(age));
    racks = await makeRacks(registry.host, yaml);
    const tokens = join(home, 'tokens');
    token = await newToken(tokens, { name: 'ann', role: 'admin', expiresInDays: 1 });
    jumphost.workstation.env.SKOLO_TOKEN_FILE = join(home, 'token');
    await writeFile(join(home, 'token'), token, { mode: 0o600 });
    const store = join(home, 'secrets/rack4');
    await mkdir(store, { recursive: true, mode: 0o700 });
    const fixed = { access_token: 'ya29.of-bots', expires_in: 3600, token_type: 'Bearer' };
    const secrets = {
      pdu: 'admin',
      switch: account.password,
      'k3s-token': 'of-the-cluster',
      'rack-key': newRackKey(),
      'backup-key': 'of the rack '.repeat(3),
      tokens: await readFile(tokens, 'utf8'),
      token: JSON.stringify(fixed),
    };
    const files: Record<string, string> = { 'rack.yaml': yaml };
    for (const [name, value] of Object.entries(secrets)) {
      await writeFile(join(store, name), value, { mode: 0o600 });
      files[`secrets/${name}`] = value;
    }
    await useRealPrograms(jumphost.workstation.bundles);
    await installServices(jumphost.computer, files);
    // As a push brings it to the new jumphost.
    const exchanged = yaml
      .replace('power: pdu-1/1 }', 'power: pdu-1/0 }')
      .replace('power: pdu-1/2 }', 'power: pdu-1/1 }')
      .replace('power: pdu-1/0 }', 'power: pdu-1/2 }');
    await installServices(other, { ...files, 'rack.yaml': exchanged });
    await other.run('systemctl', 'start', 'skolo-test.path');
  });
  afterAll(async () => {
    await jumphost?.close();
    for (const each of [pdu, ...(devices ?? [])]) await each?.close();
    await registry?.close();
    if (racks) await rm(racks, { recursive: true, force: true });
  });

  async function ask(path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`http://${address}:${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status}: ${answer}`);
    return answer === '' ? undefined : JSON.parse(answer);
  }

  const isOn = (machine: string) => pdu.board.isOn(outletOf(machine));
  const outletsOff = () =>
    Array.from({ length: 24 }, (_, i) => `${i + 1}`).filter((each) => !pdu.board.isOn(each));

  async function newestOf(name: string): Promise<{ time: string } | undefined> {
    return Versions.parse(await ask(`8003/v1/equipment/${name}/versions`)).versions[0];
  }

  async function configurationsNow(): Promise<Map<string, string>> {
    const all = switches.map(async (name) => [name, (await newestOf(name))?.time ?? ''] as const);
    return new Map(await Promise.all(all));
  }

  it('begins with a jumphost that serves', async () => {
    await jumphost.computer.run('systemctl', 'start', 'skolo-test.service');
    const { code, out } = await type('prepare', 'rack4', '--return-after', '10m');
    if (code !== 0) console.info(out);

    expect(out).toMatch(/^services +(ok|changed) /m);
    expect(code).toBe(0);
    expect(await tokenOf()).toBe('ya29.of-bots');
    // As skolo-fallback copies it.
    const rack = await jumphost.computer.read('/etc/test/rack.yaml');
    await jumphost.computer.write('/etc/skolo/power-cycle-daemon/rack.yaml', rack);
  });

  it('has cycles under way, an outlet that a person turned off, and alerts that nobody has got', async () => {
    const cycle = { reason: 'dead', mode: 'hard' };
    // A controller that has proven an on gets several cycles at once.
    await ask('9210/v1/power-cycles', { machines: ['m-19'], ...cycle, offSeconds: 1 });
    await vi.waitFor(() => expect(isOn('m-19')).toBe(false), patience);
    await vi.waitFor(() => expect(isOn('m-19')).toBe(true), patience);
    await ask('9210/v1/outlets', { targets: [broken], state: 'off', reason: 'smoke' });
    await vi.waitFor(() => expect(isOn(broken)).toBe(false), patience);
    await ask('9210/v1/power-cycles', {
      machines: machines.slice(0, 18),
      ...cycle,
      // Longer than until the jumphost dies.
      offSeconds: 3600,
    });
    await vi.waitFor(() => expect(outletsOff().length).toBeGreaterThan(3), patience);
    for (let first = 0; first < alerts; first += 1000) {
      const labels = Array.from({ length: 1000 }, (_, i) => ({
        labels: { alertname: 'Test', n: `${first + i}` },
      }));
      await ask('8001/api/v2/alerts', labels);
    }
  });

  it('is archived by systemd, by the schedule, off site', async () => {
    const from = Date.now();
    await vi.waitFor(async () => {
      const { equipment } = Devices.parse(await ask('8003/v1/equipment'));
      for (const name of ['jumphost-rack4', ...switches]) {
        expect(equipment.find((each) => each.name === name)).toMatchObject({ offsite: 'stored' });
      }
      const { time = '' } = (await newestOf('jumphost-rack4')) ?? {};
      expect(Date.parse(time)).toBeGreaterThan(from);
    }, patience);
    configurations = await configurationsNow();
    const log = ['journalctl', '-u', 'skolo-jumphost-archive.service', '-o', 'cat'] as const;

    // The archive is taken before its program says so and ends.
    const logged = async () => (await jumphost.computer.run(...log)).text;
    await expect.poll(logged).toMatch(/^\d+ files, \d+ bytes, \d+ omitted$/m);
    expect((await readdir(offsite())).filter((name) => name.endsWith('.age')).length).toBe(
      (await jumphost.computer.run('ls', '/srv/offsite')).text.trim().split('\n').length,
    );
    await jumphost.computer.cutPower();
    expect(outletsOff().length).toBeGreaterThan(3);
  });

  it('is replaced, with all of it', async () => {
    const began = performance.now();
    const seconds = () => Math.round((performance.now() - began) / 1000);
    let firstToken: number | undefined;
    const looking = setInterval(async () => {
      if ((await tokenOf()) !== undefined) firstToken ??= seconds();
    }, 500);
    const { code, out } = await replace();
    clearInterval(looking);
    console.info(`${out}\nfirst token after ${firstToken} s, all after ${seconds()} s`);

    expect(out).toMatch(/^database +ok .*the token decrypts the database/m);
    expect(out).toMatch(/^configuration history +missing/m);
    // Of the first archive, because later ones do not contain it.
    expect(out).toMatch(/^machine history +\d+ (s|min) old/m);
    expect(out).toMatch(/^rack4: spare-rack4 became the jumphost in \d+ (s|min)/m);
    expect(code).toBe(0);
    expect(await tokenOf()).toBe('ya29.of-bots');
  });

  it('turns on what its cycles left off, and nothing that a person turned off', async () => {
    await vi.waitFor(() => expect(outletsOff()).toEqual(['1', outletOf(broken)]), patience);
    const audit = await other.run('sh', '-c', 'cat /var/lib/skolo/power-cycle-daemon/audit/*');

    expect(audit.text).toContain('smoke');
  });

  it('delivers every alert that was accepted', async () => {
    const began = performance.now();
    const got = new Set<string>();
    const sink = createServer((request, response) => {
      void text(request).then((body) => {
        const { n } = Message.parse(JSON.parse(body));
        if (n !== undefined) got.add(n);
        response.end();
      });
    });
    sink.listen(9009, tester);
    await vi.waitFor(() => expect(got.size).toBe(alerts), { interval: 500 });
    console.info(`alerts within ${Math.round((performance.now() - began) / 1000)} s`);
    sink.closeAllConnections();
    sink.close();
  });

  it('has the configurations of all devices again', async () => {
    const place = ['--from', offsite(), '--identity', key, '--reason', 'replaced'];
    const { out } = await typed(racks, jumphost, [
      ...['backup', 'restore-history', '--on', 'rack4', ...place],
    ]);

    expect(out).toMatch(/^restored 20 configurations; /m);
    // The new jumphost has read them again meanwhile: a version of its own, with another time.
    for (const [name, time] of configurations) {
      const { versions } = Versions.parse(await ask(`8003/v1/equipment/${name}/versions`));
      expect(versions.map((version) => version.time)).toContain(time);
    }
  });

  it('is not disturbed by the old jumphost, which does not serve', async () => {
    await jumphost.computer.boot();
    const units = ['skolo-active.service', 'networking.service', 'k3s.service'];
    const { text: states } = await jumphost.computer.run('systemctl', 'is-active', ...units);
    const { text: addresses } = await jumphost.computer.run('ip', '-4', '-o', 'address');

    expect(states).toBe('failed\ninactive\ninactive\n');
    expect(addresses).not.toContain(address);
    expect(await tokenOf()).toBe('ya29.of-bots');
    expect(outletsOff()).toEqual(['1', outletOf(broken)]);
  });
});
