import { request } from '@skolo/base/request';
import { HttpProblem } from '@skolo/common/light';
import { fakeClock } from '@skolo/common/testing';
import { asIs } from '@skolo/scripted-services/service';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SendRequest } from '../http/signed-request.ts';
import { page, startDaemon } from '../testing/daemon.ts';
import { quietLog } from '../testing/quiet-log.ts';
import { OwnHolds } from './own-holds.ts';

const hold = {
  target: 'rpi-1',
  by: 'ann',
  until: '2026-11-20T13:00:00Z',
  reason: 'new cable',
};

async function start(urlsOf?: (url: string) => string[], send: SendRequest = request) {
  const daemon = await startDaemon();
  const urls = urlsOf?.(daemon.url);
  const clock = fakeClock('2026-11-20T12:00:00Z');
  const log = quietLog();
  let changes = 0;
  const emit = () => {
    changes += 1;
  };
  const answered: string[] = [];
  const holds = new OwnHolds({
    daemon: { urls: () => urls ?? [daemon.url], hasAnswered: (url) => answered.push(url) },
    clock,
    log,
    emit,
    request: send,
  });
  onTestFinished(() => holds.stop());
  return { daemon, clock, log, holds, answered, changes: () => changes };
}

describe('holds on the own machine', () => {
  it('are those of an older daemon, which does not list jobs', async () => {
    const { daemon, holds } = await start();
    daemon.answers.ownHolds = asIs({ holds: [hold] });

    await holds.refresh();

    expect([holds.current().length, holds.whyNotRepairing()]).toEqual([1, undefined]);
  });

  it('are requested, and reported once when they change', async () => {
    const { daemon, holds, changes } = await start();
    daemon.answers.ownHolds = { holds: [hold], noRepair: [] };

    await holds.refresh();
    await holds.refresh();

    expect(holds.current()).toEqual([{ ...hold, until: new Date(hold.until) }]);
    expect(daemon.requests).toEqual(['GET /v1/own-holds', 'GET /v1/own-holds']);
    expect(changes()).toBe(1);
  });

  it.each([200, 500])(
    'are not those of an older answer that arrives last, status %i',
    async (status) => {
      const slow = Promise.withResolvers<void>();
      let isFirst = true;
      const { daemon, holds, log } = await start(undefined, async (...asked) => {
        if (!isFirst) return await request(...asked);
        isFirst = false;
        await slow.promise;
        return { ...(await request(...asked)), status, text: '{"holds":[]}' };
      });
      daemon.answers.ownHolds = { holds: [hold], noRepair: [] };

      const older = holds.refresh();
      await holds.refresh();
      slow.resolve();
      await older;

      expect(holds.current()).toHaveLength(1);
      expect(log.lines).toEqual([]);
    },
  );

  it('tell jobs from people who are on it, and neither takes the machine out of service', async () => {
    const { daemon, holds, clock } = await start();
    const { target: _, ...onIt } = { ...hold, kind: 'on-it' as const };
    const job = { ...onIt, kind: 'busy' as const, by: 'ci', reason: 'nightly' };
    const told = () => [holds.job(), holds.whyNotRepairing()];
    const seen: unknown[] = [];
    for (const noRepair of [[onIt], [onIt, job]]) {
      daemon.answers.ownHolds = { holds: [], noRepair };
      await holds.refresh();
      seen.push(told());
    }
    clock.pass(3_600_000);

    const running = 'a job of ci is running: nightly';
    expect(seen).toEqual([
      [undefined, 'ann is on it: new cable'],
      [running, running],
    ]);
    expect([...told(), ...holds.current()]).toEqual([undefined, undefined]);
  });

  it('are over when the daemon reports their end', async () => {
    const { daemon, holds } = await start();
    daemon.answers.ownHolds = { holds: [hold], noRepair: [] };
    await holds.refresh();
    daemon.answers.ownHolds = { holds: [], noRepair: [] };

    await holds.refresh();

    expect(holds.current()).toEqual([]);
  });

  it.each([
    { title: 'is gone', spoil: 'close' as const },
    { title: 'fails', spoil: undefined },
    { title: 'is too old to know', spoil: new HttpProblem(404, 'no such path') },
    { title: 'talks nonsense', spoil: page(200) },
    { title: 'tells of no time', spoil: asIs({ holds: [{ ...hold, until: 'x' }] }) },
  ])('count until they end when the daemon $title, which is said once', async ({ spoil }) => {
    const { daemon, clock, log, holds } = await start();
    daemon.answers.ownHolds = { holds: [hold], noRepair: [] };
    await holds.refresh();
    if (spoil === 'close') await daemon.close();
    else if (typeof spoil === 'function') daemon.instead = spoil;
    else daemon.answers.ownHolds = spoil;

    await holds.refresh();
    await holds.refresh();
    const between = holds.current();
    clock.pass(3_600_000);

    expect(between).toHaveLength(1);
    expect(holds.current()).toEqual([]);
    expect(log.lines).toHaveLength(1);
  });

  it('are asked for at the next place where the first is silent', async () => {
    const nobody = await startDaemon();
    await nobody.close();
    const { daemon, holds, answered } = await start((url) => [nobody.url, url]);
    daemon.answers.ownHolds = { holds: [hold], noRepair: [] };

    await holds.refresh();

    expect(holds.current()).toHaveLength(1);
    expect(answered).toEqual([daemon.url]);
  });

  it('are not asked for elsewhere when the first place rejects', async () => {
    const { daemon, holds } = await start((url) => [url, url]);

    await holds.refresh();

    expect(daemon.requests).toHaveLength(1);
  });

  it('are none where no daemon ever answered', async () => {
    const { holds, daemon } = await start();
    await daemon.close();

    await holds.refresh();

    expect(holds.current()).toEqual([]);
  });
});
