/** The fault of an outlet, from the reading to whoever is woken by it. */
import { describe, expect, it } from 'vitest';
import { Boards } from '../testing/board-driver.ts';
import { startDaemon } from '../testing/daemon.ts';
import { plugIn } from '../testing/machine.ts';
import { waitUntil } from '../testing/wait-until.ts';

describe('a fault that a switch reports', () => {
  it('is in the status, in the metrics, and in the result of a cycle that is not seen back', async () => {
    const boards = new Boards();
    const machine = await plugIn(boards, 'm', ['pdu-1/9'], {
      host: '127.0.1.1',
      timeoutSeconds: 1,
    });
    const daemon = await startDaemon({
      boards,
      yaml: `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  m: ${machine.entry}
  bare: { kind: host, power: pdu-1/10, offSeconds: 0.5 }
`,
    });
    const { outlets } = boards.get('pdu-1');
    await machine.misbehave('never-boots');
    outlets.setFaulty('9', true);
    outlets.setFaulty('10', true);

    const [m, bare] = await daemon.cycle(['m', 'bare']);
    const status = await waitUntil(async () => {
      const { machines } = await daemon.client.machines({ query: { name: 'm' } });
      return machines[0]?.outlets[0]?.fault === undefined ? undefined : machines[0];
    });
    const metrics = await daemon.metrics();

    expect(m).toMatchObject({
      outcome: 'failed',
      failedStep: 'see-back',
      fault: 'pdu-1/9: Fault',
      detail: expect.stringMatching(
        /^not back within 1 s: .+; the outlet reports a fault \(pdu-1\/9: Fault\); check the port, the cable/,
      ),
    });
    expect(m?.steps.map(({ text }) => text)).toContain('pdu-1/9 is on, with the fault "Fault"');
    expect(bare).toMatchObject({ outcome: 'on', fault: 'pdu-1/10: Fault' });
    expect(status.outlets).toMatchObject([{ state: 'on', delivering: false, fault: 'Fault' }]);
    expect(metrics).toContain('skolo_power_outlet_fault{outlet="pdu-1/9"} 1');
  });

  it('is gone from the result once the machine is back', async () => {
    const boards = new Boards();
    const machine = await plugIn(boards, 'm', ['pdu-1/9'], { host: '127.0.1.2' });
    const daemon = await startDaemon({
      boards,
      yaml: `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  m: ${machine.entry}
`,
    });
    boards.get('pdu-1').outlets.setFaulty('9', true);

    const [cycle] = await daemon.cycle('m');

    expect(cycle?.outcome).toBe('back');
    expect(cycle).not.toHaveProperty('fault');
  });
});
