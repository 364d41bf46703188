import { describe, expect, it } from 'vitest';
import { Revisions } from './revision.ts';
import type { AgentNow } from './status.ts';

const noon = new Date('2026-11-20T12:00:00Z');
const never = new AbortController().signal;

function start() {
  const now: AgentNow = {
    name: 'rpi-1',
    version: '1',
    bootId: 'b',
    startedAt: noon,
    now: noon,
    isStopping: false,
    raised: [],
    identity: { machinePart: undefined, from: 'nowhere' },
    task: { running: false },
    bot: { state: 'running', since: noon, isHealthy: true, starts: 1 },
    machine: {
      devices: [],
      host: {},
      dimensions: {},
      orders: [],
      repairs: [],
      repairSteps: new Map(),
      health: { verdict: 'ok', since: noon, reasons: [] },
    },
  };
  const revisions = new Revisions(() => now);
  return { now, revisions };
}

function lowBattery({ machine }: AgentNow, percent: number): void {
  const text = `battery low: ${percent}%`;
  const reason = { verdict: 'recovering', code: 'battery-low', text, since: noon } as const;
  const reading = { dimensions: {}, temperatures: {}, batteryPercent: percent };
  const view = { name: 'device', fullName: 'rpi-1-device', kind: 'android' } as const;
  machine.health = { verdict: 'recovering', since: noon, reasons: [reason] };
  machine.devices = [{ ...view, state: 'present', since: noon, readAt: new Date(), reading }];
}

describe('a revision', () => {
  it('changes with the verdict and with a task, and not with readings', () => {
    const { now, revisions } = start();
    const seen = [revisions.current()];

    lowBattery(now, 12);
    seen.push(revisions.current());
    lowBattery(now, 13);
    seen.push(revisions.current());
    now.task = { running: true, id: 'a1', since: noon };
    seen.push(revisions.current());

    expect(seen[2]).toBe(seen[1]);
    expect(new Set(seen).size).toBe(3);
  });

  it('is another one after what changed and changed back', () => {
    const { now, revisions } = start();
    const before = revisions.current();

    now.task = { running: true };
    revisions.update();
    now.task = { running: false };
    revisions.update();

    expect(revisions.current()).not.toBe(before);
  });

  it('is another one after a restart', () => {
    expect(start().revisions.current()).not.toBe(start().revisions.current());
  });
});

describe('a caller who waits', () => {
  it('is answered at once where the revision is another one', async () => {
    const { revisions } = start();

    await revisions.wait('of an earlier start', 600, never);
  });

  it('is answered by the change', async () => {
    const { now, revisions } = start();
    const waiting = revisions.wait(revisions.current(), 600, never);

    lowBattery(now, 12);
    revisions.update();

    await waiting;
  });

  it('is answered when the time is over, when it hangs up, and when the agent stops', async () => {
    const { revisions } = start();
    const caller = new AbortController();
    const waits = [
      revisions.wait(revisions.current(), 0.01, never),
      revisions.wait(revisions.current(), 600, caller.signal),
      revisions.wait(revisions.current(), 600, never),
    ];

    await waits[0];
    caller.abort();
    await waits[1];
    revisions.stop();

    await waits[2];
    await revisions.wait(revisions.current(), 600, never);
  });

  it('does not wait where eight others do', async () => {
    const { revisions } = start();
    const eight = Array.from({ length: 8 }, () => revisions.wait(revisions.current(), 600, never));

    await revisions.wait(revisions.current(), 600, never);
    revisions.stop();

    await Promise.all(eight);
  });
});
