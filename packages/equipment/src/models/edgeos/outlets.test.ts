import { DeviceBusy, DeviceRejected } from '@skolo/equipment/transports';
import { describe, expect, it } from 'vitest';
import { patient, readOne, startCli } from '../testing/cli.ts';
import { savedPoeOutput } from './edgeos.ts';
import { router } from './proof.ts';

const both = ['24v', '48v'];

describe('edgeos', () => {
  it('turns a port off and on again in the mode that it had', async () => {
    const ports = {
      eth0: { modes: [] },
      eth1: { modes: both, saved: '24v' },
      eth2: { modes: both, saved: '48v' },
      eth3: { modes: both },
    };
    const { device, driver } = await startCli(router(ports));

    const before = await driver.read(['eth1', 'eth2', 'eth3'], patient());
    await driver.turnOff('eth1', patient());
    const off = await readOne(driver, 'eth1');
    await driver.turnOn('eth1', { mode: before.get('eth1')?.mode }, patient());

    expect([...before]).toEqual([
      ['eth1', { state: 'on', mode: '24v' }],
      ['eth2', { state: 'on', mode: '48v' }],
      ['eth3', { state: 'off' }],
    ]);
    expect(off).toEqual({ state: 'off' });
    expect(device.board.get('eth1')).toMatchObject({ on: true, mode: '24v' });
  });

  it('does not choose a voltage', async () => {
    const { device, driver } = await startCli(router({ eth1: { modes: both } }));

    const turnedOn = driver.turnOn('eth1', {}, patient());

    await expect(turnedOn).rejects.toBeInstanceOf(DeviceRejected);
    await expect(turnedOn).rejects.toThrow(
      'switch-1: the voltage for eth1 is unknown, and the wrong voltage could destroy the attached device; ' +
        'turn the port on once at the router (set interfaces ethernet eth1 poe output 24v or 48v)',
    );
    expect(device.board.isOn('eth1')).toBe(false);
  });

  it('leaves a port on that is on, whatever the mode', async () => {
    const { device, driver } = await startCli(router());

    await driver.turnOn('eth1', {}, patient());

    expect(device.board.get('eth1')).toMatchObject({ on: true, mode: '48v' });
  });

  it.each(['off', 'on', '230v', '48v; reboot'])('turns on in no mode %j', async (mode) => {
    const { device, driver } = await startCli(router());

    await expect(driver.turnOn('eth1', { mode }, patient())).rejects.toThrow(DeviceRejected);

    expect(device.sessions.opened).toBe(0);
  });

  it('says that the router rejects a voltage', async () => {
    const { device, driver } = await startCli(router({ eth1: { modes: ['24v'], saved: '24v' } }));

    await expect(driver.turnOn('eth1', { mode: '48v' }, patient())).rejects.toThrow(
      /did not set poe output of eth1 to 48v: .*48v is not supported on eth1 Commit failed/,
    );

    expect(device.board.get('eth1')).toMatchObject({ on: true, mode: '24v' });
  });

  it('does not say that a port without PoE is off', async () => {
    const { driver } = await startCli(router({ eth0: { modes: [] }, eth1: { modes: both } }));

    await expect(driver.read(['eth0'], patient())).rejects.toThrow('eth0 has no PoE');
    await expect(driver.turnOff('eth0', patient())).rejects.toThrow(/is not valid.*Set failed/);
    expect(await readOne(driver, 'eth1')).toEqual({ state: 'off' });
  });

  it('has nothing against a port that is off already', async () => {
    const { driver } = await startCli(router());

    await driver.turnOff('eth1', patient());
    await driver.turnOff('eth1', patient());

    expect(await readOne(driver, 'eth1')).toEqual({ state: 'off' });
  });

  it('says that it is busy while somebody else commits', async () => {
    const { device, driver } = await startCli(router());
    device.faults.set('busy');

    await expect(driver.turnOff('eth1', patient())).rejects.toThrow(DeviceBusy);
    device.faults.clear();

    expect(await readOne(driver, 'eth1')).toMatchObject({ state: 'on' });
  });

  it('does not save: after a reboot of the router the port is on', async () => {
    const { device, driver } = await startCli(router());
    await driver.turnOff('eth1', patient());

    await driver.close();
    await device.reboot();

    expect(await readOne(driver, 'eth1')).toEqual({ state: 'on', mode: '48v' });
  });
});

describe('the saved configuration', () => {
  const saved = [
    'firewall {',
    '    all-ping enable',
    '}',
    'interfaces {',
    '    ethernet eth1 {',
    '        description "poe { output 24v"',
    '        poe {',
    '            output 48v',
    '            watchdog {',
    '                address 192.168.1.20',
    '            }',
    '        }',
    '        vif 10 {',
    '            poe {',
    '                output 24v',
    '            }',
    '        }',
    '    }',
    '    ethernet eth10 {',
    '        poe {',
    '            output "24v-4pair"',
    '        }',
    '    }',
    '}',
    '/* Warning: Do not remove the following line. */',
  ].join('\n');

  it.each([
    ['eth1', '48v'],
    ['eth10', '24v-4pair'],
    ['eth2', undefined],
    ['eth', undefined],
  ])('tells of %s: %s', (port, output) => {
    expect(savedPoeOutput(saved, port)).toBe(output);
  });

  it('may be anything', () => {
    expect(savedPoeOutput('}\n}\n{\noutput 48v', 'eth1')).toBeUndefined();
  });
});
