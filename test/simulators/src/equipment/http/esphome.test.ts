import { describe, expect, it } from 'vitest';
import { peer } from '../../peer.ts';
import { startEsphome } from './esphome.ts';
import { changes, closing, curl, needs, python, url } from './testing.ts';

const program = peer('curl') ?? 'curl';
const account = { username: 'admin', password: 'calvin' };

describe('ESPHome', () => {
  needs('curl');

  it.each(['/switch/relay_9', '/switch/relay_1/turn_of', '/light/relay_1'])(
    'does not know %s',
    async (path) => {
      const device = await closing(startEsphome());

      const answer = await curl(program, '-X', 'POST', url(device, path));

      expect(answer.status).toBe(404);
    },
  );

  it.each(['basic', 'digest'] as const)('signs in by %s', async (signIn) => {
    const device = await closing(startEsphome({ account, signIn }));
    const state = url(device, '/switch/relay_1');

    const right = await curl(program, `--${signIn}`, '-u', 'admin:calvin', state);
    const wrong = await curl(program, `--${signIn}`, '-u', 'admin:wrong', state);

    expect([right.status, wrong.status]).toEqual([200, 401]);
  });
});

it("is switched by pdudaemon's driver, which signs in by digest", async (context) => {
  if (!peer('pdudaemon')) return context.skip('pdudaemon is not installed');
  const device = await closing(startEsphome({ account }));
  const cycle = changes(device, 2);

  await python(
    `import sys
from pdudaemon.drivers.esphome import ESPHomeHTTP as Driver
settings = {'username': 'admin', 'password': 'calvin', 'switch_ids': ['relay_1', 'relay_2']}
driver = Driver(sys.argv[1], settings)
driver.port_interaction('off', 2)
driver.port_interaction('on', 2)`,
    `${device.host}:${device.port}`,
  );

  expect(await cycle).toEqual(['relay_2 off', 'relay_2 on']);
});
