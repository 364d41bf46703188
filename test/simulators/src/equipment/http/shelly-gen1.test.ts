import { describe, expect, it } from 'vitest';
import { peer } from '../../peer.ts';
import { startShellyGen1 } from './shelly-gen1.ts';
import { closing, curl, needs, python, url } from './testing.ts';

const program = peer('curl') ?? 'curl';

describe('Shelly of the first generation', () => {
  needs('curl');

  it('switches by GET and by POST of a form', async () => {
    const device = await closing(startShellyGen1({ outlets: 2 }));

    const off = await curl(program, url(device, '/relay/1?turn=off'));
    const on = await curl(program, '-d', 'turn=on', url(device, '/relay/1'));

    expect(JSON.parse(off.body)).toMatchObject({ ison: false, has_timer: false });
    expect(JSON.parse(on.body)).toMatchObject({ ison: true });
  });

  it('does not flip back when another command came in between', async () => {
    const device = await closing(startShellyGen1());

    await curl(program, url(device, '/relay/0?turn=off&timer=3600'));
    const later = await curl(program, url(device, '/relay/0?turn=off'));

    expect(JSON.parse(later.body)).toMatchObject({ ison: false, has_timer: false });
  });

  it.each([
    ['/relay/7?turn=off', 404],
    ['/relay/0?turn=of', 400],
    ['/relay/0?turn=off&timer=soon', 400],
    ['/rpc', 404],
  ])('rejects %s', async (path, status) => {
    const device = await closing(startShellyGen1());

    const answer = await curl(program, url(device, path));

    expect(answer.status).toBe(status);
    expect(device.board.isOn('0')).toBe(true);
  });
});

it("is switched and read by labgrid's backend", async (context) => {
  if (!peer('labgrid')) return context.skip('labgrid is not installed');
  const device = await closing(startShellyGen1({ outlets: 2 }));

  const printed = await python(
    `import sys
try:
    from labgrid.driver.power import shelly_gen1
except ImportError:
    sys.exit(print('no backend'))
shelly_gen1.power_set(sys.argv[1], None, 1, False)
print(shelly_gen1.power_get(sys.argv[1], None, 1), shelly_gen1.power_get(sys.argv[1], None, 0))`,
    url(device, ''),
  );

  if (printed === 'no backend') return context.skip('this labgrid has no backend shelly_gen1');
  expect(printed).toBe('False True');
  expect(device.board.isOn('1')).toBe(false);
});
