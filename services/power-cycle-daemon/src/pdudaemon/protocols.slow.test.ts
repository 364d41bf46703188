/** pdudaemon's protocols, spoken to a running daemon over real sockets; the devices behind it are in memory. */
import { sendRequest, sendText } from '@skolo/base/testing';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { describe, expect, it } from 'vitest';
import { boardEquipment, startDaemon } from '../testing/daemon.ts';

const yaml = `${boardEquipment}machines:
  a: { kind: rpi, power: switch-1/1 }
  b: { kind: host, power: pdu-1/1 }
  c: { kind: host, power: [pdu-1/2, pdu-2/2], offSeconds: 0.5 }
  d-[1-2]: { kind: host, power: pdu-1/[3-4] }
  e: { kind: host, power: pdu-2/3 }
  f: { kind: host, power: pdu-1/8 }
`;

const accepted = { status: 200, text: 'OK - accepted request\n' };

const rejected = (why: RegExp) => ({ status: 500, text: expect.stringMatching(why) });

async function openEndpoint(rack = yaml, aliases = rack === yaml ? ['b', 'c', 'f'] : ['b']) {
  const port = await freeTcpPort();
  const settings = `    endpoints: { pdudaemon: { port: ${port}, host: 127.0.0.1, allow: [127.0.0.0/8], aliases: ${JSON.stringify(aliases)} } }`;
  const daemon = await startDaemon({ yaml: rack, settings });
  return {
    ...daemon,
    port,
    ask: (query: string) => sendRequest(port, `/power/control/${query}`),
    state: (target: string) => sendRequest(port, `/power/state/${target}`),
    set: (target: string, body: string) =>
      sendRequest(port, `/power/state/${target}`, { method: 'PUT', body }),
    tell: (line: string) => sendText(port, line),
    /** `off 1`, `on 1`; how it is on again is another test's business. */
    told: (name: string) => {
      return daemon.boards.get(name).told.map((each) => each.replace(/^(on \d+) .*/, '$1'));
    },
  };
}

describe("pdudaemon's HTTP API", () => {
  it('turns an outlet off, on, and cycles it, and answers once that is verified', async () => {
    const { ask, told, boards } = await openEndpoint();

    const off = await ask('off?hostname=pdu-1&port=1');
    const wasOn = boards.get('pdu-1').outlets.get('1').on;
    const on = await ask('on?hostname=pdu-1&port=1');
    const reboot = await ask('reboot?hostname=pdu-1&port=1&delay=0');

    expect([off, on, reboot]).toMatchObject([accepted, accepted, accepted]);
    expect(wasOn).toBe(false);
    expect(told('pdu-1')).toEqual(['off 1', 'on 1', 'off 1', 'on 1']);
  });

  it.each([
    ['a machine', 'alias=b&delay=0', 'pdu-1', ['off 1', 'on 1']],
    ['all feeds of a machine', 'alias=c&delay=0', 'pdu-2', ['off 2', 'on 2']],
    ['an outlet', 'alias=pdu-1/1&delay=0', 'pdu-1', ['off 1', 'on 1']],
    ['a device by its address', 'hostname=127.0.2.2&port=1&delay=0', 'pdu-1', ['off 1', 'on 1']],
    ['a port with zeros before it', 'hostname=pdu-1&port=08&delay=0', 'pdu-1', ['off 8', 'on 8']],
    [
      'an empty alias beside a port',
      'hostname=pdu-1&port=1&alias=&delay=0',
      'pdu-1',
      ['off 1', 'on 1'],
    ],
    ['hardware that cycles by itself', 'hostname=switch-1&port=1&delay=1', 'switch-1', ['cycle 1']],
  ])('finds %s', async (_what, query, device, commands) => {
    const { ask, told } = await openEndpoint();

    const answer = await ask(`reboot?${query}`);

    expect(answer).toMatchObject(accepted);
    expect(told(device)).toEqual(commands);
  });

  it('waits for the power and not for the machine', async () => {
    const { ask, client } = await openEndpoint(`
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  b: { kind: host, power: pdu-1/1, address: 127.0.1.9, swarming: { url: "http://127.0.1.9:9" }, seenBack: { ssh: 9 } }
`);

    const answer = await ask('reboot?alias=b&delay=0');
    const { cycles } = await client.cycles({ query: { limit: 1 } });

    expect(answer).toMatchObject(accepted);
    expect(cycles).toMatchObject([{ target: 'b', step: 'see-back' }]);
    expect(cycles[0]).not.toHaveProperty('outcome');
  });

  it('takes the off time of the model where the client gives none', async () => {
    const { ask, client } = await openEndpoint();

    const answer = await ask('reboot?hostname=pdu-2&port=3');
    const { cycles } = await client.cycles({ query: {} });

    expect(answer).toMatchObject(accepted);
    expect(cycles).toMatchObject([{ target: 'e', offSeconds: 10 }]);
  });

  it('turns on what the endpoint itself had turned off, when asked for a reboot', async () => {
    const { ask, told } = await openEndpoint();
    await ask('off?alias=b');

    const answer = await ask('reboot?alias=b&delay=0');

    expect(answer).toMatchObject(accepted);
    expect(told('pdu-1')).toEqual(['off 1', 'on 1']);
  });

  it.each(['delay=abc', 'delay=-1', 'delay=1e9', 'delay=0x10', 'delay=3601', 'delay=1&delay=2'])(
    'a bad delay (%s) leaves nothing off',
    async (delay) => {
      const { ask, told } = await openEndpoint();

      const answer = await ask(`reboot?hostname=pdu-1&port=1&${delay}`);

      expect(answer).toMatchObject(rejected(/^Invalid request: delay/));
      expect(told('pdu-1')).toEqual([]);
    },
  );

  it.each([
    ['no hostname', 'port=1', /specify hostname and port, or only alias/],
    ['no port', 'hostname=pdu-1', /specify hostname and port, or only alias/],
    ['nothing', '', /specify hostname and port, or only alias/],
    ['an alias beside a port', 'alias=b&port=1', /specify hostname and port, or only alias/],
    ['two ports', 'hostname=pdu-1&port=1&port=2', /port is specified twice/],
    [
      'an unknown device',
      'hostname=pdu-9&port=1',
      /rack1 does not have a machine, phone or equipment/,
    ],
    [
      'an unknown outlet',
      'hostname=pdu-1&port=77',
      /pdu-1 does not have a switchable outlet with this name/,
    ],
    [
      'an outlet of another form',
      'hostname=pdu-1&port=1;2',
      /rack1 does not have a machine, phone or equipment/,
    ],
    ['an unknown alias', 'alias=nobody', /rack1 does not have a machine, phone or equipment/],
    ['the jumphost', 'alias=jumphost-rack1', /the daemon could not turn it on again/],
    ['a range of machines', 'alias=d-[1-2]', /not a range/],
    ['a range of outlets', 'hostname=pdu-1&port=[1-4]', /not a range/],
  ])('%s is a 500 that says so, and nothing is touched', async (_what, query, why) => {
    const { ask, told, client } = await openEndpoint();

    const answer = await ask(`reboot?${query}`);

    expect(answer).toMatchObject(rejected(why));
    expect(told('pdu-1')).toEqual([]);
    expect((await client.cycles({ query: {} })).cycles).toEqual([]);
  });

  it.each([
    ['GET', '/power/control/toggle?alias=b', 404],
    ['GET', '/power/control', 404],
    ['GET', '/', 404],
    ['GET', '//', 404],
    ['HEAD', '/power/control/off?alias=b', 405],
    ['POST', '/power/control/off?alias=b', 405],
    ['DELETE', '/power/state/b', 405],
    ['GET', '/power/state', 404],
    ['GET', '/power/state/pdu-1/1/2', 404],
    ['GET', '/power/state/%', 404],
  ])('%s %s is %i', async (method, path, status) => {
    const { port, told } = await openEndpoint();

    const answer = await sendRequest(port, path, { method });

    expect(answer.status).toBe(status);
    expect(told('pdu-1')).toEqual([]);
  });

  it('reports which check rejected it', async () => {
    const { ask, told } = await openEndpoint(`
equipment:
  router: { model: edgeos, address: 127.0.2.9, uplink: internet, power: pdu-1/5 }
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  b: { kind: host, power: pdu-1/1, uplink: router/eth1 }
`);

    const answer = await ask('off?hostname=pdu-1&port=5');

    expect(answer).toMatchObject(rejected(/^router: 1 other would lose power/));
    expect(told('pdu-1')).toEqual([]);
  });

  it.each(['on', 'off', 'reboot'])('%s leaves alone what a person turned off', async (command) => {
    const { ask, told, turn } = await openEndpoint();
    await turn('off', 'b', { reason: 'smells of smoke' });

    const answer = await ask(`${command}?alias=b&delay=0`);

    expect(answer).toMatchObject(rejected(/pdu-1\/1 was turned off by ann.*smells of smoke/));
    expect(told('pdu-1')).toEqual(['off 1']);
  });

  it.each(['on', 'off', 'reboot'])('%s leaves alone what is held', async (command) => {
    const { ask, told, client } = await openEndpoint();
    await client.hold({ body: { targets: ['b'], reason: 'new fan' } });

    const answer = await ask(`${command}?hostname=pdu-1&port=1&delay=0`);

    expect(answer).toMatchObject(rejected(/b.* put on hold .*new fan/));
    expect(told('pdu-1')).toEqual([]);
  });

  it.each([
    ['does not respond', { isDown: true }, /failed at contact: .*connection refused/],
    [
      'takes commands and does nothing',
      { ignores: 'off' as const },
      /failed at turn-off: .*is still on/,
    ],
    ['cannot turn it on again', { ignores: 'on' as const }, /stuck-off: .*is still off/],
  ])('a PDU that %s is a failure', async (_what, fault, why) => {
    const { ask, boards } = await openEndpoint();
    Object.assign(boards.get('pdu-1'), fault);

    const answer = await ask('reboot?hostname=pdu-1&port=1&delay=0');

    expect(answer).toMatchObject(rejected(why));
  });

  it('two clients that ask for the same reboot get the same one', async () => {
    const { ask, told } = await openEndpoint();

    const answers = await Promise.all([
      ask('reboot?alias=b&delay=1'),
      ask('reboot?hostname=pdu-1&port=1&delay=1'),
    ]);

    expect(answers).toMatchObject([accepted, accepted]);
    expect(told('pdu-1')).toEqual(['off 1', 'on 1']);
  });

  it('the delay of on and off comes before it', async () => {
    const { port, told, boards } = await openEndpoint();
    const leaving = new AbortController();
    const path = '/power/control/off?alias=b&delay=3600';

    const waiting = sendRequest(port, path, { signal: leaving.signal });
    const other = await sendRequest(port, '/power/control/off?alias=f&delay=0.2');
    leaving.abort();

    await expect(waiting).rejects.toThrow();
    expect(other).toMatchObject(accepted);
    expect(told('pdu-1')).toEqual(['off 8']);
    expect(boards.get('pdu-1').outlets.get('1').on).toBe(true);
  });

  it('records who asked, and for what', async () => {
    const { ask, client } = await openEndpoint();

    await ask('reboot?alias=b&delay=0');
    const { cycles } = await client.cycles({ query: {} });

    expect(cycles).toMatchObject([
      {
        by: 'pdudaemon endpoint, 127.0.0.1',
        origin: 'endpoint',
        reason: "pdudaemon's API: reboot",
      },
    ]);
  });
});

describe('the state of', () => {
  const bmc = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
  pdu-2: { model: synaccess, address: 127.0.2.3 }
  bmc-1: { model: redfish, address: 127.0.2.4 }
machines:
  server: { kind: host, power: [pdu-1/1, pdu-2/1, bmc-1] }
  bare: { kind: host }
`;
  const chassis = 'bmc-1/1';

  it.each([
    ['both feeds and the chassis are on', [], '1'],
    ['one feed is off', ['pdu-2/1'], '1'],
    ['all are off', ['pdu-1/1', 'pdu-2/1', chassis], '0'],
    ['the chassis is off', [chassis], /^server: pdu-1\/1 is on, pdu-2\/1 is on, bmc-1\/1 is off/],
    ['only the chassis seems to be on', ['pdu-1/1', 'pdu-2/1'], /bmc-1\/1 is on/],
  ])('a server: %s', async (_what, off, expected) => {
    const { state, ask, boards } = await openEndpoint(bmc, ['server']);
    for (const name of off) {
      const [device = '', outlet = ''] = name.split('/');
      boards.get(device).outlets.set(outlet, false);
    }

    const rest = await state('server');
    const status = await ask('get-status?alias=server');

    if (typeof expected !== 'string') {
      expect([rest, status]).toMatchObject([rejected(expected), rejected(expected)]);
      return;
    }
    expect(rest).toMatchObject({ status: 200, text: expected });
    expect(status).toMatchObject({ status: 200, text: expected === '1' ? 'on\n' : 'off\n' });
  });

  it.each([
    ['the BMC', 'bmc-1', [], /^bmc-1: connection refused/],
    ['a feed, and the other one is on', 'pdu-1', [], '1'],
    ['a feed, and the others are off', 'pdu-1', ['pdu-2'], /^pdu-1: connection refused/],
  ])('a server whose outlet cannot be read: %s', async (_what, down, off, expected) => {
    const { state, boards } = await openEndpoint(bmc, ['server']);
    boards.get(down).isDown = true;
    for (const device of off) boards.get(device).outlets.set('1', false);

    const answer = await state('server');

    expect(answer).toMatchObject(
      typeof expected === 'string' ? { status: 200, text: expected } : rejected(expected),
    );
  });

  it.each([
    ['no outlet', 'bare', ['bare'], /^bare: rack.yaml lists no outlet for it/],
    ['a name that is not listed', 'server', [], /^server: clients may not use this name; add it/],
    ['an unknown name', 'nobody', [], /does not have a machine/],
    ['an unknown outlet', 'pdu-1/77', [], /does not have a switchable outlet/],
  ])('nothing, for %s', async (_what, name, aliases, why) => {
    const { state, set, told } = await openEndpoint(bmc, aliases);

    const answer = await state(name);
    const put = await set(name, '0');

    expect(answer).toMatchObject(rejected(why));
    expect(put.status).toBe(500);
    expect(told('pdu-1')).toEqual([]);
  });

  it('an outlet that is set off and still delivers power is neither', async () => {
    const { state, boards } = await openEndpoint();
    const outlet = boards.get('pdu-1').outlets.get('8');
    Object.assign(boards.get('pdu-1'), { leaks: true });
    boards.get('pdu-1').outlets.set('8', false);

    expect(outlet).toBeDefined();
    expect(await state('pdu-1/8')).toMatchObject(
      rejected(/^f: pdu-1\/8 is off, but still delivers/),
    );
  });
});

describe('PUT, as labgrid sends it', () => {
  it('turns an outlet and a machine off and on, and reads them back', async () => {
    const { set, state, told } = await openEndpoint();

    const answers = [
      await set('pdu-1/08', '0'),
      await state('127.0.2.2/8'),
      await set('f', '1'),
      await state('f'),
    ];

    expect(answers.map(({ text }) => text)).toEqual([accepted.text, '0', accepted.text, '1']);
    expect(told('pdu-1')).toEqual(['off 8', 'on 8']);
  });

  it.each([
    ['on', 400],
    ['', 400],
    ['1'.repeat(100), 413],
  ])('%j is no state', async (body, status) => {
    const { set, told } = await openEndpoint();

    const answer = await set('f', body);

    expect(answer.status).toBe(status);
    expect(told('pdu-1')).toEqual([]);
  });

  it.each([
    ['a browser', { 'user-agent': 'Mozilla/5.0 (X11; Linux) Firefox/140.0' }],
    ['a page', { 'sec-fetch-site': 'cross-site' }],
    ['a proxy', { 'x-forwarded-for': '192.0.2.1' }],
    ['another host', { host: 'rebound.example.com' }],
  ])('is rejected from %s', async (_what, headers) => {
    const { port, told } = await openEndpoint();

    const options = { method: 'PUT', body: '0', headers };
    const answer = await sendRequest(port, '/power/state/pdu-1/8', options);

    expect(answer.status).toBe(403);
    expect(told('pdu-1')).toEqual([]);
  });

  it('leaves alone what a person turned off', async () => {
    const { set, turn, told } = await openEndpoint();
    await turn('off', 'f', { reason: 'smells of smoke' });

    expect(await set('f', '1')).toMatchObject(rejected(/turned off by ann.*smells of smoke/));
    expect(told('pdu-1')).toEqual(['off 8']);
  });
});

describe('the older protocol, on the same port', () => {
  it.each([
    ['pdu-1 1 off', ['off 1']],
    ['pdu-1 08 reboot 1', ['off 8', 'on 8']],
    ['pdu-1 1 reboot 0\n', ['off 1', 'on 1']],
  ])('carries out `%s` and answers ack', async (line, commands) => {
    const { tell, told } = await openEndpoint();

    const answer = await tell(line);

    expect(answer).toBe('ack\n');
    expect(told('pdu-1')).toEqual(commands);
  });

  it.each([
    ['pdu-9 1 off', /^nack pdu-9\/1: /],
    ['pdu-1 77 off', /^nack pdu-1\/77: /],
    ['pdu-1 1 reboot 9999', /^nack delay: at most 3600 seconds\n$/],
    ['pdu-1 [1-4] off', /^nack .* not a range\n$/],
    ['pdu-1 1 explode', /^HTTP\/1.1 400 /],
    ['pdu-1 1 reboot soon', /^HTTP\/1.1 400 /],
    ['hello', /^HTTP\/1.1 400 /],
  ])('rejects `%s`', async (line, text) => {
    const { tell, told } = await openEndpoint();

    const answer = await tell(line);

    expect(answer).toMatch(text);
    expect(told('pdu-1')).toEqual([]);
  });
});
