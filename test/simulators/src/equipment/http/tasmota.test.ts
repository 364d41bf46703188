import { describe, expect, it } from 'vitest';
import { peer } from '../../peer.ts';
import { startTasmota } from './tasmota.ts';
import { changes, closing, curl, needs, python, url } from './testing.ts';

const program = peer('curl') ?? 'curl';

describe('Tasmota', () => {
  needs('curl');

  it('takes an index of 0 for all and none for the first', async () => {
    const device = await closing(startTasmota({ outlets: 3 }));

    await curl(program, url(device, '/cm?cmnd=Power%20OFF'));
    const first = device.board.names().map((name) => device.board.isOn(name));
    await curl(program, url(device, '/cm?cmnd=Power0%20OFF'));
    const all = device.board.names().map((name) => device.board.isOn(name));

    expect(first).toEqual([false, true, true]);
    expect(all).toEqual([false, false, false]);
  });
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
