import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { peer } from '../../peer.ts';
import { startSynaccess } from './synaccess.ts';
import { changes, closing, curl, needs, url } from './testing.ts';

const program = peer('curl') ?? 'curl';

describe('a device with a web server', () => {
  needs('curl');

  it('serves one client after the other where it is of that kind', async () => {
    const device = await closing(startSynaccess({ outlets: 2 }));
    const idle = connect(device.port, device.host);
    await once(idle, 'connect');
    const impatient = await curl(program, '--max-time', '1', url(device, '/'));

    idle.destroy();
    const served = await curl(program, url(device, '/'));

    expect([impatient.status, served.status]).toEqual([0, 401]);
  });

  it('loses connections and timers when it reboots', async () => {
    const device = await closing(startSynaccess({ outlets: 2, rebootSeconds: 3600 }));
    const off = changes(device, 1);
    await curl(program, '-u', 'admin:admin', url(device, '/cmd.cgi?$A4%201'));
    const idle = connect(device.port, device.host);
    await once(idle, 'connect');

    await device.reboot();

    await once(idle, 'close');
    expect(await off).toEqual(['1 off']);
    expect(device.board.isOn('1')).toBe(false);
  });
});
