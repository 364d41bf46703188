/** `skolo check cabling` in a rack whose cable was moved: the services as their images run them, and simulated equipment behind them. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { agentPublicKey, newAgentKey } from '@skolo/base/secrets';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { newToken } from '@skolo/common';
import {
  mega4,
  raspberryPi3,
  raspberryPi4,
  startEdgeos,
  startEdgeSwitch,
  startSimulatedMachine,
  type Wiring,
} from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { runCommand } from '../../../packages/cli/src/testing/run-command.ts';
import { startService } from './service-process.ts';

const account = { username: 'ubnt', password: 'canary-switch' };
const agentKey = newAgentKey();
const macs = { 'rpi-1': 'b8:27:eb:00:00:01', 'rpi-2': 'b8:27:eb:00:00:02' };

/** rack.yaml has rpi-1 at port 1 and rpi-2 at port 2; `more`: machines of which no switch knows. */
async function startRack(places: Record<keyof typeof macs, string>, more = '') {
  const dir = await tempDir();
  const file = (name: string) => join(dir, name);
  await writeFile(file('switch-password'), account.password, { mode: 0o600 });
  await writeFile(file('agent-key'), agentKey.reveal(), { mode: 0o600 });

  const plugged: Wiring = { hosts: [] };
  const device = await startEdgeSwitch({
    ...account,
    host: '127.0.2.2',
    ports: 8,
    wiring: plugged,
  });
  onTestFinished(() => device.close());
  const machineAt = async (name: keyof typeof macs, host: string, port: string) => {
    const feeds = [[device.board, port]] as const;
    const machine = untilTestEnds(await startSimulatedMachine({ ...account, name, host, feeds }));
    plugged.hosts.push({ mac: macs[name], port, address: host });
    return machine;
  };
  const moved = await machineAt('rpi-1', '127.0.1.1', places['rpi-1']);
  const other = await machineAt('rpi-2', '127.0.1.2', places['rpi-2']);
  const router = await startEdgeos({
    ...account,
    host: '127.0.2.1',
    wiring: { hosts: plugged.hosts.map((each) => ({ ...each, port: 'eth1' })) },
  });
  onTestFinished(() => router.close());

  const rackFile = file('rack.yaml');
  const entry = (name: string, { host, sshPort, agentUrl }: typeof moved, port: string) =>
    `  ${name}: { kind: rpi, address: ${host}, port: ${sshPort}, mac: "${macs[name as keyof typeof macs]}", power: switch-1/${port}, uplink: switch-1/${port}, swarming: { url: "${agentUrl}" } } # on the shelf`;
  const writeRack = (power: string, backup: string) =>
    writeFile(
      rackFile,
      `rack: rack4 # in the lab
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
access:
  tokens: { file: tokens.yaml }
  anonymousRead: [127.0.0.0/8]
  agents: { privateKey: agent-key, publicKey: ${agentPublicKey(agentKey)} }
logins: { equipment: { username: ubnt, password: switch-password } }
equipment:
  router: { model: edgeos, address: 127.0.2.1, ports: { ssh: ${router.port} }, login: equipment, uplink: internet, backup: false }
  switch-1: { model: edgeswitch, portCount: 8, address: 127.0.2.2, ports: { ssh: ${device.port} }, login: equipment, uplink: router/eth1, backup: false }
machines:
${entry('rpi-1', moved, '1')}
${entry('rpi-2', other, '2')}
${more}services:
  power-cycle-daemon: { url: "${power}" }
  router-backup: { url: "${backup}" }
`,
    );
  const flags = (name: string) => ['--rack', rackFile, '--state-dir', file(name)];
  await writeRack('http://127.0.0.1:9', 'http://127.0.0.1:9');
  const power = await startService('power-cycle-daemon', flags('power'));
  await writeRack(power.url, 'http://127.0.0.1:9');
  const backup = await startService('router-backup', flags('backup'));
  await writeRack(power.url, backup.url);
  const skolo = async (...args: string[]) => {
    const all = ['check', ...args, '--rack', rackFile, '--token-file', file('token')];
    const { out, err, exitCode: code } = await runCommand(all);
    return { code, output: out + err };
  };
  const ann = { name: 'ann', role: 'operate', expiresInDays: 1 } as const;
  await writeFile(file('token'), await newToken(file('tokens.yaml'), ann), { mode: 0o600 });
  const read = () => readFile(rackFile, 'utf8');
  const changes: string[] = [];
  device.board.on('change', ({ outlet, on }) => changes.push(`${outlet} ${on ? 'on' : 'off'}`));
  return { skolo, moved, read, changes };
}

it('finds a moved cable, proves its outlet, and corrects rack.yaml', async () => {
  const { skolo, moved, read, changes } = await startRack({ 'rpi-1': '4', 'rpi-2': '2' });
  const before = await read();

  moved.task = { running: true };
  const busy = await skolo('outlets', '--write');
  const left = await read();
  moved.task = { running: false };
  const verified = await skolo('outlets', '--write');
  const again = await skolo('cabling');

  expect(busy.output).toContain(
    'rpi-1: not verified: rpi-1 is running a task; no further outlets will be cycled',
  );
  expect(busy.code).toBe(3);
  expect(left).toBe(before.replace('uplink: switch-1/1,', 'uplink: switch-1/4,'));
  expect(verified.output).toContain('rpi-1: verified: switch-1/4 powers it');
  expect(changes).toEqual(['4 off', '4 on']);
  expect(await read()).toBe(before.replaceAll('switch-1/1,', 'switch-1/4,'));
  expect(verified.code).toBe(0);
  expect(again).toMatchObject({ code: 0 });
  expect(again.output).toContain('rack4: no problems, ');
  expect(`${busy.output}${verified.output}`).not.toContain('canary');
});

/** One with a phone at two ports of a hub; rack.yaml has the power of the one alone. */
async function startUsb(
  name: string,
  host: string,
  hub: typeof raspberryPi4,
  ports: readonly [number, number],
) {
  const [own, neighbour] = ports.map((port) => `usb/${hub.location}.${port}`);
  const phones = [
    { name: 'own', port: own ?? '' },
    { name: 'neighbour', port: neighbour ?? '' },
  ];
  const machine = await startSimulatedMachine({ ...account, name, host, hubs: [hub], phones });
  onTestFinished(() => machine.close());
  const changes: string[] = [];
  machine.usb.on('change', ({ outlet, on }) => changes.push(`${outlet} ${on ? 'on' : 'off'}`));
  const { sshPort, agentUrl } = machine;
  const entry = `  ${name}: { kind: rpi, address: ${host}, port: ${sshPort}, swarming: { url: "${agentUrl}" }, devices: [{ name: own, power: ${own} }, { name: neighbour }] }\n`;
  return {
    entry,
    changes,
    off: () => machine.usb.names().filter((port) => !machine.usb.isOn(port)),
  };
}

it('verifies USB ports by what their phones report', async () => {
  const reports = { ...mega4, ports: 5, together: { ports: [1, 2, 3, 4], switchedBy: [5] } };
  const port4 = { ...raspberryPi4, together: { ports: [1, 2, 3, 4], switchedBy: [4] } };
  const racks = await Promise.all([
    startUsb('usb-1', '127.0.1.11', mega4, [1, 2]),
    startUsb('usb-2', '127.0.1.12', raspberryPi4, [3, 2]),
    startUsb('usb-3', '127.0.1.13', port4, [4, 2]),
    startUsb('usb-4', '127.0.1.14', raspberryPi3, [2, 3]),
    startUsb('usb-5', '127.0.1.15', reports, [1, 2]),
  ]);
  const more = racks.map(({ entry }) => entry).join('');
  const { skolo, read } = await startRack({ 'rpi-1': '1', 'rpi-2': '2' }, more);
  const before = await read();

  const shown = await skolo('outlets', '--write');

  expect(shown.code).toBe(3);
  expect(shown.output).toContain(
    'usb-1-own: usb/1-1.3.1: verified: the port powers only this phone',
  );
  const unverified = (port: string) => `-own: ${port}: not verified: `;
  for (const text of [
    `usb-2${unverified('usb/1-1.3')}nothing stopped charging`,
    `usb-3${unverified('usb/1-1.4')}usb-3-neighbour also stopped charging`,
    `usb-4${unverified('usb/1-1.2')}usb-4-neighbour also stopped charging`,
    `usb-5${unverified('usb/1-1.3.1')}nothing stopped charging`,
  ]) {
    expect(shown.output).toContain(text);
  }
  expect(await read()).toBe(
    before.replace(
      '{ name: own, power: usb/1-1.3.1',
      '{ name: own, powerVerified: true, power: usb/1-1.3.1',
    ),
  );
  expect(racks.flatMap(({ off }) => off())).toEqual([]);
  expect(racks[0]?.changes).toEqual(['usb/1-1.3.1 off', 'usb/1-1.3.1 on']);
  expect(racks[1]?.changes.filter((change) => change.endsWith('off'))).toEqual(['usb/1-1.3 off']);
});

it('proves the outlets of two that were swapped, though rack.yaml has each at that of the other', async () => {
  const { skolo, read, changes } = await startRack({ 'rpi-1': '2', 'rpi-2': '1' });

  const first = await skolo('cabling');
  const verified = await skolo('outlets', '--write');

  expect(first.output).toContain('switch-1/2 is still assigned to rpi-2 in rack.yaml');
  expect(verified).toMatchObject({ code: 0 });
  expect(changes).toEqual(['2 off', '2 on', '1 off', '1 on']);
  const text = await read();
  expect(text).toMatch(/rpi-1: .* power: switch-1\/2, uplink: switch-1\/2,/);
  expect(text).toMatch(/rpi-2: .* power: switch-1\/1, uplink: switch-1\/1,/);
});
