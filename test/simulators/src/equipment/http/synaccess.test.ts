import { describe, expect, it } from 'vitest';
import { peer } from '../../peer.ts';
import { startSynaccess } from './synaccess.ts';
import { changes, closing, curl, needs, url } from './testing.ts';

const program = peer('curl') ?? 'curl';
const signedIn = ['-u', 'admin:admin'];

describe('Synaccess netBooter', () => {
  needs('curl');

  it('switches single outlets, and lists them from the right', async () => {
    const device = await closing(startSynaccess({ outlets: 5 }));

    const off = await curl(program, ...signedIn, url(device, '/cmd.cgi?$A3%202%200'));
    const status = await curl(program, ...signedIn, url(device, '/cmd.cgi?$A5'));

    expect(off).toEqual({ status: 200, body: '$A0\r\n\r\n\r\n' });
    expect(status.body).toBe('$A0,11101,0.13,XX\r\n\r\n\r\n');
  });

  it.each([
    [{ oldStatus: true }, '11,0.07,XX'],
    [{ inlets: 2 }, '$A0,11,0.07,0.00,XX'],
  ] as const)('tells its status in the ways of its family: %o', async (options, text) => {
    const device = await closing(startSynaccess({ outlets: 2, ...options }));

    const status = await curl(program, ...signedIn, url(device, '/cmd.cgi?$A5'));

    expect(status.body.trim()).toBe(text);
  });

  it('turns an outlet on again by itself after $A4', async () => {
    const device = await closing(startSynaccess({ outlets: 2, secondMs: 5 }));
    const cycle = changes(device, 2);

    const answer = await curl(program, ...signedIn, url(device, '/cmd.cgi?$A4%201'));

    expect(answer.body.trim()).toBe('$A0');
    expect(await cycle).toEqual(['1 off', '1 on']);
  });

  it('switches everything with $A7', async () => {
    const device = await closing(startSynaccess({ outlets: 2 }));

    await curl(program, ...signedIn, url(device, '/cmd.cgi?$A7%200'));

    expect(device.board.names().map((name) => device.board.isOn(name))).toEqual([false, false]);
  });

  it.each(['$A3,1,0', '$A3%201', '$A3%209%200', '$A3%201%202', '$A9', '%24A3%201%200', ''])(
    'answers 200 and $AF to %j',
    async (query) => {
      const device = await closing(startSynaccess({ outlets: 2 }));

      const answer = await curl(program, ...signedIn, url(device, `/cmd.cgi?${query}`));

      expect(answer).toEqual({ status: 200, body: '$AF\r\n\r\n\r\n' });
      expect(device.board.isOn('1')).toBe(true);
    },
  );

  it('wants a password', async () => {
    const device = await closing(startSynaccess());

    const answer = await curl(program, '-u', 'admin:wrong', url(device, '/cmd.cgi?$A5'));

    expect(answer.status).toBe(401);
  });
});
