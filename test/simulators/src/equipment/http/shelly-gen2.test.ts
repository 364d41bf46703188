import { describe, expect, it } from 'vitest';
import { peer } from '../../peer.ts';
import { startShellyGen2 } from './shelly-gen2.ts';
import { closing, curl, needs, python, url } from './testing.ts';

const program = peer('curl') ?? 'curl';

function frame(method: string, params?: object): string[] {
  return ['-d', JSON.stringify({ id: 1, method, params })];
}

describe('Shelly of the second generation', () => {
  needs('curl');

  it('switches and tells by paths', async () => {
    const device = await closing(startShellyGen2());

    const off = await curl(program, url(device, '/rpc/Switch.Set?id=0&on=false'));
    const status = await curl(program, url(device, '/rpc/Switch.GetStatus?id=0'));

    expect(JSON.parse(off.body)).toEqual({ was_on: true });
    expect(JSON.parse(status.body)).toMatchObject({ output: false });
  });

  it.each([
    ['Switch.Set', { on: false }, -103],
    ['Switch.Set', { id: 7, on: false }, -105],
    ['Switch.Set', { id: 0 }, -103],
    ['Switch.Set', { id: '0', on: false }, -103],
    ['Relay.Set', { id: 0 }, 404],
  ])('answers %s %o with an error', async (method, params, code) => {
    const device = await closing(startShellyGen2());

    const answer = await curl(program, ...frame(method, params), url(device, '/rpc'));

    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code } });
    expect(device.board.isOn('0')).toBe(true);
  });

  it('answers the same by a path with status 500', async () => {
    const device = await closing(startShellyGen2());

    const answer = await curl(program, url(device, '/rpc/Switch.GetStatus?id=7'));

    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.body)).toMatchObject({ code: -105 });
  });

  it("signs in by curl's digest with SHA-256, and by nothing else", async () => {
    const device = await closing(startShellyGen2({ password: 'calvin' }));
    const status = url(device, '/rpc/Switch.GetStatus?id=0');

    const digest = await curl(program, '--digest', '-u', 'admin:calvin', status);
    const wrong = await curl(program, '--digest', '-u', 'admin:wrong', status);
    const basic = await curl(program, '-u', 'admin:calvin', status);
    const open = await curl(program, url(device, '/shelly'));

    expect(JSON.parse(digest.body)).toMatchObject({ output: true });
    expect([wrong.status, basic.status, open.status]).toEqual([401, 401, 200]);
  });
});

it("is switched and read by labgrid's backend", async (context) => {
  if (!peer('labgrid')) return context.skip('labgrid is not installed');
  const device = await closing(startShellyGen2({ outlets: 2 }));

  const printed = await python(
    `import sys
try:
    from labgrid.driver.power import shelly_gen2
except ImportError:
    sys.exit(print('no backend'))
shelly_gen2.power_set(sys.argv[1], None, 1, False)
print(shelly_gen2.power_get(sys.argv[1], None, 1), shelly_gen2.power_get(sys.argv[1], None, 0))`,
    url(device, ''),
  );

  if (printed === 'no backend') return context.skip('this labgrid has no backend shelly_gen2');
  expect(printed).toBe('False True');
  expect(device.board.isOn('1')).toBe(false);
});
