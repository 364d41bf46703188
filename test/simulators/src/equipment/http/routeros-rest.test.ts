import { describe, expect, it } from 'vitest';
import { peer } from '../../peer.ts';
import { startRouterosRest } from './routeros-rest.ts';
import { closing, curl, needs, url } from './testing.ts';

const program = peer('curl') ?? 'curl';
const account = { username: 'power', password: 'calvin' };
const menu = '/rest/interface/ethernet/poe';

describe('RouterOS, REST', () => {
  needs('curl');

  it.each([
    ['PATCH', '/*9', { 'poe-out': 'off' }, 404],
    ['PATCH', '/*1', { 'poe-out': 'on' }, 400],
    ['POST', '/power-cycle', { duration: '5s' }, 400],
    ['POST', '/power-cycle', { numbers: 'ether9' }, 400],
    ['POST', '/power-cycle', { numbers: 'ether1', duration: '61s' }, 400],
    ['POST', '/monitor', { numbers: 'ether1' }, 400],
    ['POST', '/nonsense', { numbers: 'ether1' }, 400],
  ])('rejects %s %s %o', async (method, path, body, status) => {
    const device = await closing(startRouterosRest({ account, portCount: 3 }));
    const data = ['-H', 'content-type: application/json', '-d', JSON.stringify(body)];

    const at = url(device, `${menu}${path}`);
    const answer = await curl(program, '-u', 'power:calvin', '-X', method, ...data, at);

    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ error: status });
    expect(device.board.isOn('ether1')).toBe(true);
  });
});
