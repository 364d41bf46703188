import { ApiError, ApiUnreachable } from '@skolo/api';
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

it('works on a machine whose agent does not respond', async () => {
  const machine = machineThat(new ApiUnreachable('http://127.0.0.1:1', 'connection refused'));

  expect(await betweenTasks('rpi-1', machine, deps, async () => 'done')).toBe('done');
});

it.each([
  [421, 'this is rack lab, not berlin'],
  [500, 'an error of its agent'],
])('does nothing where the agent answers %s', async (status, detail) => {
  const problem = { type: 'about:blank', title: 'Problem', status, detail };
  const machine = machineThat(new ApiError('GET http://127.0.0.1:1/v1/status', problem));

  await expect(betweenTasks('rpi-1', machine, deps, async () => 'done')).rejects.toThrow(detail);
});
