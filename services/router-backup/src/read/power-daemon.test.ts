import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { ControllerStatus, PowerCycle } from '@skolo/api';
import { pause } from '@skolo/base';
import { tempDir } from '@skolo/base/testing';
import { DeviceBusy } from '@skolo/equipment/transports';
import { describe, expect, it } from 'vitest';
import { startServer } from '../testing/fixtures.ts';
import { smallRack } from '../testing/small-rack.ts';
import { PowerDaemon, type PowerDaemonDeps } from './power-daemon.ts';

const equipment = `{
  switch-1: { model: edgeswitch, address: 127.0.2.1, power: pdu-1/2 },
  switch-2: { model: edgeswitch, address: 127.0.2.2, power: pdu-1/3 },
  pdu-1: { model: apc-rpdu2, address: 127.0.2.3 },
}`;
const never = new AbortController().signal;

interface FakeDaemon {
  controllers: ControllerStatus[];
  cycles: PowerCycle[];
  /** How it answers instead. */
  instead?: (request: IncomingMessage, response: ServerResponse) => void;
  requests: string[];
  tokens: (string | undefined)[];
  url: string;
}

/** Answers the two questions that a backup has. */
async function startDaemon(): Promise<FakeDaemon> {
  const daemon: FakeDaemon = { controllers: [], cycles: [], requests: [], tokens: [], url: '' };
  daemon.url = await startServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://daemon');
    daemon.requests.push(`${request.method} ${url.pathname}${url.search}`);
    daemon.tokens.push(request.headers.authorization);
    if (daemon.instead) return daemon.instead(request, response);
    const isRunning = url.searchParams.get('state') === 'running';
    const { controllers, cycles } = daemon;
    const answers: Record<string, unknown> = {
      '/v1/controllers': { controllers },
      '/v1/power-cycles': {
        cycles: cycles.filter(({ startedAt }) => (startedAt !== undefined) === isRunning),
      },
    };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answers[url.pathname]));
  });
  return daemon;
}

function controller(name: string, queue: number): ControllerStatus {
  return { name, model: 'edgeswitch', state: 'up', level: 'never seen', queue };
}

function cycle(about: Partial<PowerCycle>): PowerCycle {
  return {
    id: 'c1',
    target: 'rpi-1',
    action: 'cycle',
    mode: 'auto',
    outlets: ['switch-1/1'],
    reason: 'dead',
    by: 'ann',
    origin: 'person',
    requestedAt: '2026-11-20T12:00:00Z',
    startedAt: '2026-11-20T12:00:01Z',
    offSeconds: 5,
    force: false,
    step: 'turn-off',
    steps: [],
    ...about,
  };
}

function asking(daemon: Pick<FakeDaemon, 'url'>, deps: Partial<PowerDaemonDeps> = {}): PowerDaemon {
  const rack = smallRack({ equipment, power: `{ url: "${daemon.url}" }` });
  return new PowerDaemon({ rack: () => rack, timeoutMs: 60_000, ...deps });
}

it.each([
  ['only waits', [cycle({ step: 'off' })], true],
  ['turns on', [cycle({ step: 'turn-on' })], false],
  [
    'is not the only one',
    [cycle({ step: 'off' }), cycle({ id: 'c2', target: 'rpi-2', outlets: ['switch-1/2'] })],
    false,
  ],
])(
  'a cycle that waits while the power is off leaves the device to who is fine with that: it %s',
  async (_how, cycles, isLeft) => {
    const daemon = await startDaemon();
    daemon.cycles = cycles;
    const power = asking(daemon);

    const backup = power.unlessWanted('switch-1', never, async () => 'read');
    const reading = power.unlessWanted('switch-1', never, async () => 'read', {
      isFineWhileOff: true,
    });

    const [backedUp, read] = await Promise.allSettled([backup, reading]);
    const busy = { status: 'rejected', reason: expect.any(DeviceBusy) };
    expect(backedUp).toEqual(busy);
    expect(read).toEqual(isLeft ? { status: 'fulfilled', value: 'read' } : busy);
  },
);

describe('wanted', () => {
  it.each<[string, Partial<Pick<FakeDaemon, 'controllers' | 'cycles'>>, string[]]>([
    ['nothing happens', { controllers: [controller('switch-1', 0)] }, []],
    ['outlets are read', { controllers: [controller('switch-1', 1)] }, []],
    ['more waits', { controllers: [controller('switch-1', 2)] }, ['switch-1']],
    ['a cycle runs', { cycles: [cycle({})] }, ['switch-1']],
    ['a cycle waits', { cycles: [cycle({ step: 'queued', startedAt: undefined })] }, ['switch-1']],
    ['a machine boots', { cycles: [cycle({ step: 'see-back' })] }, []],
    [
      'a switch is cycled',
      { cycles: [cycle({ target: 'switch-2', outlets: ['pdu-1/3'] })] },
      ['pdu-1', 'switch-2'],
    ],
    [
      'a switch boots',
      {
        cycles: [cycle({ target: 'switch-2', outlets: ['pdu-1/3'], step: 'see-back' })],
      },
      ['switch-2'],
    ],
    [
      'the outlet that feeds a switch is cycled',
      { cycles: [cycle({ target: 'pdu-1/2', outlets: ['pdu-1/2'] })] },
      ['pdu-1', 'switch-1'],
    ],
    ['a phone is cycled at its own hub', { cycles: [cycle({ outlets: ['rpi-1/usb/1-1.2'] })] }, []],
  ])('%s', async (_, says, expected) => {
    const daemon = await startDaemon();
    Object.assign(daemon, says);

    const names = await asking(daemon).wanted(never);

    expect([...names].sort()).toEqual(expected);
  });

  it('asks once for all who ask within two seconds', async () => {
    const daemon = await startDaemon();
    let uptime = 1000;
    const power = asking(daemon, { clock: { uptime: () => uptime } });

    await Promise.all([power.wanted(never), power.wanted(never)]);
    uptime += 1.9;
    await power.wanted(never);
    const asked = daemon.requests.length;
    uptime += 0.2;
    await power.wanted(never);

    expect(asked).toBe(3);
    expect(daemon.requests).toHaveLength(6);
  });

  it('shows its token where rack.yaml names one, and goes without where it cannot be read', async () => {
    const dir = await tempDir();
    await writeFile(join(dir, 'token'), 'sk_looks\n');
    const daemon = await startDaemon();
    const rackWith = (powerToken: string) =>
      smallRack({
        dir,
        settings: `{ powerToken: ${powerToken} }`,
        power: `{ url: "${daemon.url}" }`,
      });

    for (const file of ['token', 'missing'])
      await new PowerDaemon({ rack: () => rackWith(file), timeoutMs: 60_000 }).wanted(never);

    expect(new Set(daemon.tokens.slice(0, 3))).toEqual(new Set(['Bearer sk_looks']));
    expect(new Set(daemon.tokens.slice(3))).toEqual(new Set([undefined]));
  });

  it.each<[string, FakeDaemon['instead']]>([
    ['rejects', (_, response) => void response.writeHead(401).end('{}')],
    ['talks nonsense', (_, response) => void response.end('<html>log in</html>')],
    ['never answers', () => undefined],
    ['dies while it answers', (_, response) => void response.writeHead(200).destroy()],
  ])('wants nothing when the daemon %s', async (_, instead) => {
    const daemon = await startDaemon();
    Object.assign(daemon, { instead, cycles: [cycle({})] });

    const names = await asking(daemon, { timeoutMs: 50 }).wanted(never);

    expect([...names]).toEqual([]);
  });

  it('wants nothing when no daemon is there, and logs it once', async () => {
    const said: unknown[] = [];
    let uptime = 0;
    const power = asking(
      { url: 'http://127.0.0.1:1' },
      { clock: { uptime: () => uptime }, log: { info: (...line: unknown[]) => said.push(line) } },
    );

    const names = await power.wanted(never);
    uptime += 3;
    await power.wanted(never);

    expect([...names]).toEqual([]);
    expect(said).toHaveLength(1);
  });

  it('releases a caller who gives up, and still answers the others', async () => {
    const daemon = await startDaemon();
    const released = Promise.withResolvers<void>();
    let asked = 0;
    daemon.instead = async (_, response) => {
      asked += 1;
      await released.promise;
      response.end(JSON.stringify({ controllers: [], cycles: [cycle({})] }));
    };
    const power = asking(daemon);
    const gone = new AbortController();

    const left = power.wanted(gone.signal);
    const stayed = power.wanted(never);
    gone.abort(new Error('no time'));

    await expect(left).rejects.toThrow('no time');
    await expect.poll(() => asked).toBe(1);
    released.resolve();
    expect([...(await stayed)]).toEqual(['switch-1']);
  });
});

describe('work with a device', () => {
  const untilAborted = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });

  it('ends when a cycle needs the device, and goes on with any other', async () => {
    const daemon = await startDaemon();
    const power = asking(daemon, { pollMs: 5 });
    const caller = new AbortController();
    const one = power.unlessWanted('switch-1', never, untilAborted);
    const two = power.unlessWanted('switch-2', caller.signal, untilAborted);
    const ended = Promise.allSettled([one, two]);

    await expect.poll(() => daemon.requests.length).toBeGreaterThan(6);
    daemon.cycles = [cycle({})];
    const why: unknown = await one.catch((error: unknown) => error);
    caller.abort(new Error('only now'));

    expect(why).toBeInstanceOf(DeviceBusy);
    expect(String(why)).toContain('switch-1: it is needed for a power cycle');
    expect(await ended).toMatchObject([{}, { reason: new Error('only now') }]);
  });

  it('asks a daemon that hangs once at a time', async () => {
    const daemon = await startDaemon();
    let [underWay, most] = [0, 0];
    daemon.instead = async (request, response) => {
      if (!request.url?.includes('controllers')) return void response.end('{ "cycles": [] }');
      underWay += 1;
      most = Math.max(most, underWay);
      await pause(daemon.requests.length > 3 ? 100 : 0);
      underWay -= 1;
      response.end('{ "controllers": [] }');
    };

    await asking(daemon, { pollMs: 60 }).unlessWanted('switch-1', never, () =>
      expect.poll(() => daemon.requests.length).toBeGreaterThan(9),
    );

    expect(most).toBe(1);
  });

  it('is not begun while a cycle needs the device', async () => {
    const daemon = await startDaemon();
    daemon.cycles = [cycle({})];

    const work = asking(daemon).unlessWanted('switch-1', never, () => expect.fail('it is begun'));

    await expect(work).rejects.toThrow(DeviceBusy);
  });

  it('asks no more once it has ended', async () => {
    const [daemon, other] = [await startDaemon(), await startDaemon()];
    const asksFor =
      ({ requests }: FakeDaemon, count: number) =>
      () =>
        expect.poll(() => requests.length).toBeGreaterThan(count);
    const deps = { pollMs: 60 };
    await asking(daemon, deps).unlessWanted('switch-1', never, asksFor(daemon, 6));
    const asked = daemon.requests.length;

    await asking(other, deps).unlessWanted('switch-1', never, asksFor(other, 9));

    // The rest of the last look, which has three questions.
    expect(daemon.requests.length).toBeLessThan(asked + 3);
  });
});
