import { describe, expect, it } from 'vitest';
import { peer } from '../../peer.ts';
import { type RouterosRestOptions, startRouterosRest } from './routeros-rest.ts';
import { changes, closing, curl, needs, url } from './testing.ts';

const program = peer('curl') ?? 'curl';
const account = { username: 'power', password: 'calvin' };
const menu = '/rest/interface/ethernet/poe';

async function startWithRest(options: RouterosRestOptions = {}) {
  const device = await closing(startRouterosRest({ account, portCount: 3, ...options }));
  const rest = async (method: string, path: string, body?: object) => {
    const data = body ? ['-H', 'content-type: application/json', '-d', JSON.stringify(body)] : [];
    const scheme = options.tls ? 'https' : 'http';
    const at = url(device, `${menu}${path}`, scheme);
    const answer = await curl(program, '-u', 'power:calvin', '-X', method, ...data, at);
    return { status: answer.status, body: JSON.parse(answer.body) };
  };
  return { device, rest };
}

describe('RouterOS, REST', () => {
  needs('curl');

  it('lists its ports, all values as text, over https too', async () => {
    const { rest } = await startWithRest({ tls: true });

    const { body } = await rest('GET', '');

    expect(body).toHaveLength(3);
    expect(body[2]).toMatchObject({ '.id': '*3', name: 'ether3', 'poe-out': 'auto-on' });
    expect((await rest('GET', '?name=ether2')).body).toMatchObject([{ '.id': '*2' }]);
  });

  it('sets a port and answers with its row', async () => {
    const { device, rest } = await startWithRest();

    const off = await rest('PATCH', '/*3', { 'poe-out': 'off' });
    const forced = await rest('POST', '/set', { '.id': 'ether2', 'poe-out': 'forced-on' });

    expect(off.body).toMatchObject({ name: 'ether3', 'poe-out': 'off' });
    expect(forced).toEqual({ status: 200, body: [] });
    expect(device.board.isOn('ether3')).toBe(false);
    expect((await rest('GET', '/*2')).body).toMatchObject({ 'poe-out': 'forced-on' });
  });

  it('cuts the power for a while by itself', async () => {
    const { device, rest } = await startWithRest({ secondMs: 5 });
    const cycle = changes(device, 2);

    const answer = await rest('POST', '/power-cycle', { numbers: 'ether2', duration: '5s' });

    expect(answer).toEqual({ status: 200, body: [] });
    expect(await cycle).toEqual(['ether2 off', 'ether2 on']);
  });

  it('leaves poe-out as it is meanwhile', async () => {
    const { rest } = await startWithRest();

    await rest('POST', '/power-cycle', { numbers: 'ether2', duration: '60s' });
    const { body } = await rest('POST', '/monitor', { numbers: 'ether2', once: '' });

    expect(body).toMatchObject([{ 'poe-out': 'auto-on', 'poe-out-status': 'power_reset' }]);
  });

  it('measures what is plugged in', async () => {
    const { device, rest } = await startWithRest();
    device.board.setWatts('ether1', 0);
    device.board.set('ether3', false);

    const { body } = await rest('POST', '/monitor', { numbers: 'ether1,ether2,ether3', once: '' });

    expect(body).toMatchObject([
      { 'poe-out-status': 'waiting-for-load' },
      { 'poe-out-status': 'powered-on', 'poe-out-power': '4.0' },
      { 'poe-out-status': 'off' },
    ]);
  });

  it.each([
    ['PATCH', '/*9', { 'poe-out': 'off' }, 404],
    ['PATCH', '/*1', { 'poe-out': 'on' }, 400],
    ['POST', '/power-cycle', { duration: '5s' }, 400],
    ['POST', '/power-cycle', { numbers: 'ether9' }, 400],
    ['POST', '/power-cycle', { numbers: 'ether1', duration: '61s' }, 400],
    ['POST', '/monitor', { numbers: 'ether1' }, 400],
    ['POST', '/nonsense', { numbers: 'ether1' }, 400],
  ])('rejects %s %s %o', async (method, path, body, status) => {
    const { device, rest } = await startWithRest();

    const answer = await rest(method, path, body);

    expect(answer).toMatchObject({ status, body: { error: status } });
    expect(device.board.isOn('ether1')).toBe(true);
  });

  it('wants a password', async () => {
    const { device } = await startWithRest();

    const answer = await curl(program, '-u', 'power:wrong', url(device, menu));

    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body)).toMatchObject({ error: 401 });
  });
});
