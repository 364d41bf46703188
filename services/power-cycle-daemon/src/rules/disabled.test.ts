/** A start from a rack.yaml with errors, without a last good copy. */
import { expect, it } from 'vitest';
import { startDaemon } from '../testing/daemon.ts';

const yaml = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
  pdu-2: { model: apc-rpdu, address: 127.0.2.3, power: pdu-1/9 }
machines:
  a: { kind: host, power: pdu-1/1 }
  b: { kind: hst, power: pdu-1/2 }
  c: { kind: host, power: pdu-2/1 }
`;

it('cycles the machines without an error, and knows no other', async () => {
  const daemon = await startDaemon({ yaml });

  expect(await daemon.cycle('a')).toMatchObject([{ outcome: 'on' }]);
  await expect(daemon.request('b')).rejects.toThrow(/rack1 does not have a machine/);
  expect(daemon.boards.get('pdu-1').told).toEqual(['off 1', 'on 1 auto']);
});

it('turns off no outlet of which it is not known what it feeds', async () => {
  // pdu-2 has an error, and is fed by some outlet of pdu-1.
  const daemon = await startDaemon({ yaml: yaml.replace('127.0.2.3', '127.0.2.3.4') });

  const outlet = await daemon
    .request('pdu-1/5', { force: true })
    .catch((error: unknown) => String(error));
  await daemon.cycle('a');

  expect(outlet).toMatch(/the dependents of pdu-1\/5 are unknown/);
  // Its own outlet is gone with pdu-2.
  await expect(daemon.request('c')).rejects.toThrow(/does not specify its outlet/);
  expect(daemon.boards.get('pdu-1').told).toEqual(['off 1', 'on 1 auto']);
});
