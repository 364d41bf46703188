import { existsSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { DeviceRejected, DeviceTimeout } from '@skolo/equipment/transports';
import { peer, startApcRpdu } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PowerDriver } from '../contract/outlets.ts';
import {
  allRejectWhenAborted,
  neverSends,
  openDriver,
  patient,
  stateOf,
  verbs,
} from '../testing/outlets.ts';
import { outlets as commandSwitch } from './command-switch.ts';

/** A relay card made of files: its commands are in `told`, and each outlet's state in a file. */
const relay = `#!/bin/sh
dir=$(dirname "$0")
echo "$@" >> "$dir/told"
case $1 in
  on | off) echo "$1" > "$dir/$2.state" ;;
  state) cat "$dir/$2.state" 2> /dev/null || echo off ;;
  fail) echo "token=abc relay $2 is stuck" >&2; exit 4 ;;
  hang) sleep 300 ;;
esac
`;

interface Card {
  dir: string;
  path: string;
  told(): Promise<string[]>;
}

async function makeCard(): Promise<Card> {
  const dir = await tempDir();
  const path = join(dir, 'relay');
  await writeFile(path, relay);
  await chmod(path, 0o755);
  const told = async () => {
    const text = await readFile(join(dir, 'told'), 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  };
  return { dir, path, told };
}

function driverOf({ path }: Card, options: Record<string, unknown> = {}): PowerDriver {
  return openDriver(commandSwitch, {
    options: {
      on: [path, 'on', '{outlet}'],
      off: [path, 'off', '{outlet}'],
      read: { command: [path, 'state', '{outlet}'], on: '^on$', off: '^off$' },
      ...options,
    },
  });
}

describe('command-switch', () => {
  it('turns single outlets on and off as rack.yaml says, and reads them back', async () => {
    const card = await makeCard();
    const driver = driverOf(card);

    await driver.turnOn('3', {}, patient());
    const readings = await driver.read(['3', 'lamp'], patient());
    await driver.turnOff('3', patient());

    expect([...readings]).toEqual([
      ['3', { state: 'on' }],
      ['lamp', { state: 'off' }],
    ]);
    expect(await stateOf(driver, '3')).toBe('off');
    expect(await card.told()).toEqual(['on 3', 'state 3', 'state lamp', 'off 3', 'state 3']);
  });

  it('puts the outlet wherever a word names it', async () => {
    const card = await makeCard();
    const driver = driverOf(card, { on: [card.path, '--relay={outlet}/{outlet}', 'x{outlet}'] });

    await driver.turnOn('7', {}, patient());

    expect(await card.told()).toEqual(['--relay=7/7 x7']);
  });

  it('takes a status other than 0 for a failure, and tells the last line of why', async () => {
    const card = await makeCard();
    const driver = driverOf(card, { off: [card.path, 'fail', '{outlet}'] });

    const off = driver.turnOff('3', patient());

    await expect(off).rejects.toThrow(DeviceRejected);
    await expect(off).rejects.toThrow(/exited with status 4: token=abc relay 3 is stuck$/);
  });

  it('takes a status other than 0 for a failure of the reading, too', async () => {
    const card = await makeCard();
    const command = ['sh', '-c', 'echo on; exit 1'];
    const driver = driverOf(card, { read: { command, on: '^on$', off: '^off$' } });

    await expect(driver.read(['3'], patient())).rejects.toThrow(DeviceRejected);
  });

  it.for([
    [{ on: '.', off: '.' }, /both/],
    [{ on: '^yes$', off: '^no$' }, /neither/],
  ] as const)('does not guess when what is printed fits %o', async ([expressions, message]) => {
    const card = await makeCard();
    const command = [card.path, 'state', '{outlet}'];
    const driver = driverOf(card, { read: { command, ...expressions } });

    await expect(driver.read(['3'], patient())).rejects.toThrow(DeviceRejected);
    await expect(driver.read(['3'], patient())).rejects.toThrow(message);
  });

  it('ends a program that takes too long', async () => {
    const card = await makeCard();
    const driver = driverOf(card, { off: [card.path, 'hang'], timeoutSeconds: 0.3 });

    await expect(driver.turnOff('3', patient())).rejects.toThrow(DeviceTimeout);
  });

  it('gives up when it is told to', async () => {
    const card = await makeCard();
    const hang = [card.path, 'hang'];
    const read = { command: hang, on: 'on', off: 'off' };
    const driver = driverOf(card, { on: hang, off: hang, read });

    await allRejectWhenAborted(driver, '3');
  });

  it('says which program is not there', async () => {
    const driver = driverOf({ ...(await makeCard()), path: '/nowhere/relay' });

    for (const verb of Object.values(verbs(driver, '3'))) {
      await expect(verb()).rejects.toThrow(/\/nowhere\/relay does not exist; correct its command/);
    }
  });

  const malformed = ['a b', '$(id)', ';id', '../x', 'a\nb', 'a\0b', '*', '٣', 'x'.repeat(61)];
  neverSends(malformed, async () => {
    const card = await makeCard();
    return { driver: driverOf(card), wasTold: () => existsSync(join(card.dir, 'told')) };
  });

  it('knows how many outlets there are where rack.yaml says so', async () => {
    const card = await makeCard();
    const driver = driverOf(card, { outlets: 4 });

    for (const name of ['5', '0', 'lamp']) {
      await expect(driver.turnOff(name, patient())).rejects.toThrow(DeviceRejected);
    }
    expect(await card.told()).toEqual([]);
  });

  it("switches by somebody else's programs: fence_apc_snmp, read back by snmpget", async (context) => {
    const [fence, snmpget] = [peer('fence-agents'), peer('snmp-tools')];
    if (!fence || !snmpget) return context.skip('fence-agents or snmp is not installed');
    const pdu = await startApcRpdu();
    onTestFinished(() => pdu.close());
    const target = [fence, '-a', pdu.host, '-u', `${pdu.port}`, '-c', 'private', '-n', '{outlet}'];
    const state = '1.3.6.1.4.1.318.1.1.12.3.5.1.1.4.{outlet}';
    const command = [snmpget, '-v2c', '-c', 'private', '-Oqv', `${pdu.host}:${pdu.port}`, state];
    const driver = openDriver(commandSwitch, {
      options: {
        on: [...target, '-o', 'on'],
        off: [...target, '-o', 'off'],
        read: { command, on: '^1$', off: '^2$' },
        timeoutSeconds: 50,
      },
    });

    await driver.turnOff('3', patient());
    const off = await stateOf(driver, '3');
    await driver.turnOn('3', {}, patient());

    expect(off).toBe('off');
    expect(await stateOf(driver, '3')).toBe('on');
    // Status 0 and "No Such Instance": neither on nor off.
    await expect(driver.read(['99'], patient())).rejects.toThrow(/neither/);
  });

  it('tells what uhubctl says where there is no hub', async (context) => {
    const uhubctl = peer('uhubctl');
    if (!uhubctl) return context.skip('uhubctl is not installed');
    const card = await makeCard();
    const off = [uhubctl, '-l', '99-9.9', '-p', '{outlet}', '-a', 'off'];
    const driver = driverOf(card, { off });

    await expect(driver.turnOff('1', patient())).rejects.toThrow(DeviceRejected);
  });
});
