/** Commands that a backup can do without, which a device does not answer: the configuration is read, and what they would show is unseen. */
import {
  DeviceAsks,
  DeviceBusy,
  type DeviceConnection,
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
} from '@skolo/equipment/transports';
import { describe, expect, it } from 'vitest';
import { readWhole } from '../configuration/whole-reading.ts';
import { loadBackups } from '../load.ts';
import { answering } from '../testing/answering.ts';
import { rackDevice } from '../testing/outlets.ts';
import { bytesOf } from '../testing/simulated-device.ts';

const backups = await loadBackups();
const nexus = '!Command: show running-config\nversion 9.3(5)\nhostname nexus-1\n';
const serial = 'NAME: "Chassis"\nPID: N9K , SN: FDO1\n';

function nexusAnswers(command: string): string {
  if (command === 'show inventory') return serial;
  return command.startsWith('show user-account') ? 'roles:network-admin' : nexus;
}

type Answer = (command: string) => string;

async function sit(model: string, answer: Answer) {
  const device = rackDevice(model, {});
  const asked: string[] = [];
  const connection: DeviceConnection = answering(device, (command) => {
    asked.push(command);
    return Buffer.from(answer(command));
  });
  const backup = backups.get(model)?.(device);
  if (backup === undefined) throw new Error(`no model ${model}`);
  return { backup, connection, asked };
}

const failing =
  (error: Error, at: string, times = 99): Answer =>
  (command) => {
    times -= command === at ? 1 : 0;
    if (command === at && times >= 0) throw error;
    return nexusAnswers(command);
  };

describe('a command that a backup can do without', () => {
  it.each([
    ['is not answered', new DeviceTimeout('nexus-1', 'no prompt: no data for 30 s')],
    ['asks back', new DeviceAsks('nexus-1', 'asks "Password:", and skolo does not respond')],
    ['ends the session', new DeviceUnreachable('nexus-1', 'closed the connection')],
  ])('and %s ends the questions, and the configuration is read', async (_how, error) => {
    const { backup, connection, asked } = await sit('nxos', failing(error, 'show inventory'));

    const { content, identity, startup, extent, unseen } = await backup.read(connection);

    expect(bytesOf(content).toString()).toBe(nexus);
    expect(identity).toEqual({ hostname: 'nexus-1' });
    expect([startup?.toString(), extent]).toEqual([nexus, 'unknown']);
    expect(unseen).toBe(error.message.replace('nexus-1: ', ''));
    expect(asked.at(-1)).toBe('show inventory');
  });

  it('is asked briefly, and nothing else is', async () => {
    const { backup, connection, asked } = await sit('nxos', nexusAnswers);
    const briefly: string[] = [];

    await backup.read({
      ...connection,
      async briefly(work) {
        const before = asked.length;
        const result = await work();
        briefly.push(...asked.slice(before));
        return result;
      },
    });

    expect(asked.filter((command) => !briefly.includes(command))).toEqual(['show running-config']);
  });

  it('and is rejected has been seen to be', async () => {
    const error = new DeviceRejected('nexus-1', 'rejects "show inventory"');
    const { backup, connection } = await sit('nxos', failing(error, 'show inventory'));

    expect(await backup.read(connection)).toMatchObject({ extent: 'whole', unseen: undefined });
  });

  it('does not hide that the device is needed for something else', async () => {
    const error = new DeviceBusy('nexus-1', 'it is needed for a power cycle');
    const { backup, connection } = await sit('nxos', failing(error, 'show inventory'));

    await expect(backup.read(connection)).rejects.toBe(error);
  });

  it.each([
    [0, 'show inventory', nexus, undefined],
    [1, 'show inventory', nexus, undefined],
    [0, 'show startup-config', undefined, 'no prompt'],
    [1, 'show startup-config', undefined, 'no prompt'],
  ])('is compared if both of two readings saw it: %i %s', async (first, command, saved, why) => {
    const timeout = new DeviceTimeout('nexus-1', 'no prompt');
    let reads = 0;
    const { backup, connection } = await sit('nxos', (asked) => {
      reads += asked === 'show running-config' ? 1 : 0;
      if (asked === command && reads === first + 1) throw timeout;
      return nexusAnswers(asked);
    });

    const { identity, startup, unseen } = await readWhole(
      backup,
      connection,
      async () => undefined,
    );

    expect(identity).toMatchObject({ serial: 'FDO1', hostname: 'nexus-1' });
    expect([startup?.toString(), unseen]).toEqual([saved, why]);
  });

  it.each([1, 2])('is seen if one of two readings saw it, not reading %i', async (which) => {
    let reads = 0;
    const { backup, connection } = await sit('routeros', (asked) => {
      reads += asked.startsWith('/export') ? 1 : 0;
      if (asked.startsWith('/system history') && reads === which)
        throw new DeviceTimeout('nexus-1', 'no prompt');
      return asked.startsWith('/system history') ? 'by="ann"' : '# by RouterOS 7.1\n';
    });

    const reading = await readWhole(backup, connection, async () => undefined);

    expect(reading).toMatchObject({ changedBy: 'ann', unseen: undefined });
  });

  it('comes after the configuration', async () => {
    for (const [model, first] of [
      ['routeros', '/export show-sensitive'],
      ['nxos', 'show running-config'],
      ['eos', 'show running-config'],
    ] as const) {
      const { backup, connection, asked } = await sit(model, () => '# by RouterOS 7.1\n');

      await backup.read(connection);

      expect(asked[0]).toBe(first);
    }
  });
});
