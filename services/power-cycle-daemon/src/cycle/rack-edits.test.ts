/** rack.yaml is edited while cycles are under way. */
import { describe, expect, it } from 'vitest';
import { startDaemon } from '../testing/daemon.ts';
import { waitUntil } from '../testing/wait-until.ts';

const pdu1 = '  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }';
const pdu2 = '  pdu-2: { model: apc-rpdu, address: 127.0.2.3 }';
const a = '  a: { kind: host, power: pdu-1/1, offSeconds: 0.5 }';
const b = '  b: { kind: host, power: pdu-1/2, offSeconds: 0.5 }';

function rackOf(devices: readonly string[], machines: readonly string[]): string {
  return ['equipment:', ...devices, 'machines:', ...machines, ''].join('\n');
}

describe('an edit of rack.yaml', () => {
  it('that takes the machine away does not leave its outlet off', async () => {
    const daemon = await startDaemon({ yaml: rackOf([pdu1], [a, b]) });
    const id = await daemon.request('a', { offSeconds: 15 });
    await daemon.until(id, ({ step }) => step === 'off');

    await daemon.edit(rackOf([pdu1], [b]));
    const cycle = await daemon.finished(id);

    expect(cycle.outcome).toBe('on');
    expect(daemon.boards.get('pdu-1').outlets.isOn('1')).toBe(true);
  });

  it('that removes the PDU leaves the outlet pending until the PDU is there again', async () => {
    const daemon = await startDaemon({ yaml: rackOf([pdu1, pdu2], [a]) });
    const id = await daemon.request('a', { offSeconds: 15 });
    await daemon.until(id, ({ step }) => step === 'off');

    await daemon.edit(rackOf([pdu2], ['  a: { kind: host, power: pdu-2/1 }']));
    const cycle = await daemon.finished(id);
    await daemon.edit(rackOf([pdu1, pdu2], [a]));
    await waitUntil(() => (daemon.boards.get('pdu-1').outlets.isOn('1') ? true : undefined));

    expect(cycle).toMatchObject({ outcome: 'stuck-off' });
    expect(cycle.detail).toContain('pdu-1 is no longer in rack.yaml');
    expect(daemon.boards.get('pdu-2').told).toEqual([]);
  });

  it('that gives the PDU another address goes on there', async () => {
    const daemon = await startDaemon({ yaml: rackOf([pdu1], [a]) });
    const id = await daemon.request('a', { offSeconds: 15 });
    await daemon.until(id, ({ step }) => step === 'off');

    await daemon.edit(rackOf([pdu1.replace('2.2', '2.9')], [a]));
    const cycle = await daemon.finished(id);

    expect(cycle.outcome).toBe('on');
    expect(daemon.boards.get('pdu-1')).toMatchObject({ told: ['off 1', 'on 1 auto'] });
    expect(daemon.boards.get('pdu-1').isClosed).toBe(true);
  });

  it('that moves the cable cuts neither the old outlet nor the new one', async () => {
    const settings = '    atOncePerController: 1';
    const daemon = await startDaemon({ yaml: rackOf([pdu1], [a, b]), settings });
    const first = await daemon.request('a', { offSeconds: 20 });
    await daemon.until(first, ({ step }) => step === 'off');
    const second = await daemon.request('b', { offSeconds: 0.5 });
    await daemon.until(second, ({ steps }) => steps.some(({ text }) => text === 'pdu-1/2 is on'));

    // What feeds b now is another outlet; the old one feeds somebody new.
    const moved = ['  b: { kind: host, power: pdu-1/3 }', '  c: { kind: host, power: pdu-1/2 }'];
    await daemon.edit(rackOf([pdu1], [a, ...moved]));
    const cycle = await daemon.finished(second);

    expect(cycle).toMatchObject({
      outcome: 'failed',
      failedStep: 'queued',
      detail: 'b is now powered by pdu-1/3 instead of pdu-1/2; send the request again',
    });
    await daemon.finished(first);
    expect(daemon.boards.get('pdu-1').told).toEqual(['off 1', 'on 1 auto']);
  });

  it('that takes away what is being reached ends its cycle', async () => {
    const daemon = await startDaemon({ yaml: rackOf([pdu1], [a, b]) });
    daemon.boards.get('pdu-1').isWedged = true;
    const id = await daemon.request('a', { offSeconds: 0.5 });
    await daemon.until(id, ({ step }) => step === 'contact');

    await daemon.edit(rackOf([pdu2], ['  a: { kind: host, power: pdu-2/1 }']));
    const cycle = await daemon.finished(id);

    expect(cycle).toMatchObject({
      outcome: 'failed',
      failedStep: 'contact',
      detail: 'pdu-1 is no longer in rack.yaml',
    });
  });

  it('that takes away a controller that is down ends its being degraded', async () => {
    const daemon = await startDaemon({ yaml: rackOf([pdu1, pdu2], [a]) });
    daemon.boards.get('pdu-1').isDown = true;
    await daemon.finished(await daemon.request('a', { offSeconds: 0.5 }));
    const before = await daemon.degraded();

    await daemon.edit(rackOf([pdu2], ['  a: { kind: host, power: pdu-2/1 }']));
    const after = await daemon.degraded();

    expect(before).toMatchObject([{ what: 'controller pdu-1' }]);
    expect(after).toEqual([]);
  });

  it('that takes the PDU away for good lets a person give the outlet up', async () => {
    const daemon = await startDaemon({ yaml: rackOf([pdu1, pdu2], [a]) });
    const { client } = daemon;
    const id = await daemon.request('a', { offSeconds: 15 });
    await daemon.until(id, ({ step }) => step === 'off');
    const key = { params: { outlet: 'pdu-1/1' } };

    const inTheRack = await client.forgetPendingOn(key).catch((error: unknown) => error);
    await daemon.edit(rackOf([pdu2], ['  a: { kind: host, power: pdu-2/1 }']));
    await daemon.finished(id);
    await client.forgetPendingOn(key);
    const again = await client.forgetPendingOn(key).catch((error: unknown) => error);
    const metrics = await daemon.metrics();

    expect(inTheRack).toMatchObject({ status: 409 });
    expect(again).toMatchObject({ status: 404 });
    expect(metrics).toMatch(/^skolo_power_outlets_pending_on 0$/m);
    expect(metrics).not.toContain('skolo_power_outlets_stuck_off{');
  });

  it('changes the limits that hold from now on', async () => {
    const machines = ['  e-[1-4]: { kind: host, power: "pdu-1/[11-14]", offSeconds: 15 }'];
    const yaml = rackOf([pdu1], machines);
    const daemon = await startDaemon({ yaml, settings: '    atOncePerController: 1' });
    const ids = await daemon.requests(['e-[1-4]']);
    await daemon.until(ids[0] ?? '', ({ step }) => step === 'off');

    await daemon.edit(yaml, '    atOncePerController: 4');
    await daemon.until(ids[3] ?? '', ({ step }) => step === 'off');

    const { outlets } = daemon.boards.get('pdu-1');
    expect(['12', '13', '14'].map((outlet) => outlets.isOn(outlet))).toEqual([false, false, false]);
    await Promise.all(ids.map((id) => daemon.finished(id)));
  });
});
