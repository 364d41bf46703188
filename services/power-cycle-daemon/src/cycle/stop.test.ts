/** SIGTERM while outlets are off: their power comes back before the daemon is gone. */
import { describe, expect, it } from 'vitest';
import { startDaemon } from '../testing/daemon.ts';

const yaml = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  a: { kind: host, power: pdu-1/1, offSeconds: 3600 }
  b: { kind: host, power: pdu-1/2, offSeconds: 3600 }
`;
/** One at a time, so that the second has not begun. */
const settings = '    atOncePerController: 1';

describe('a daemon that stops in the middle', () => {
  it('turns on what it turned off, and begins nothing more', async () => {
    const daemon = await startDaemon({ yaml, settings, stopWithin: 10 });
    const { boards, until } = daemon;
    const [first = '', second = ''] = await daemon.requests(['a', 'b']);
    await until(first, ({ step }) => step === 'off');

    await daemon.stop();
    const told = [...boards.get('pdu-1').told];
    const next = await startDaemon({ yaml: yaml.replaceAll('3600', '0.5'), previous: daemon });
    const done = await next.finished(first);
    const later = await next.until(second, ({ step }) => step === 'off');

    expect(told).toEqual(['off 1', 'on 1 auto']);
    expect(done).toMatchObject({ outcome: 'on' });
    expect(done.steps.map(({ text }) => text)).toContain(
      'the daemon is stopping, so the power is turned on early',
    );
    expect(later.target).toBe('b');
  });

  it('does not wait for ever for what cannot be turned on', async () => {
    const daemon = await startDaemon({ yaml, stopWithin: 3 });
    const { boards, until } = daemon;
    const id = await daemon.request('a');
    await until(id, ({ step }) => step === 'off');
    boards.get('pdu-1').isWedged = true;

    await daemon.stop();
    boards.get('pdu-1').isWedged = false;
    const next = await startDaemon({ yaml, previous: daemon });
    const done = await next.finished(id);

    expect(done.outcome).toBe('on');
    expect(boards.get('pdu-1').outlets.isOn('1')).toBe(true);
  });
});
