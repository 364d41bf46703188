import { describe, expect, it } from 'vitest';
import { peer } from '../../peer.ts';
import { startSynaccess } from './synaccess.ts';
import { closing, curl, needs, url } from './testing.ts';

const program = peer('curl') ?? 'curl';
const signedIn = ['-u', 'admin:admin'];

describe('Synaccess netBooter', () => {
  needs('curl');

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
});
