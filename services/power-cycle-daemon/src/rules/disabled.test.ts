/** A start from a rack.yaml with mistakes, without a last good copy. */
import { expect, it } from 'vitest';
import { startDaemon, type TestDaemon } from '../testing/daemon.ts';

const yaml = `
infrastructure:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
  pdu-2: { model: apc-rpdu, address: 127.0.2.3, power: pdu-1/9 }
machines:
  a: { kind: host, power: pdu-1/1 }
  b: { kind: hst, power: pdu-1/2 }
  c: { kind: host, power: pdu-2/1 }
`;

function ask({ client }: TestDaemon, machines: string[], force = false) {
  return client.requestCycles({ body: { machines, mode: 'hard', reason: 'dead', force } });
}

it('cycles the machines without a mistake, and knows no other', async () => {
  const daemon = await startDaemon({ yaml });

  const { cycles } = await ask(daemon, ['a']);
  const done = await daemon.finished(cycles[0]?.id ?? '');

  expect(done.outcome).toBe('on');
  await expect(ask(daemon, ['b'])).rejects.toThrow(/rack1 has no machine/);
  expect(daemon.boards.get('pdu-1').told).toEqual(['off 1', 'on 1 auto']);
});

it('turns off no outlet of which it is not known what it feeds', async () => {
  // pdu-2 has a mistake, and is fed by some outlet of pdu-1.
  const daemon = await startDaemon({ yaml: yaml.replace('127.0.2.3', '127.0.2.3.4') });

  const outlet = await ask(daemon, ['pdu-1/5'], true).catch((error: unknown) => String(error));
  const machine = await ask(daemon, ['a']);
  await daemon.finished(machine.cycles[0]?.id ?? '');

  expect(outlet).toMatch(/it is not known what pdu-1\/5 feeds/);
  // Its own outlet is gone with pdu-2.
  await expect(ask(daemon, ['c'])).rejects.toThrow(/does not say what feeds it/);
  expect(daemon.boards.get('pdu-1').told).toEqual(['off 1', 'on 1 auto']);
});
