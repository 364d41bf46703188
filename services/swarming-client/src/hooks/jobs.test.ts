/** What counts as a running job on a machine without a bot, whatever ends: the job, its runner, the agent, the boot. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Jobs } from './jobs.ts';
import { Task, type TaskEvent } from './task.ts';

const hour = 3_600_000;
const nobody = { id: undefined, pid: undefined, until: undefined };

async function start({ clock = fakeClock(), stateDir = '', bootId = 'boot-1' } = {}) {
  const dir = stateDir === '' ? await tempDir() : stateDir;
  const events: string[] = [];
  const emit = (event: TaskEvent) =>
    void events.push(event.type === 'task-ended' ? event.outcome : event.type);
  const task = new Task({ clock, emit });
  const said: string[] = [];
  const log = {
    info: (_: object, text: string) => void said.push(text),
    warn: (_: object, text: string) => void said.push(text),
  };
  const jobs = new Jobs({ stateDir: dir, clock, bootId, task, log });
  await jobs.open();
  return {
    jobs,
    events,
    said,
    clock,
    dir,
    begin: (call: object = {}) => jobs.start({ ...nobody, ...call }),
    end: (call: object = {}) => jobs.end({ ...nobody, ...call }, 'succeeded'),
    running: () => task.get().running && (task.get().id ?? true),
    /** As after kill -9: what is on the disk is all that the next one knows. */
    next: async (more: object = {}) => {
      await jobs.close();
      return await start({ clock, stateDir: dir, bootId, ...more });
    },
  };
}

async function runner() {
  const child = spawn('sleep', ['1000']);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  return {
    pid: `${child.pid}`,
    kill: async () => [child.kill('SIGKILL'), await once(child, 'exit')],
  };
}

describe('a job', () => {
  it.each<[string, { until?: string }, number]>([
    ['two hours without an end of its own', {}, 2],
    ['its own end', { until: '2026-11-20T19:00:00Z' }, 7],
  ])('is running until it says that it has ended, or for %s', async (_how, call, hours) => {
    const { begin, end, events, jobs, clock, running } = await start();
    begin(call);
    clock.pass(hours * hour - 1000);
    await jobs.endLost();
    const before = running();
    end();
    begin(
      call.until === undefined
        ? call
        : { until: new Date(clock.now() + hours * hour).toISOString() },
    );
    clock.pass(hours * hour + 1000);
    await jobs.endLost();

    expect(before).toBe(true);
    expect(running()).toBe(false);
    expect(events).toEqual(['task-started', 'succeeded', 'task-started', 'lost']);
  });

  it('is running for no longer than its process', async () => {
    const { begin, jobs, running, events } = await start();
    const { pid, kill } = await runner();
    begin({ pid });
    await jobs.endLost();
    const before = running();
    await kill();
    await jobs.endLost();

    expect([before, running()]).toEqual([true, false]);
    expect(events).toEqual(['task-started', 'lost']);
  });

  it('is running for a day at most, if its process is a runner that never ends', async () => {
    const { begin, jobs, running, clock } = await start();
    const { pid } = await runner();
    begin({ pid });
    clock.pass(24 * hour - 1000);
    await jobs.endLost();
    const before = running();
    clock.pass(2000);
    await jobs.endLost();

    expect([before, running()]).toEqual([true, false]);
  });

  it('is not over because the wall clock jumps', async () => {
    const { begin, jobs, running, clock } = await start();
    begin({ until: '2026-11-20T13:00:00Z' });
    clock.setWall('2031-01-01T00:00:00Z');
    await jobs.endLost();

    expect(running()).toBe(true);
  });

  it.each([
    ['pid', { pid: '0' }, /no such process/],
    ['pid', { pid: '4194999' }, /no such process/],
    ['pid', { pid: 'self' }, /no such process/],
    ['until', { until: '2026-11-21T00:01:01Z' }, /at most 12 hours/],
    ['until', { until: '2026-11-20T11:00:00Z' }, /at most 12 hours/],
    ['until', { until: 'tomorrow' }, /at most 12 hours/],
  ])('is rejected if its %s cannot be true: %j', async (_what, call, why) => {
    const { begin, running } = await start();

    expect(() => begin(call)).toThrow(why);
    expect(running()).toBe(false);
  });
});

describe('two jobs', () => {
  it('keep the machine busy until both have ended, and what follows a task comes once', async () => {
    const { begin, end, running, events } = await start();
    begin({ id: 'a' });
    begin({ id: 'b' });
    const both = running();
    end({ id: 'a' });
    const second = running();
    end({ id: 'b' });

    expect([both, second, running()]).toEqual(['a', 'b', false]);
    expect(events).toEqual(['task-started', 'facts', 'succeeded']);
  });

  it('must say which of them has ended', async () => {
    const { begin, end, running } = await start();
    begin({ id: 'a' });
    begin({ id: 'b' });

    expect(() => end()).toThrow(/^2 jobs are running; specify the task_id or pid/);
    expect(running()).toBe('a');
  });

  it('are one if the same one begins again', async () => {
    const { begin, end, running } = await start();
    begin({ id: 'a' });
    begin({ id: 'a' });
    end();

    expect(running()).toBe(false);
  });
});

describe('an agent that was killed', () => {
  it('knows the job as long as its process runs', async () => {
    const first = await start();
    const { pid, kill } = await runner();
    first.begin({ id: '4711', pid });

    const second = await first.next();
    const known = second.running();
    await kill();
    const third = await second.next();

    expect([known, third.running()]).toEqual(['4711', false]);
    expect(third.events).toEqual(['task-started', 'lost']);
  });

  it('forgets it after a boot, in which the same number is another process', async () => {
    const first = await start();
    first.begin({ pid: `${process.pid}` });

    expect((await first.next({ bootId: 'boot-2' })).running()).toBe(false);
    expect((await first.next()).running()).toBe(true);
  });

  it('knows another process with the same number', async () => {
    const first = await start();
    first.begin({ pid: `${process.pid}` });
    await first.jobs.close();
    const file = join(first.dir, 'jobs.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace(/"started":"\d+/, '"started":"1'));

    expect((await first.next()).running()).toBe(false);
  });

  it('starts without jobs if the file is damaged', async () => {
    const first = await start();
    await writeFile(join(first.dir, 'jobs.json'), '{');

    const second = await first.next();
    second.begin();

    expect(second.said).toEqual(['jobs cannot be read']);
    expect(second.running()).toBe(true);
  });
});
