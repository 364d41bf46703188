import { describe, expect, it } from 'vitest';
import type { Kubernetes } from '../kubernetes/kubernetes.ts';
import { readSettings } from '../settings.ts';
import { type Decision, decide, type Memory, noMemory, type Seen } from './decide.ts';

const settings = readSettings({});

const well: Extract<Kubernetes, { state: 'answers' }> = {
  state: 'answers',
  node: { isReady: true, why: '' },
  deployment: 'asks',
  pod: { state: 'can-run', why: '', names: [] },
  publicPort: 'none',
};
const silent: Kubernetes = { state: 'silent', why: 'k3s is not responding' };

/** A jumphost whose timer looks every half minute. */
class Rack {
  uptime = 120;
  kubernetes: Kubernetes = silent;
  isUnitRunning = false;
  isAnswering = false;
  notInstalled: string | undefined;
  memory: Memory = noMemory;

  look(): Decision {
    const { uptime, kubernetes, isUnitRunning, isAnswering, notInstalled } = this;
    const seen: Seen = { uptime, kubernetes, isUnitRunning, isAnswering, notInstalled };
    const decision = decide(seen, this.memory, settings);
    this.memory = decision.memory;
    if (decision.act === 'fallback') this.serveByUnit();
    if (decision.act === 'give-way') {
      this.isUnitRunning = false;
      this.isAnswering = false;
    }
    return decision;
  }

  /** What was done, and when, until this much time has gone by. */
  watch(seconds: number): string[] {
    const acts: string[] = [];
    for (const end = this.uptime + seconds; this.uptime < end; this.uptime += 30) {
      const { act } = this.look();
      if (act !== 'nothing') acts.push(`${act} ${this.uptime}`);
    }
    return acts;
  }

  private serveByUnit() {
    this.isUnitRunning = true;
    this.isAnswering = true;
  }
}

function onFallback(): Rack {
  const rack = new Rack();
  rack.watch(600);
  expect(rack.isUnitRunning).toBe(true);
  return rack;
}

describe('while k3s does not serve', () => {
  it('the unit stands in five minutes after a boot', () => {
    expect(new Rack().watch(3600)).toEqual(['fallback 300']);
  });

  it('the unit stands in after three minutes of silence later on', () => {
    const rack = new Rack();
    rack.uptime = 90_000;
    rack.isAnswering = true;
    rack.watch(300);
    rack.isAnswering = false;

    expect(rack.watch(3600)).toEqual(['fallback 90480']);
  });

  it.each([
    [
      'while it is silent',
      (rack: Rack) => {
        rack.isAnswering = true;
        rack.look();
        rack.isAnswering = false;
        rack.watch(60);
      },
      'fallback',
    ],
    [
      'while k3s is well again',
      (rack: Rack) => {
        rack.watch(240);
        rack.kubernetes = well;
        rack.watch(60);
      },
      'give-way',
    ],
  ] as const)('a suspend of the computer %s decides nothing', (_, begin, act) => {
    const rack = new Rack();
    rack.uptime = 90_000;
    begin(rack);
    rack.uptime += 36_000;
    const resumedAt = rack.uptime;

    const [first] = rack.watch(600);

    expect(first?.split(' ')[0]).toBe(act);
    expect(Number(first?.split(' ')[1])).toBeGreaterThanOrEqual(resumedAt + 30);
  });

  it('a pause of two minutes is none', () => {
    const rack = new Rack();
    rack.uptime = 90_000;
    for (let round = 0; round < 5; round += 1) {
      rack.isAnswering = false;
      expect(rack.watch(150)).toEqual([]);
      rack.isAnswering = true;
      expect(rack.watch(60)).toEqual([]);
    }
  });

  it.each<{ title: string; kubernetes: Kubernetes; why: string }>([
    {
      title: 'its Deployment is scaled to 0',
      kubernetes: { ...well, deployment: 'scaled-to-0' },
      why: 'not responding: the Deployment is scaled to 0',
    },
    {
      title: 'its pod is ready, and only the way to it is not',
      kubernetes: { ...well, pod: { state: 'ready', why: '', names: ['a'] } },
      why: 'the pod is ready, but the service is not responding on this computer',
    },
  ])('the unit does not stand in where $title', ({ kubernetes, why }) => {
    const rack = new Rack();
    rack.kubernetes = kubernetes;

    expect(rack.watch(3600)).toEqual([]);
    expect(rack.look().why).toBe(why);
  });

  it('the unit stands in where the pod is said to be ready by a node that is dead', () => {
    const rack = new Rack();
    const node = { isReady: false, why: 'the node is not ready' };
    rack.kubernetes = { ...well, node, pod: { state: 'ready', why: '', names: ['a'] } };

    expect(rack.watch(3600)).toEqual(['fallback 300']);
  });

  it('the unit stands in where k3s has lost its objects', () => {
    const rack = new Rack();
    rack.kubernetes = { ...well, deployment: 'missing' };

    expect(rack.watch(3600)).toEqual(['fallback 300']);
  });

  it('reports what the unit lacks, and stands in once that is there', () => {
    const rack = new Rack();
    rack.notInstalled = 'there is no rack.yaml';
    expect(rack.watch(600)).toEqual([]);
    expect(rack.look().why).toBe(
      'not responding, and the unit cannot take over: there is no rack.yaml',
    );

    rack.notInstalled = undefined;
    expect(rack.look().act).toBe('fallback');
  });
});

describe('while the unit stands in', () => {
  it('gives way when k3s has been well for a while', () => {
    const rack = onFallback();
    rack.kubernetes = well;

    expect(rack.watch(240)).toEqual(['give-way 810']);
  });

  it('stays while k3s comes and goes', () => {
    const rack = onFallback();
    for (let round = 0; round < 10; round += 1) {
      rack.kubernetes = well;
      expect(rack.watch(60)).toEqual([]);
      rack.kubernetes = silent;
      expect(rack.watch(60)).toEqual([]);
    }
  });

  it.each<{ why: string; kubernetes: Kubernetes }>([
    { why: 'k3s is not installed', kubernetes: { state: 'absent', why: 'k3s is not installed' } },
    {
      why: 'the node is not ready',
      kubernetes: { ...well, node: { isReady: false, why: 'the node is not ready' } },
    },
    { why: 'the Deployment is scaled to 0', kubernetes: { ...well, deployment: 'scaled-to-0' } },
    {
      why: 'k3s has no Deployment for this service',
      kubernetes: { ...well, deployment: 'missing' },
    },
    {
      why: 'the pod is waiting: ErrImagePull',
      kubernetes: {
        ...well,
        pod: { state: 'cannot-run', why: 'the pod is waiting: ErrImagePull', names: ['a'] },
      },
    },
  ])('stays: $why', ({ why, kubernetes }) => {
    const rack = onFallback();
    rack.kubernetes = kubernetes;

    expect(rack.watch(3600)).toEqual([]);
    expect(rack.look().why).toBe(`the unit is running as the fallback: ${why}`);
  });

  it('comes back when the pod does not serve, and waits longer each time', () => {
    const rack = onFallback();
    rack.kubernetes = well;

    const acts = rack.watch(6 * 3600);

    const pauses = acts.slice(1).map((act, at) => {
      const [, before = 0] = (acts[at] ?? '').split(' ').map(Number);
      return Number(act.split(' ')[1]) - before;
    });
    expect(acts.filter((_, at) => at % 2 === 0).every((act) => act.startsWith('give'))).toBe(true);
    // 180 s for the pod, then 10 min for the unit, 20 min, 40 min …
    expect(pauses.slice(0, 6)).toEqual([180, 600, 180, 1200, 180, 2400]);
  });

  it('forgets setbacks once the pod has served for ten minutes', () => {
    const rack = onFallback();
    rack.kubernetes = well;
    expect(rack.watch(420)).toEqual(['give-way 810', 'fallback 990']);
    expect(rack.memory.setbacks).toBe(1);
    expect(rack.watch(600)).toEqual(['give-way 1590']);
    rack.isAnswering = true;

    rack.watch(660);

    expect(rack.memory).toMatchObject({ setbacks: 0, gaveWayAt: null });
  });
});

it('a unit that was started by hand is left alone', () => {
  const rack = new Rack();
  rack.isUnitRunning = true;
  rack.isAnswering = true;
  rack.kubernetes = well;

  expect(rack.watch(3600)).toEqual([]);
  expect(rack.look().why).toBe('the unit was started manually');
});
