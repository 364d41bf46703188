import { describe, expect, it, vi } from 'vitest';
import { peer } from '../../peer.ts';
import { startTasmota, type TasmotaOptions } from './tasmota.ts';
import { changes, closing, curl, needs, python, url } from './testing.ts';

const program = peer('curl') ?? 'curl';

async function startWithConsole(options: TasmotaOptions) {
  const device = await closing(startTasmota(options));
  const run = async (command: string): Promise<unknown> => {
    const query = ['-G', '--data-urlencode', `cmnd=${command}`];
    const { body } = await curl(program, ...query, url(device, '/cm'));
    return JSON.parse(body);
  };
  return { device, run };
}

describe('Tasmota', () => {
  needs('curl');

  it('calls one relay POWER, and several by their numbers', async () => {
    const one = await startWithConsole({});
    const two = await startWithConsole({ outlets: 2 });

    expect(await one.run('Power1 OFF')).toEqual({ POWER: 'OFF' });
    expect(await two.run('Power2 off')).toEqual({ POWER2: 'OFF' });
    expect(await two.run('POWER2')).toEqual({ POWER2: 'OFF' });
    expect(await two.run('State')).toMatchObject({ POWER1: 'ON', POWER2: 'OFF' });
  });

  it('takes an index of 0 for all and none for the first', async () => {
    const { device, run } = await startWithConsole({ outlets: 3 });

    await run('Power OFF');
    const first = device.board.names().map((name) => device.board.isOn(name));
    await run('Power0 OFF');
    const all = device.board.names().map((name) => device.board.isOn(name));

    expect(first).toEqual([false, true, true]);
    expect(all).toEqual([false, false, false]);
  });

  it('carries out a backlog by itself, with nothing to read at once', async () => {
    const { device, run } = await startWithConsole({ outlets: 2, secondMs: 5 });
    const cycle = changes(device, 2);

    const answer = await run('Backlog Power2 OFF; Delay 50; Power2 ON');

    expect(answer).toEqual({});
    expect(await cycle).toEqual(['2 off', '2 on']);
  });

  it('forgets a backlog when it is told so, and when the mains fails', async () => {
    const { device, run } = await startWithConsole({ outlets: 2 });
    const off = changes(device, 1);

    await run('Backlog Power1 OFF; Delay 3600; Power1 ON');
    await off;
    await vi.waitFor(async () => expect(await run('Delay')).toEqual({ Delay: 3600 }), 20_000);

    expect(await run('Backlog')).toEqual({ Backlog: 'Aborted' });
    await device.reboot();
    expect(device.board.isOn('1')).toBe(false);
    await run('PowerOnState 1');
    await device.reboot();
    expect(device.board.isOn('1')).toBe(true);
  });

  it('turns a relay off after its pulse time', async () => {
    const { device, run } = await startWithConsole({ secondMs: 5 });
    await run('Power1 OFF');
    const pulse = changes(device, 2);

    expect(await run('PulseTime1 105')).toEqual({ PulseTime1: { Set: 105, Remaining: 0 } });
    await run('Power1 ON');

    expect(await pulse).toEqual(['1 on', '1 off']);
  });

  it.each([
    [{ outlets: 2 }, { Power: [4, 4] }],
    [{ outlets: 2, meters: 'together' }, { Power: 8 }],
    [{}, { Power: 4 }],
  ] as const)('measures power: %o', async (options, energy) => {
    const { run } = await startWithConsole(options);

    expect(await run('Status 8')).toMatchObject({ StatusSNS: { ENERGY: energy } });
    expect(await run('Status 10')).toMatchObject({ StatusSNS: { ENERGY: energy } });
  });

  it('says that it does not know a command, or a relay', async () => {
    const { run } = await startWithConsole({ outlets: 2 });

    expect(await run('Powr1 OFF')).toEqual({ Command: 'Unknown' });
    expect(await run('Power3 OFF')).toEqual({ Command: 'Unknown' });
  });

  it.each([200, 401] as const)(
    'rejects with status %i, and keeps passwords out of its log',
    async (status) => {
      const device = await closing(startTasmota({ password: 'joker', rejectionstatus: status }));

      const wrong = await curl(
        program,
        url(device, '/cm?cmnd=Power1%20OFF&user=admin&password=no'),
      );
      const right = await curl(program, url(device, '/cm?cmnd=Power1&user=admin&password=joker'));

      expect(wrong.status).toBe(status);
      expect(JSON.parse(wrong.body)).toEqual({
        WARNING: 'Need user=<username>&password=<password>',
      });
      expect(JSON.parse(right.body)).toEqual({ POWER: 'ON' });
      expect(device.received.map(({ text }) => text)).toEqual([
        'GET /cm?cmnd=Power1 OFF',
        'GET /cm?cmnd=Power1',
      ]);
    },
  );
});

it("takes the commands of pdudaemon's driver", async (context) => {
  if (!peer('pdudaemon')) return context.skip('pdudaemon is not installed');
  const device = await closing(startTasmota({ outlets: 2, password: 'joker' }));
  const off = changes(device, 1);

  await python(
    `import sys
from pdudaemon.drivers.tasmota import BrennenstuhlWSPL01Tasmota as Driver
Driver(sys.argv[1], {'username': 'admin', 'password': 'joker'}).port_interaction('off', 2)`,
    `${device.host}:${device.port}`,
  );

  expect(await off).toEqual(['2 off']);
});
