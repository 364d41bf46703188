import { ApiError, ApiUnreachable } from '@skolo/api';
import { pause } from '@skolo/base';
import { expect, it } from 'vitest';
import { betweenTasks, holdMachine } from './between-tasks.ts';

const times = { taskMs: 1000, heldMs: 1000, pollMs: 1 };
const deps = { times, report: () => {}, signal: new AbortController().signal };

function machineThat(fails: Error) {
  return {
    readState: () => Promise.reject(fails),
    job: (): Promise<string | undefined> => Promise.reject(fails),
    hold: async () => ({ isHeld: true, release: async () => {} }),
  };
}

it('works on a machine whose agent does not respond', async () => {
  const machine = machineThat(new ApiUnreachable('http://127.0.0.1:1', 'connection refused'));

  expect(await betweenTasks('rpi-1', machine, deps, async () => 'done')).toBe('done');
});

it('waits for a task although responses of its agent were lost', async () => {
  const lost = new ApiUnreachable('http://127.0.0.1:1', 'no response within 10 s');
  const busy = { isRunning: true, task: '67e', accepts: true };
  const answers = [lost, lost, busy, lost, lost, busy];
  const machine = {
    ...machineThat(lost),
    async readState() {
      const answer = answers.shift() ?? lost;
      if (answer instanceof Error) throw answer;
      if (answers.length === 0) stopping.abort(new Error('still waiting'));
      return answer;
    },
  };
  const stopping = new AbortController();
  const given = { ...deps, signal: stopping.signal, times: { ...times, taskMs: 60_000 } };

  const done = betweenTasks('rpi-1', machine, given, async () => 'done');

  await expect(done).rejects.toThrow('still waiting');
});

it('waits for a job of others although the agent and some responses are missing', async () => {
  const gone = new ApiUnreachable('http://127.0.0.1:1', 'connection refused');
  const jobs = ['the job of ci (nightly)', gone, gone, gone, gone, undefined];
  const seen: string[] = [];
  const machine = {
    ...machineThat(gone),
    async job() {
      const job = jobs.shift();
      if (job instanceof Error) throw job;
      return job;
    },
  };
  const given = {
    ...deps,
    times: { ...times, taskMs: 60_000 },
    report: (text: string) => void seen.push(text),
  };

  const left = await betweenTasks('rpi-1', machine, given, async () => jobs.length);

  expect(left).toBe(0);
  expect(seen).toEqual(['rpi-1: waiting for the job of ci (nightly)']);
});

it('does not take a job of others for a hold', async () => {
  const job = { id: '1', kind: 'busy', target: 'rpi-1', by: 'ci', reason: 'nightly' } as const;
  const until = new Date().toISOString();
  const set: string[] = [];
  const power = {
    holds: async () => ({ holds: [{ ...job, since: until, until }] }),
    hold: async () => {
      set.push('held');
      return { holds: [] };
    },
    machines: async () => ({ machines: [] }),
    release: () => Promise.reject(new Error('not held')),
  };

  const hold = await holdMachine('rpi-1', {
    power,
    reason: 'new',
    now: Date.now,
    report: () => {},
  });
  await hold.release();

  expect([hold.isHeld, set]).toEqual([true, ['held']]);
});

it('ends the hold only after a renewal in progress, which would begin it again, and never renews twice at once', async () => {
  const [started, slow] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const done: string[] = [];
  let renewals = 0;
  const until = new Date().toISOString();
  const own = { kind: 'out-of-service', target: 'rpi-1', by: 'me', reason: 'new' } as const;
  const power = {
    holds: async () => ({ holds: [] }),
    async hold() {
      if (done.length > 0) {
        renewals += 1;
        started.resolve();
        await slow.promise;
      }
      done.push(`hold ${done.length + 1}`);
      return { holds: [{ ...own, id: `${done.length}`, since: until, until }] };
    },
    machines: async () => ({ machines: [] }),
    async release({ params }: { params: { id: string } }) {
      done.push(`release ${params.id}`);
      return { ...own, ...params, since: until, until };
    },
  };
  const hold = await holdMachine('rpi-1', {
    power,
    reason: 'new',
    now: Date.now,
    report: () => {},
    renewMs: 1,
  });

  await started.promise;
  // The next ones would have begun.
  await pause(20);
  const released = hold.release();
  slow.resolve();
  await released;

  expect(renewals).toBe(1);
  expect(done).toEqual(['hold 1', 'hold 2', 'release 2']);
});

it.each([
  [421, 'this is rack lab, not berlin'],
  [500, 'an error of its agent'],
])('does nothing where the agent answers %s', async (status, detail) => {
  const problem = { type: 'about:blank', title: 'Problem', status, detail };
  const machine = machineThat(new ApiError('GET http://127.0.0.1:1/v1/status', problem));

  await expect(betweenTasks('rpi-1', machine, deps, async () => 'done')).rejects.toThrow(detail);
});
