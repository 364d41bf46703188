import { describe, expect, it } from 'vitest';
import { peer } from '../../peer.ts';
import { startShellyGen1 } from './shelly-gen1.ts';
import { changes, closing, curl, needs, python, url } from './testing.ts';

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

  it('flips back by itself when it is given a timer', async () => {
    const device = await closing(startShellyGen1({ outlets: 2, secondMs: 5 }));
    const cycle = changes(device, 2);

    const answer = await curl(program, url(device, '/relay/1?turn=off&timer=10'));

    expect(JSON.parse(answer.body)).toMatchObject({ ison: false, has_timer: true });
    expect(await cycle).toEqual(['1 off', '1 on']);
  });

  it('does not flip back when another command came in between', async () => {
    const device = await closing(startShellyGen1());

    await curl(program, url(device, '/relay/0?turn=off&timer=3600'));
    const later = await curl(program, url(device, '/relay/0?turn=off'));

    expect(JSON.parse(later.body)).toMatchObject({ ison: false, has_timer: false });
  });

  it('tells the state and the power of all, and how many there are', async () => {
    const device = await closing(startShellyGen1({ outlets: 2, meters: 1 }));
    device.board.set('1', false);

    const status = await curl(program, url(device, '/status'));
    const meter = await curl(program, url(device, '/meter/0'));
    const identity = await curl(program, url(device, '/shelly'));

    expect(JSON.parse(status.body)).toMatchObject({
      relays: [{ ison: true }, { ison: false }],
      meters: [{ power: 4, is_valid: true }],
    });
    expect(JSON.parse(meter.body)).toMatchObject({ power: 4 });
    expect(JSON.parse(identity.body)).toMatchObject({ num_outputs: 2, num_meters: 1, auth: false });
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

  it('wants a password for all but its identity', async () => {
    const account = { username: 'admin', password: 'calvin' };
    const device = await closing(startShellyGen1({ account }));

    const rejected = await curl(program, url(device, '/relay/0?turn=off'));
    const taken = await curl(program, '-u', 'admin:calvin', url(device, '/relay/0'));
    const open = await curl(program, url(device, '/shelly'));

    expect([rejected.status, taken.status, open.status]).toEqual([401, 200, 200]);
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
