import { expect, it } from 'vitest';
import { peer } from '../../peer.ts';
import { startHttpRelay } from './http-relay.ts';
import { closing, python, url } from './testing.ts';

it.for([
  ['rest', '/relay/{index}/value'],
  ['simplerest', '/relay/{index}/{value}'],
])(
  "is switched and read by labgrid's backend %s",
  async ([backend = '', template = ''], context) => {
    if (!peer('labgrid')) return context.skip('labgrid is not installed');
    const device = await closing(startHttpRelay());

    const printed = await python(
      `import sys, importlib
backend = importlib.import_module('labgrid.driver.power.' + sys.argv[1])
host = sys.argv[2]
backend.power_set(host, None, 3, False)
off = backend.power_get(host, None, 3)
backend.power_set(host, None, 3, True)
print(off, backend.power_get(host, None, 3))`,
      backend,
      url(device, template),
    );

    expect(printed).toBe('False True');
    expect(device.received).toHaveLength(4);
  },
);
