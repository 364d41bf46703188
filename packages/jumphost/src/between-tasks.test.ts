import { ApiError } from '@skolo/api';
import { expect, it } from 'vitest';
import { betweenTasks } from './between-tasks.ts';

const times = { taskMs: 1000, heldMs: 1000, pollMs: 1 };
const deps = { times, report: () => {}, signal: new AbortController().signal };

function machineThat(fails: Error) {
  return {
    look: () => Promise.reject(fails),
    hold: async () => ({ isHeld: true, release: async () => {} }),
  };
}

it('works on a machine whose agent does not answer', async () => {
  const machine = machineThat(new Error('connection refused'));

  expect(await betweenTasks('rpi-1', machine, deps, async () => 'done')).toBe('done');
});

it('does nothing where an agent of another rack answers', async () => {
  const detail = 'this is rack lab, not berlin';
  const problem = { type: 'about:blank', title: 'Misdirected Request', status: 421, detail };
  const machine = machineThat(new ApiError('GET http://127.0.0.1:1/v1/status', problem));

  await expect(betweenTasks('rpi-1', machine, deps, async () => 'done')).rejects.toThrow(detail);
});
