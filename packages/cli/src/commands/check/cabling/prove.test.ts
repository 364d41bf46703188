import { ApiError, type ConnectedHosts, type PowerCycle } from '@skolo/api';
import { parseRack } from '@skolo/rack';
import { describe, expect, it } from 'vitest';
import { compare } from './compare.ts';
import { type ProofDeps, prove } from './prove.ts';

const rack = parseRack(
  `rack: rack4
timezone: UTC
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jumphost, address: 192.168.1.8, uplink: switch-1/8 }
logins: { switches: { username: ubnt, password: secrets/switch } }
equipment:
  switch-1: { model: edgeswitch, portCount: 24, address: 192.168.1.11, login: switches }
machines:
  a: { kind: rpi, mac: "b8:27:eb:00:00:01", uplink: switch-1/1, power: switch-1/1 }
  b: { kind: rpi, mac: "b8:27:eb:00:00:02", uplink: switch-1/2, power: switch-1/2 }
  c: { kind: rpi, mac: "b8:27:eb:00:00:03", uplink: switch-1/3, power: switch-1/3 }
`,
  { file: 'rack.yaml' },
);
const macs = { a: 'b8:27:eb:00:00:01', b: 'b8:27:eb:00:00:02', c: 'b8:27:eb:00:00:03' };

/** A switch whose ports power connected devices, and a daemon whose cycles advance with each poll. */
class World {
  /** By port. The cables of a and b are swapped; c is right. */
  plugged = new Map<string, string>([
    ['1', macs.b],
    ['2', macs.a],
    ['3', macs.c],
  ]);
  /** What an outlet really feeds, by port; default: its own port. */
  feeds = new Map<string, string[]>();
  asked: string[] = [];
  said: string[] = [];
  busy = new Map<string, string>();
  hold: string | undefined;
  rejection: string | undefined;
  outcome: Partial<PowerCycle> = { outcome: 'back' };
  readBusy = false;
  failsWhileOff = false;
  steps: PowerCycle['step'][] = ['queued', 'turn-off', 'off', 'off', 'off', 'turn-on', 'see-back'];
  private cycle: { port: string; look: number } | undefined;

  private step(): PowerCycle['step'] | undefined {
    return this.cycle && this.steps[this.cycle.look];
  }

  reading(): ConnectedHosts {
    const step = this.step();
    const off =
      step === 'off' && this.cycle ? (this.feeds.get(this.cycle.port) ?? [this.cycle.port]) : [];
    const hosts = [...this.plugged].flatMap(([port, mac]) =>
      off.includes(port) ? [] : [{ mac, port, source: 'mac-table' as const }],
    );
    const ports = ['1', '2', '3', '8'].map((name) => ({
      name,
      up: !off.includes(name) && (name === '8' || this.plugged.has(name)),
    }));
    return { equipment: 'switch-1', readAt: '2026-11-21T12:00:00Z', hosts, ports, own: [] };
  }

  deps(): ProofDeps {
    let now = 0;
    const client = {
      machines: async ({ query: { name } }: { query: { name: string } }) => ({
        machines: [{ name, ...(this.hold === name && { hold: { by: 'ann', reason: 'new fan' } }) }],
      }),
      requestCycles: async ({ body }: { body: { machines: [string] } }) => {
        const [outlet] = body.machines;
        if (this.rejection !== undefined) {
          throw problem(409, {
            rejected: [{ target: outlet, code: 'held', detail: this.rejection }],
          });
        }
        this.asked.push(outlet);
        this.cycle = { port: outlet.split('/')[1] ?? '', look: 0 };
        return { cycles: [{ id: 'c1', target: outlet, joined: false }], rejected: [] };
      },
      cycle: async () => {
        const step = this.step();
        return step === undefined
          ? { step: 'see-back', ...this.outcome }
          : { step, detail: 'as it goes' };
      },
      connectedHosts: async () => {
        if (this.readBusy && this.step() === 'off') throw problem(502, { failure: 'busy' });
        if (this.failsWhileOff && this.step() === 'off') {
          throw problem(502, { failure: 'timeout', detail: 'no response within 20 s' });
        }
        return this.reading();
      },
    };
    // The part of the two services that is used.
    const ask = ((question: (of: unknown) => unknown) => question(client)) as never;
    return {
      rack,
      daemon: { ask },
      backup: { ask },
      whyBusy: async (name) => this.busy.get(name),
      now: () => (now += 1000),
      say: (text) => this.said.push(text),
      pause: async () => this.look(),
    };
  }

  private look() {
    if (this.cycle) this.cycle.look += 1;
  }

  findings() {
    return compare(rack, [this.reading()]).findings;
  }
}

function problem(status: number, members: Record<string, unknown>): ApiError {
  const body = { type: 'about:blank', title: 'no', status, detail: 'no', ...members };
  return new ApiError('GET http://127.0.0.1', body);
}

describe('a proof', () => {
  it('cycles the outlets one by one, and the right link has to go', async () => {
    const world = new World();

    const { verified, doubt } = await prove(world.findings(), world.deps());

    expect(doubt).toBeUndefined();
    expect([...verified]).toEqual(['a', 'b']);
    expect(world.asked).toEqual(['switch-1/2', 'switch-1/1']);
    expect(world.said).toEqual([
      'a: cycling switch-1/2',
      'a: verified: switch-1/2 powers it',
      'b: cycling switch-1/1',
      'b: verified: switch-1/1 powers it',
    ]);
  });

  it.each<[string, (world: World) => void, string]>([
    [
      'its link stays',
      (world) => world.feeds.set('2', []),
      'the link on switch-1/2 stayed up while the outlet was off',
    ],
    [
      'another one goes',
      (world) => world.feeds.set('2', ['3']),
      'the link on switch-1/3 went down while switch-1/2 was off',
    ],
    [
      'another one goes, too',
      (world) => world.feeds.set('2', ['2', '3']),
      'the link on switch-1/3 went',
    ],
    [
      'nobody can look',
      (world) => Object.assign(world, { readBusy: true }),
      'link states could not be read while switch-1/2 was off',
    ],
    [
      'it cannot be turned off',
      (world) => {
        world.steps = ['queued', 'turn-off'];
        const detail = 'switch-1/2 still reads on';
        world.outcome = { outcome: 'failed', failedStep: 'turn-off', detail };
      },
      'switch-1/2 was not turned off (switch-1/2 still reads on)',
    ],
    [
      'the switch cannot be read',
      (world) => Object.assign(world, { failsWhileOff: true }),
      'no response within 20 s',
    ],
    [
      'its power is not on again',
      (world) => {
        world.steps = ['queued', 'off', 'off', 'turn-on'];
        world.outcome = { outcome: 'stuck-off', detail: 'switch-1/2 still reads off' };
      },
      'the outcome of the cycle is stuck-off: switch-1/2 still reads off',
    ],
  ])('ends at the first doubt: %s', async (_what, change, why) => {
    const world = new World();
    change(world);

    const { verified, doubt } = await prove(world.findings(), world.deps());

    expect([...verified]).toEqual([]);
    expect(doubt).toContain(`a: not verified: ${why}`);
    expect(doubt).toContain('no further outlets will be cycled');
    expect(world.asked).toEqual(['switch-1/2']);
  });

  it.each<[string, (world: World) => void, string]>([
    [
      'is running a task',
      (world) => world.busy.set('a', 'is running a task'),
      'a is running a task',
    ],
    [
      'is where another one runs a task',
      (world) => world.busy.set('b', 'is running a task'),
      'b is running a task',
    ],
    [
      'has another one at its outlet by now',
      (world) => world.plugged.set('2', macs.c),
      'no longer at switch-1/2',
    ],
    ['is held', (world) => Object.assign(world, { hold: 'a' }), 'a is held by ann: new fan'],
    [
      'is rejected',
      (world) => Object.assign(world, { rejection: 'the rack is held' }),
      'the power-cycle daemon rejected the cycle: the rack is held',
    ],
  ])('cuts nothing of a machine that %s', async (_what, change, why) => {
    const world = new World();
    const findings = world.findings();
    change(world);

    const { doubt } = await prove(findings, world.deps());

    expect(doubt).toContain(`a: not verified: ${why}`);
    expect(world.asked).toEqual([]);
  });

  it('never cuts what the cabling audit depends on, nor what is no machine', async () => {
    const world = new World();
    const [finding] = world.findings();
    const to = (name: string, value: string) => {
      const edit = { name, key: 'power' as const, value };
      return {
        ...{ kind: 'moved-cable' as const, thing: name, state: 'differs' as const, found: '' },
        edits: [],
        power: { edit, card: macs.a },
      };
    };

    const jumphosts = await prove([to('a', 'switch-1/8')], world.deps());
    const device = await prove([to('switch-1', 'switch-1/5')], world.deps());

    expect(finding?.power?.edit.value).toBe('switch-1/2');
    expect(jumphosts.doubt).toContain('jumphost depends on switch-1/8');
    expect(device.doubt).toContain('only outlets of machines can be verified');
    expect(world.asked).toEqual([]);
  });
});
