import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { peer } from '../../peer.ts';
import { startEsphome } from './esphome.ts';
import { startHttpRelay } from './http-relay.ts';
import { startSynaccess } from './synaccess.ts';
import { changes, closing, curl, needs, url } from './testing.ts';

const program = peer('curl') ?? 'curl';

describe('a device with a web server', () => {
  needs('curl');

  it.each([
    ['down', 0, ''],
    ['rejects-login', 401, ''],
    ['busy', 503, 'Another user'],
    ['server-error', 500, 'Internal Server Error'],
    ['login-page', 200, '<form method="post"'],
    ['garbled', 200, '\u001b'],
  ] as const)('has the fault %s', async (fault, status, part) => {
    const device = await closing(startHttpRelay());
    device.faults.set(fault);

    const answer = await curl(program, url(device, '/relay/1'));

    expect(answer.status).toBe(status);
    expect(answer.body).toContain(part);
  });

  it('cuts an answer in two', async () => {
    const device = await closing(startEsphome());
    device.faults.set('drops-mid-way');

    const answer = await curl(program, url(device, '/switch/relay_1'));

    expect(answer.body).toMatch(/^\{"id":"switch-relay_1"/);
    expect(answer.body).not.toContain('}');
  });

  it('never says a word when it is wedged, and is itself again afterwards', async () => {
    const device = await closing(startHttpRelay());
    device.faults.set('wedged');

    const wedged = await curl(program, '--max-time', '1', url(device, '/relay/1'));
    device.faults.clear();
    const again = await curl(program, url(device, '/relay/1'));

    expect(wedged).toEqual({ status: 0, body: '' });
    expect(again).toEqual({ status: 200, body: '1' });
  });

  it('takes its time when it is slow', async () => {
    const device = await closing(startHttpRelay());
    device.faults.set('slow');
    device.faults.slowMs = 5_000;

    const impatient = await curl(program, '--max-time', '1', url(device, '/relay/1'));
    device.faults.slowMs = 1;
    const patient = await curl(program, url(device, '/relay/1'));

    expect(impatient.status).toBe(0);
    expect(patient.body).toBe('1');
  });

  it('says yes and does nothing when it ignores commands', async () => {
    const device = await closing(startHttpRelay());
    device.faults.set('ignores-commands');

    const answer = await curl(program, '-X', 'PUT', '-d', '0', url(device, '/relay/1/value'));

    expect(answer.status).toBe(204);
    expect(device.board.isOn('1')).toBe(true);
  });

  it('carries out a command whose answer is lost', async () => {
    const device = await closing(startHttpRelay());
    device.faults.set('drops-after-command');

    const answer = await curl(program, url(device, '/relay/2/0'));

    expect(answer.status).toBe(0);
    expect(device.board.isOn('2')).toBe(false);
    expect(await curl(program, url(device, '/relay/2'))).toEqual({ status: 200, body: '0' });
  });

  it('knows what it was told and by how many at once', async () => {
    const device = await closing(startHttpRelay());

    await curl(program, '-X', 'PUT', '-d', '0', url(device, '/relay/1/value'));
    await curl(program, url(device, '/relay/1'));

    expect(device.received.map(({ text }) => text)).toEqual([
      'PUT /relay/1/value 0',
      'GET /relay/1',
    ]);
    expect(device.sessions).toMatchObject({ most: 1, opened: 2 });
  });

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
