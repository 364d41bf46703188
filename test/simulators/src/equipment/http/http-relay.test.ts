import { expect, it } from 'vitest';
import { peer } from '../../peer.ts';
import { startHttpRelay } from './http-relay.ts';
import { closing, python, url } from './testing.ts';

it("is switched and read by labgrid's backend rest", async (context) => {
  if (!peer('labgrid')) return context.skip('labgrid is not installed');
  const device = await closing(startHttpRelay());

  const printed = await python(
    `import sys
from labgrid.driver.power import rest as backend
host = sys.argv[1]
backend.power_set(host, None, 3, False)
off = backend.power_get(host, None, 3)
backend.power_set(host, None, 3, True)
print(off, backend.power_get(host, None, 3))`,
    url(device, '/relay/{index}/value'),
  );

  expect(printed).toBe('False True');
  expect(device.received).toHaveLength(4);
});
