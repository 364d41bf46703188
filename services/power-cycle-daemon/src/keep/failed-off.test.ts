/** What a request that failed leaves behind: of a program nothing, of an operator what it says. */
import { sendRequest } from '@skolo/base/testing';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { describe, expect, it } from 'vitest';
import { startDaemon } from '../testing/daemon.ts';
import { waitUntil } from '../testing/wait-until.ts';

const yaml = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
  pdu-2: { model: apc-rpdu, address: 127.0.2.3 }
machines:
  b: { kind: host, power: pdu-1/1, offSeconds: 0.5 }
  c: { kind: host, power: pdu-1/2, offSeconds: 0.5 }
`;
const often = '    readSeconds: 5\n    probeSeconds: { first: 0.1, most: 1 }\n';

async function start(more: Partial<Parameters<typeof startDaemon>[0]> = {}) {
  const port = await freeTcpPort();
  const settings = `${often}    endpoints: { pdudaemon: { port: ${port}, host: 127.0.0.1, allow: [127.0.0.0/8], aliases: [b] } }`;
  const daemon = await startDaemon({ yaml, settings, ...more });
  return {
    ...daemon,
    settings,
    board: daemon.boards.get('pdu-1'),
    ask: (query: string, signal?: AbortSignal) =>
      sendRequest(port, `/power/control/${query}`, signal && { signal }),
  };
}

type Lab = Awaited<ReturnType<typeof start>>;

const rejected = (why: RegExp) => ({ status: 500, text: expect.stringMatching(why) });

/** The id of the only cycle, once it tries to reach its controller. */
function reaching({ client }: Lab): Promise<string> {
  return waitUntil(async () => {
    const { cycles } = await client.cycles({ query: {} });
    return cycles[0]?.step === 'contact' ? cycles[0].id : undefined;
  });
}

/** The daemon has looked at the PDU again, after this was called. */
async function isRead(lab: Lab) {
  const since = new Date().toISOString();
  return waitUntil(async () => {
    const now = await lab.outlet('pdu-1/1');
    return now?.readAt !== undefined && now.readAt > since ? now : undefined;
  });
}

describe('a request of the pdudaemon endpoint that failed', () => {
  it('off: is not carried out once the PDU is back', async () => {
    const lab = await start();
    lab.board.isDown = true;

    const answer = await lab.ask('off?alias=b');
    lab.board.isDown = false;
    const later = await isRead(lab);

    expect(answer).toMatchObject(rejected(/^failed at contact: /));
    expect(answer.text).not.toContain('pending');
    expect(later).toMatchObject({ state: 'on' });
    expect(later).not.toHaveProperty('switchedOff');
    expect(lab.board.told).toEqual([]);
  });

  it('off: is not tried on where the PDU did not obey', async () => {
    const lab = await start();
    lab.board.ignores = 'off';

    const answer = await lab.ask('off?alias=b');
    lab.board.ignores = undefined;
    const told = lab.board.told.length;
    const later = await isRead(lab);

    expect(answer).toMatchObject(rejected(/at turn-off/));
    expect(later).toMatchObject({ state: 'on' });
    expect(lab.board.told).toHaveLength(told);
  });

  it('on: leaves the outlet as the endpoint had turned it off', async () => {
    const lab = await start();
    await lab.ask('off?alias=b');
    lab.board.isDown = true;

    const answer = await lab.ask('on?alias=b');
    lab.board.isDown = false;
    const later = await isRead(lab);

    expect(answer).toMatchObject(
      rejected(/^failed at turn-on: pdu-1\/1 is not reported as on: pdu-1: connection refused/),
    );
    expect(later).toMatchObject({ state: 'off', switchedOff: { reason: "pdudaemon's API: off" } });
  });

  it('on: is not tried for ever, and makes no outlet stuck', async () => {
    const lab = await start();
    await lab.ask('off?alias=b');
    lab.board.ignores = 'on';

    const answer = await lab.ask('on?alias=b');
    const failed = await lab.outlet('pdu-1/1');
    lab.board.ignores = undefined;
    const later = await isRead(lab);

    expect(answer).toMatchObject({
      status: 500,
      text: 'failed at turn-on: pdu-1/1 is not reported as on: pdu-1/1 is still off\n',
    });
    expect(failed).toMatchObject({ stuckOff: false, switchedOff: { by: expect.any(String) } });
    expect(failed).not.toHaveProperty('pendingOnSince');
    expect(later).toMatchObject({ state: 'off', switchedOff: { reason: "pdudaemon's API: off" } });
    expect((await lab.ask('on?alias=b')).status).toBe(200);
  });

  it('off: does not end the attempts to turn on what a cycle left off', async () => {
    const lab = await start();
    lab.board.ignores = 'on';
    await lab.ask('reboot?alias=b&delay=0.5');

    const answer = await lab.ask('off?alias=b');
    lab.board.ignores = undefined;
    await waitUntil(() => (lab.board.outlets.isOn('1') ? true : undefined));

    expect(answer).toMatchObject(rejected(/is still being turned on/));
  });

  it.each(['off', 'reboot'])(
    '%s: is over when the client hangs up before it has begun',
    async (command) => {
      const lab = await start();
      lab.board.isWedged = true;
      const leaving = new AbortController();

      const waiting = lab.ask(`${command}?alias=b`, leaving.signal);
      const id = await reaching(lab);
      leaving.abort();
      await expect(waiting).rejects.toThrow();
      const cycle = await lab.finished(id);

      expect(cycle).toMatchObject({
        outcome: 'cancelled',
        detail: 'the client disconnected before the cycle began; try again',
      });
      expect(await lab.outlet('pdu-1/1')).not.toHaveProperty('switchedOff');
      expect(lab.board.told).toEqual([]);
    },
  );

  it.each(['off', 'reboot'])(
    '%s: is over when the daemon is restarted before it has begun',
    async (command) => {
      const first = await start();
      first.board.isWedged = true;
      const waiting = first.ask(`${command}?alias=b`).catch(() => undefined);
      const id = await reaching(first);
      await first.stop();
      await waiting;
      first.board.isWedged = false;

      const next = await start({ previous: first });

      expect(await next.finished(id)).toMatchObject({ outcome: 'cancelled' });
      expect(await isRead(next)).toMatchObject({ state: 'on' });
      expect(next.board.told).toEqual([]);
    },
  );
});

describe('an off of an operator that failed', () => {
  it('reports that it is pending, and how to cancel it', async () => {
    const lab = await start();
    lab.board.isDown = true;

    const off = await lab.turn('off', 'b');

    expect(off).toMatchObject({
      outcome: 'failed',
      failedStep: 'contact',
      pending: true,
      detail: expect.stringMatching(
        /connection refused.*; the outlet will still be turned off as soon as possible; to cancel this, run skolo power on b$/,
      ),
    });
    lab.board.isDown = false;
    await waitUntil(() => (lab.board.outlets.isOn('1') ? undefined : true));
  });

  it('is cancelled by on, also while the PDU is down', async () => {
    const lab = await start();
    lab.board.isDown = true;
    await lab.turn('off', 'b');

    const on = await lab.turn('on', 'b');
    lab.board.isDown = false;
    const later = await isRead(lab);

    expect(on).toMatchObject({ outcome: 'stuck-off' });
    expect(on).not.toHaveProperty('pending');
    expect(later).toMatchObject({ state: 'on' });
    expect(lab.board.told).toEqual([]);
  });

  it('is not carried out on an outlet that feeds another machine by now', async () => {
    const lab = await start();
    lab.board.isDown = true;
    const off = await lab.turn('off', 'b');
    const moved = yaml
      .replace('b: { kind: host, power: pdu-1/1', 'b: { kind: host, power: pdu-2/1')
      .replace('power: pdu-1/2', 'power: pdu-1/1');
    await lab.edit(moved, lab.settings);
    await waitUntil(async () => {
      const { machines } = await lab.client.machines({ query: { name: 'b' } });
      return machines[0]?.outlets[0]?.outlet === 'pdu-2/1' ? true : undefined;
    });
    lab.board.isDown = false;
    const later = await isRead(lab);

    expect(off).toMatchObject({ outcome: 'failed', pending: true });
    expect(later).toMatchObject({ state: 'on', feeds: ['c'] });
    expect(lab.board.told).toEqual([]);
  });
});
