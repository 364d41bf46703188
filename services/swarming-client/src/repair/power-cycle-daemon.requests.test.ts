import { request } from '@skolo/base/request';
import { HttpProblem } from '@skolo/common/light';
import { describe, expect, it } from 'vitest';
import { page, startDaemon } from '../testing/daemon.ts';
import { requestPowerCycle } from './power-cycle-daemon.ts';

function ask(daemon: { url: string }) {
  const { signal } = new AbortController();
  return requestPowerCycle('phone', 'it has disappeared', { ...daemon, request }, signal);
}

describe('asking the power-cycle daemon', () => {
  it('names the device and why', async () => {
    const daemon = await startDaemon();

    const result = await ask(daemon);

    expect(result).toEqual({
      outcome: 'done',
      text: 'the power-cycle daemon accepted the request: cycle c-1',
    });
    const body = { devices: ['phone'], reason: 'it has disappeared' };
    expect(daemon.calls).toEqual([{ name: 'requestDeviceCycles', body }]);
  });

  it.each([
    {
      title: 'not its own',
      answer: new HttpProblem(403, 'phone is not a device of rpi-1'),
      result: {
        outcome: 'rejected',
        text: 'the power-cycle daemon: phone is not a device of rpi-1 (403)',
      },
    },
    {
      title: 'held',
      answer: new HttpProblem(409, 'rejected', {
        members: { rejected: [{ code: 'held', detail: 'held by ann' }] },
      }),
      result: { outcome: 'rejected', text: 'the power-cycle daemon: held by ann (409)' },
    },
    {
      title: 'too often',
      answer: new HttpProblem(429, 'too often', { headers: { 'retry-after': '90' } }),
      result: { outcome: 'postponed', text: 'the power-cycle daemon: too often (429)', later: 90 },
    },
    {
      title: 'later, on a day that is not believed',
      answer: new HttpProblem(429, 'too often', {
        headers: { 'retry-after': 'Fri, 20 Nov 2026 12:00:00 GMT' },
      }),
      result: { outcome: 'postponed', text: 'the power-cycle daemon: too often (429)', later: 60 },
    },
    {
      title: 'its disk is full',
      answer: new HttpProblem(503, 'its disk is full'),
      result: {
        outcome: 'postponed',
        text: 'the power-cycle daemon: its disk is full (503)',
        later: 60,
      },
    },
    {
      title: 'broken',
      answer: page(500),
      result: {
        outcome: 'postponed',
        text: 'the power-cycle daemon: no reason given (500)',
        later: 60,
      },
    },
    {
      title: 'another program',
      answer: page(200),
      result: { outcome: 'failed', text: 'the power-cycle daemon: no reason given (200)' },
    },
  ])('hears no: $title', async ({ answer, result }) => {
    const daemon = await startDaemon();
    if (typeof answer === 'function') daemon.instead = answer;
    else daemon.answers.requestDeviceCycles = answer;

    expect(await ask(daemon)).toEqual(result);
  });

  it('is postponed while the daemon does not respond', async () => {
    const daemon = await startDaemon();
    await daemon.close();

    expect(await ask(daemon)).toEqual({
      outcome: 'postponed',
      text: expect.stringMatching(/^the power-cycle daemon did not respond: .*connection refused/),
      later: 60,
    });
  });
});
