import { request } from '@skolo/base/request';
import { describe, expect, it } from 'vitest';
import { startDaemon } from '../testing/daemon.ts';
import { requestPowerCycle } from './power-cycle-daemon.ts';

const problem = (status: number, detail: string, more: object = {}) => ({
  type: 'about:blank',
  title: 'no',
  status,
  detail,
  ...more,
});

function ask(daemon: { url: string }) {
  const { signal } = new AbortController();
  return requestPowerCycle('phone', 'it has disappeared', { ...daemon, request }, signal);
}

describe('asking the power-cycle daemon', () => {
  it('names the device and why', async () => {
    const daemon = await startDaemon();
    const cycles = [{ id: 'c-1', target: 'rpi-1-phone', joined: false }];
    daemon.answer = { status: 202, body: { cycles, rejected: [] } };

    const result = await ask(daemon);

    expect(result).toEqual({
      outcome: 'done',
      text: 'the power-cycle daemon accepted the request: cycle c-1',
    });
    expect(daemon.asked).toEqual([
      'POST /v1/own-devices/power-cycles {"devices":["phone"],"reason":"it has disappeared"}',
    ]);
  });

  it.each([
    {
      title: 'not its own',
      answer: { status: 403, body: problem(403, 'phone is not a device of rpi-1') },
      result: {
        outcome: 'rejected',
        text: 'the power-cycle daemon: phone is not a device of rpi-1 (403)',
      },
    },
    {
      title: 'held',
      answer: {
        status: 409,
        body: problem(409, 'rejected', { rejected: [{ code: 'held', detail: 'held by ann' }] }),
      },
      result: { outcome: 'rejected', text: 'the power-cycle daemon: held by ann (409)' },
    },
    {
      title: 'too often',
      answer: { status: 429, headers: { 'retry-after': '90' }, body: problem(429, 'too often') },
      result: { outcome: 'postponed', text: 'the power-cycle daemon: too often (429)', later: 90 },
    },
    {
      title: 'later, on a day that is not believed',
      answer: {
        status: 429,
        headers: { 'retry-after': 'Fri, 20 Nov 2026 12:00:00 GMT' },
        body: problem(429, 'too often'),
      },
      result: { outcome: 'postponed', text: 'the power-cycle daemon: too often (429)', later: 60 },
    },
    {
      title: 'its disk is full',
      answer: { status: 503, body: problem(503, 'its disk is full') },
      result: {
        outcome: 'postponed',
        text: 'the power-cycle daemon: its disk is full (503)',
        later: 60,
      },
    },
    {
      title: 'broken',
      answer: { status: 500, body: '<html>' },
      result: {
        outcome: 'postponed',
        text: 'the power-cycle daemon: no reason given (500)',
        later: 60,
      },
    },
    {
      title: 'another program',
      answer: { status: 200, body: '<html>' },
      result: { outcome: 'failed', text: 'the power-cycle daemon: no reason given (200)' },
    },
  ])('hears no: $title', async ({ answer, result }) => {
    const daemon = await startDaemon();
    daemon.answer = answer;

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
