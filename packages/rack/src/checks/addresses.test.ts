import { expect, it } from 'vitest';
import { parseRack } from '../read/load.ts';

it('switches behind a broker share its address, also with the jumphost that it runs on', () => {
  const rack = parseRack(
    `
rack: rack1
timezone: UTC
network: { subnet: 127.0.0.0/8, domain: lan }
jumphost: { name: jumphost, address: 127.0.0.1 }
equipment:
  plug-[1-2]: { model: mqtt-switch, address: 127.0.0.1, topic: 'plug-[1-2]', outlets: 2 }
  plug-3: { model: mqtt-switch, address: 127.0.0.1, topic: plug-1, command: 'other/{device}/{outlet}', outlets: 2 }
`,
    { file: '/rack.yaml' },
  );

  expect([...rack.equipment.keys()]).toEqual(['plug-1', 'plug-2', 'plug-3']);
});
