import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { dependsOn, goesDark } from '../rack/wiring.ts';
import { rackForDaemonOn } from './daemon-on-machine.ts';

const rack4 = new URL('../../../../kube/racks/rack4/rack.yaml', import.meta.url);

it('a machine of the rack takes the place of the jumphost, which becomes a machine', async () => {
  const text = await readFile(rack4, 'utf8');

  const { rack, jumphost, sections } = rackForDaemonOn(text, 'skia-e-linux-02', 'rack.yaml');

  expect(jumphost).toBe('jumphost-rack4');
  expect(rack.jumphost).toMatchObject({ name: 'skia-e-linux-02', address: '192.168.1.51' });
  expect(rack.machines.get('jumphost-rack4')).toMatchObject({
    address: '192.168.1.8',
    power: [{ device: 'pdu-1', outlet: '8' }],
    uplink: { device: 'switch-1', outlet: '48' },
  });
  expect(rack.machines.has('skia-e-linux-01')).toBe(true);
  expect(rack.machines.has('skia-e-linux-02')).toBe(false);
  expect(dependsOn(rack, rack.jumphost.name)).toEqual(
    expect.arrayContaining(['pdu-1/10', 'pdu-2/2', 'switch-2/5']),
  );
  expect(goesDark(rack, { device: 'pdu-1', outlet: '8' })).toEqual(['jumphost-rack4']);
  expect(rack.services['power-cycle-daemon']).toMatchObject({
    cooldownSeconds: 300,
    repair: { enabled: false },
  });
  expect(sections).not.toHaveProperty('access');
});

it.each([
  ['an unknown machine', 'skia-e-linux-09', 'skia-e-linux-09 does not exist'],
  ['a jumphost without power', 'skia-e-linux-01', 'has no outlet; add `power:`'],
])('rejects %s', async (_what, machine, message) => {
  const text = (await readFile(rack4, 'utf8')).replace('  power: pdu-1/8\n', '');

  expect(() => rackForDaemonOn(text, machine, 'rack.yaml')).toThrow(message);
});
