/** What facts mean: each fault that seeds and threads know is named, with what to do. */
import type { Finding } from '@skolo/base';
import type { ClusterNode } from '@skolo/setup/k3s';
import { describe, expect, it } from 'vitest';
import { judgeFacts, judgeNodes } from './judge-nodes.ts';
import type { NodeFacts } from './node-facts.ts';
import { judgeTried, type Tried } from './probes.ts';

const well: NodeFacts = {
  name: 'host01',
  time: 0,
  skew: 0.1,
  uncertain: 0.05,
  synchronized: 'yes',
  userland: 'arm64',
  swapKib: 0,
  cgroupMemory: 'yes',
  throttled: 0,
  celsius: 55,
  freeMib: 20_000,
  usedPercent: 30,
  unit: 'k3s',
  restarts: 0,
  tlsTimeouts: 0,
  notYetValid: 0,
  slowDatabase: 0,
};
const ready: ClusterNode = {
  name: 'host01',
  address: '192.0.2.1',
  version: 'v1.32.5+k3s1',
  architecture: 'arm64',
  isReady: true,
  complaints: [],
  isServer: true,
  taints: [],
};

function wrongOf(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ state }) => state !== 'ok')
    .map(({ thing, where, state, found, expected, advice }) =>
      [`${thing}: ${where}: ${state}: ${found}`, expected, advice].filter(Boolean).join('; '),
    );
}

describe('facts of nodes', () => {
  it('are all right, in a line for each check', () => {
    const facts = ['host01', 'host02', 'host03'].map((name) => ({ ...well, name }));

    const findings = judgeFacts(facts);

    expect(wrongOf(findings)).toEqual([]);
    expect(findings.every(({ where }) => where?.length === 3)).toBe(true);
  });

  it.each([
    [
      'a clock of 1970',
      { skew: -1e9 },
      /^clock: host02: differs: 1000000000 s behind the other nodes/,
    ],
    ['a clock that drifts', { synchronized: 'no' }, /^clock: host02: warning: .* start NTP/],
    ['no memory cgroup', { cgroupMemory: 'no' as const }, /cgroup_enable=memory/],
    ['swap', { swapKib: 102_400 }, /^swap: host02: warning: 100 MiB of swap is enabled/],
    [
      'a weak power supply',
      { throttled: 0x50005 },
      /^power: .*: differs: under-voltage, throttled; use/,
    ],
    ['one that was weak', { throttled: 0x50000 }, /^power: .*: warning: .* since boot/],
    ['heat', { celsius: 84 }, /^temperature: .*84 °C/],
    ['a full disk', { usedPercent: 93, freeMib: 900 }, /^disk: .*93% used.*run k3s crictl rmi/],
    ['a full disk of kubeadm', { usedPercent: 93, unit: 'kubelet' }, /^disk: .*run crictl rmi/],
    ['a unit that ends', { restarts: 40 }, /^restarts: .*k3s restarted 40 times/],
    ['an API server that is too slow', { tlsTimeouts: 7 }, /^TLS: .*7 × "TLS handshake timeout"/],
    ['certificates of another time', { notYetValid: 3 }, /^TLS: .*the clock was wrong/],
    ['a slow card', { slowDatabase: 90 }, /^database: .*move the server to an SSD/],
  ])('name %s', (_, change, message) => {
    const findings = judgeFacts([
      well,
      { ...well, name: 'host02', ...change },
      { ...well, name: 'host03' },
    ]);

    expect(wrongOf(findings)).toEqual([expect.stringMatching(message)]);
  });

  it('name a node that is not ready, of another version, or with images of the wrong kind', () => {
    const nodes: ClusterNode[] = [
      ready,
      {
        ...ready,
        name: 'host02',
        isReady: false,
        complaints: ['Kubelet stopped'],
        isServer: false,
      },
      { ...ready, name: 'host03', version: 'v1.31.0+k3s1', isServer: false },
      { ...ready, name: 'host04', isServer: false },
    ];

    const findings = judgeNodes(nodes, [{ ...well, name: 'host04', userland: 'armhf' }]);

    expect(wrongOf(findings)).toEqual([
      expect.stringMatching(/^node: host02: differs: not ready: Kubelet stopped/),
      expect.stringMatching(
        /^version: host03: differs: v1.31.0\+k3s1; v1.32.5\+k3s1, as on the server; upgrade/,
      ),
      expect.stringMatching(/^architecture: host04: differs: the kubelet is arm64/),
    ]);
  });
});

describe('the network of pods', () => {
  const names = ['a', 'b', 'c', 'd'];
  function tried(isOk: (from: string, to: string) => boolean): Tried[] {
    return names.flatMap((from) =>
      names
        .filter((to) => to !== from)
        .map((to): Tried => ({ from, to, what: 'pod', isOk: isOk(from, to), text: 'timed out' })),
    );
  }
  const judge = (all: Tried[]) =>
    judgeTried(all, true).filter(({ thing }) => thing === 'pod to pod');

  it('is one line where every pair is right', () => {
    expect(judge(tried(() => true))).toEqual([
      { thing: 'pod to pod', where: [], state: 'ok', found: '12 pairs' },
    ]);
  });

  it('is one fault where a node is cut off, and not one for each pair', () => {
    const findings = judge(tried((from, to) => from !== 'c' && to !== 'c'));

    expect(wrongOf(findings)).toEqual([
      expect.stringMatching(
        /^pod to pod: c: differs: pods on this node cannot communicate.*UDP port 8472/,
      ),
    ]);
  });

  it('names nodes where kubectl exec fails, which is no fault of DNS', () => {
    const text = 'exit code 1: error dialing backend: no route to host';
    const failed = names.map((from): Tried => ({ from, to: '', what: 'exec', isOk: false, text }));
    const [, ...others] = failed;

    const some = judgeTried(
      [{ from: 'a', to: 'x', what: 'dns', isOk: true, text: '' }, ...others],
      false,
    );
    const none = judgeTried(failed, false);

    expect(some.find(({ thing }) => thing === 'DNS')).toMatchObject({ state: 'ok' });
    expect(some.filter(({ state }) => state === 'differs')).toEqual([
      {
        thing: 'kubectl exec',
        where: ['b', 'c', 'd'],
        state: 'differs',
        found: expect.stringMatching(/^no tests ran on this node: exit code 1: .* host$/),
        advice: expect.stringMatching(/^check that kubelet is running /),
      },
    ]);
    expect(none.find(({ thing }) => thing === 'DNS')).toMatchObject({ state: 'unchecked' });
  });

  it('names a pair that fails in one direction', () => {
    const findings = judge(tried((from, to) => !(from === 'a' && to === 'b')));

    expect(wrongOf(findings)).toEqual([expect.stringMatching(/differs: from a to b: timed out/)]);
  });
});
