/** Identity by the caller's address, over real sockets from many addresses. */
import { describe, expect, it } from 'vitest';
import { flavor } from '../testing/http.ts';
import { bots, jumphost, rackYaml, startRack } from '../testing/rack.ts';

const email = 'instance/service-accounts/default/email';

describe('a caller', () => {
  it.each([
    ['a machine', '127.0.1.1', bots, 'rack1-shelf1-001'],
    ['another machine', '127.0.1.9', bots, 'rack1-shelf1-009'],
    ['a network of `callers`', '127.0.4.7', jumphost, 'ip-127-0-4-7'],
    ['the jumphost itself', '127.0.0.1', jumphost, 'jumphost-rack1'],
  ])('that is %s has its identity and its own name', async (_, from, expected, name) => {
    const rack = await startRack();
    expect((await rack.get(email, { from })).body).toBe(expected);
    expect((await rack.get('instance/name', { from })).body).toBe(name);
    const ids = await Promise.all(
      [from, '127.0.1.2'].map(
        async (other) => (await rack.get('instance/id', { from: other })).body,
      ),
    );
    expect(new Set(ids).size).toBe(2);
  });

  it('without an identity gets nothing, not even the root, and is counted and named', async () => {
    const rack = await startRack();
    for (const path of ['/', '/computeMetadata/v1/project/project-id', '/nope']) {
      const reply = await rack.raw(path, { from: '127.0.7.7' });
      expect(reply.status).toBe(403);
      expect(reply.body).toContain('127.0.7.7 has no identity');
    }
    expect(await rack.metrics()).toContain('skolo_metadata_unknown_caller_requests_total 3');
  });

  it('without an identity and a bot gets its part of rack.yaml, but no token, and is not counted', async () => {
    const none = rackYaml.replace(
      'identity: bots\n    device',
      'identity: none\n    swarming: { bot: none }\n    device',
    );
    const rack = await startRack({ yaml: none });
    const part = 'instance/attributes/skolo-machine';

    expect(JSON.parse((await rack.get(part)).body)).toMatchObject({
      name: 'rack1-shelf1-001',
      swarming: { bot: 'none' },
    });
    expect((await rack.token()).status).toBe(404);
    expect((await rack.get('instance/name')).status).toBe(404);
    expect(await rack.metrics()).toContain('skolo_metadata_unknown_caller_requests_total 0');

    const waiting = rack.get(`${part}?wait_for_change=true`);
    await rack.edit(none.replace('bot: none', 'bot: swarming'));
    expect((await waiting).status).toBe(403);
  });

  it('falls back to the default identity where there is one', async () => {
    const rack = await startRack({ yaml: `${rackYaml}defaultIdentity: bots\n` });
    expect((await rack.get(email, { from: '127.0.7.7' })).body).toBe(bots);
    expect((await rack.get('instance/name', { from: '127.0.7.7' })).body).toBe('ip-127-0-7-7');
  });

  it('that is cut off is rejected at once, while it waits too', async () => {
    const rack = await startRack();
    const waiting = rack.get('instance/name?wait_for_change=true', { from: '127.0.1.1' });
    await rack.edit(rackYaml.replace('identity: bots\n    device', 'identity: none\n    device'));
    expect((await waiting).status).toBe(403);
    expect(await rack.metrics()).toContain('skolo_metadata_unknown_caller_requests_total 1\n');
    expect((await rack.token({ from: '127.0.1.1' })).status).toBe(403);
    expect((await rack.token({ from: '127.0.0.1' })).status).toBe(200);
  });

  it('that waits while its address is given to another machine gets nothing of that one', async () => {
    const withMac = rackYaml.replace(
      '    kind: rpi',
      '    mac: 02:00:00:00:00:0[1-9]\n    kind: rpi',
    );
    const rack = await startRack({ findMac: async () => '02:00:00:00:00:66' });
    await rack.token();
    const polls = [
      rack.get('instance/attributes/pool?wait_for_change=true'),
      rack.get('?recursive=true&wait_for_change=true'),
      rack.token({ query: '?wait_for_change=true' }),
    ];
    await expect.poll(() => rack.metrics()).toContain('skolo_metadata_watchers 3\n');
    await rack.edit(
      withMac
        .replace('pool: phones', 'pool: tablets')
        .replaceAll('identity: bots\n', 'identity: jumphost\n'),
    );
    expect((await Promise.all(polls)).map(({ status }) => status)).toEqual([403, 403, 403]);
  });

  it('comes over IPv6, mapped IPv4 too, where the computer has it', async () => {
    const machine = '  six: { kind: host, address: "::1", identity: bots }\nservices:';
    const yaml = rackYaml.replace('subnet: 127.0.0.0/8, ', '').replace('services:', machine);
    const rack = await startRack({ host: '::', yaml });
    const over = async (host: string) => {
      const url = `http://${host}:${rack.port}/computeMetadata/v1/instance/name`;
      return (await fetch(url, { headers: flavor })).text();
    };
    expect(await over('[::1]')).toBe('six');
    expect(await over('127.0.0.1')).toBe('jumphost-rack1');
    expect((await rack.get('instance/name', { from: '127.0.1.3' })).body).toBe('rack1-shelf1-003');
  });
});

describe('X-Forwarded-For', () => {
  const through = (chain: string, from = '127.0.9.1') => ({
    from,
    headers: { ...flavor, 'X-Forwarded-For': chain },
  });

  it('is believed from a trusted proxy: the last hop that is none', async () => {
    const rack = await startRack();
    for (const chain of [
      '127.0.1.4',
      '127.0.1.5, 127.0.1.4',
      '127.0.1.4,127.0.9.2',
      ' 127.0.1.4 ',
    ]) {
      expect((await rack.get('instance/name', through(chain))).body).toBe('rack1-shelf1-004');
    }
    expect((await rack.get('instance/name', through('::ffff:127.0.1.4'))).body).toBe(
      'rack1-shelf1-004',
    );
  });

  it('is rejected where it is no address, or that of a proxy', async () => {
    const rack = await startRack();
    for (const chain of ['unknown', '127.0.9.2']) {
      expect((await rack.token(through(chain))).status).toBe(403);
    }
  });

  it.each([
    { 'X-Forwarded-For': '' },
    { Forwarded: 'for=127.0.1.1' },
    { Forwarded: '' },
    { Via: '1.1 proxy' },
  ])('is rejected like other traces of a proxy: %o', async (headers) => {
    const rack = await startRack();
    const reply = await rack.token({ from: '127.0.1.1', headers: { ...flavor, ...headers } });

    expect(reply.status).toBe(403);
    expect(reply.body).toContain('X-Forwarded-For, Forwarded or Via');
  });

  it('may come with other traces from a trusted proxy', async () => {
    const rack = await startRack();
    const { from, headers } = through('127.0.1.4');
    const via = { ...headers, Via: '1.1 proxy', Forwarded: 'for=127.0.1.5' };

    expect((await rack.get('instance/name', { from, headers: via })).body).toBe('rack1-shelf1-004');
  });
});

describe('a machine with a MAC', () => {
  const yaml = rackYaml.replace('kind: rpi', 'kind: rpi\n    mac: dc:a6:32:00:00:0[1-9]');

  it('is answered where the kernel agrees', async () => {
    const rack = await startRack({
      yaml,
      findMac: async (address) => `dc:a6:32:00:00:0${address.at(-1)}`,
    });
    expect((await rack.token({ from: '127.0.1.2' })).status).toBe(200);
  });

  it.each([
    ['another MAC', async () => 'dc:a6:32:00:00:99'],
    ['none', async () => undefined],
    ['an error', () => Promise.reject(new Error('cannot read'))],
  ])('is rejected where the kernel has %s, and counted', async (_, findMac) => {
    const rack = await startRack({ yaml, findMac });
    expect((await rack.token({ from: '127.0.1.2' })).status).toBe(403);
    expect(await rack.metrics()).toContain(
      'skolo_metadata_mac_mismatches_total{machine="rack1-shelf1-002"} 1',
    );
    expect((await rack.token({ from: '127.0.0.1' })).status).toBe(200);
  });
});

it('gives a machine its own part of rack.yaml and no other wiring', async () => {
  const rack = await startRack();
  const machinePart = JSON.parse((await rack.get('instance/attributes/skolo-machine')).body);
  expect(machinePart).toMatchObject({ name: 'rack1-shelf1-001' });
  expect(JSON.stringify(machinePart)).not.toContain('rack1-shelf1-002');
  expect((await rack.get('instance/attributes/skolo-machine', { from: '127.0.0.1' })).status).toBe(
    404,
  );
});

it('limits one caller’s requests without touching another’s', async () => {
  const limit = 'trustedProxies: [127.0.9.0/24]\n    rateLimit: { perSecond: 1, burst: 5 }';
  const rack = await startRack({ yaml: rackYaml.replace('trustedProxies: [127.0.9.0/24]', limit) });
  const replies = await Promise.all(
    Array.from({ length: 12 }, () => rack.token({ from: '127.0.1.1' })),
  );
  const rejected = replies.filter(({ status }) => status === 429);
  expect(rejected.length).toBeGreaterThanOrEqual(5);
  expect(Number(rejected[0]?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect((await rack.token({ from: '127.0.1.2' })).status).toBe(200);
});
