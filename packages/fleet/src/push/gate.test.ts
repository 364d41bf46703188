import { describe, expect, it } from 'vitest';
import { judge } from './gate.ts';
import { KubeObject } from './objects.ts';

const noFacts = { replicas: 1, status: {} };

/** A DaemonSet with two versions, of which `new` is the newest. */
function agents(count: number): KubeObject[] {
  return [
    object(
      'DaemonSet',
      'agent',
      { uid: 'set', generation: 2 },
      { spec: {}, status: { observedGeneration: 2, desiredNumberScheduled: count } },
    ),
    object(
      'ControllerRevision',
      'agent-old',
      { ...owned('set'), labels: { 'controller-revision-hash': 'old' } },
      { revision: 9 },
    ),
    object(
      'ControllerRevision',
      'agent-new',
      { ...owned('set'), labels: { 'controller-revision-hash': 'new' } },
      { revision: 10 },
    ),
  ];
}

function service({ replicas, status } = noFacts): KubeObject[] {
  const revision = (number: string) => ({ 'deployment.kubernetes.io/revision': number });
  return [
    object('Deployment', 'service', { uid: 'deploy' }, { spec: { replicas }, status }),
    object('ReplicaSet', 'service-old', {
      ...owned('deploy'),
      uid: 'rs-old',
      labels: { 'pod-template-hash': 'old' },
      annotations: revision('9'),
    }),
    object('ReplicaSet', 'service-new', {
      ...owned('deploy'),
      uid: 'rs-new',
      labels: { 'pod-template-hash': 'new' },
      annotations: revision('10'),
    }),
  ];
}

function object(kind: string, name: string, metadata: object, more: object = {}): KubeObject {
  return KubeObject.parse({ apiVersion: 'v1', kind, metadata: { name, ...metadata }, ...more });
}

function owned(uid: string) {
  return { ownerReferences: [{ uid }] };
}

const ready = { conditions: [{ type: 'Ready', status: 'True' }] };

function agent(
  node: string,
  version: 'old' | 'new',
  status: object = ready,
  more: object = {},
): KubeObject {
  const metadata = { ...owned('set'), labels: { 'controller-revision-hash': version }, ...more };
  return object('Pod', `agent-${node}-${version}`, metadata, { spec: { nodeName: node }, status });
}

function pod(version: 'old' | 'new', status: object): KubeObject {
  const metadata = { ...owned(`rs-${version}`), labels: { 'pod-template-hash': version } };
  return object('Pod', `service-${version}`, metadata, { spec: { nodeName: 'jumphost' }, status });
}

function node(name: string, isReady: 'True' | 'False' | 'Unknown'): KubeObject {
  return object('Node', name, {}, { status: { conditions: [{ type: 'Ready', status: isReady }] } });
}

function container(state: object, more: object = {}) {
  return { containerStatuses: [{ name: 'one', image: 'r/one:2', state, ...more }] };
}

const ending = { deletionTimestamp: '2026-11-21T12:00:00Z' };
const daemonSet = { kind: 'DaemonSet', name: 'agent' };
const deployment = { kind: 'Deployment', name: 'service' };

const ended = (exitCode: number, message = '') => ({
  lastState: { terminated: { exitCode, reason: 'Error', message } },
});
it.each([
  [
    'a crash loop',
    container({ waiting: { reason: 'CrashLoopBackOff' } }, ended(1)),
    'failed',
    'keeps crashing (Error, exit 1)',
  ],
  [
    'three restarts',
    container({ running: {} }, { restartCount: 3, ...ended(137) }),
    'failed',
    'keeps crashing (Error, exit 137)',
  ],
  [
    'one restart',
    container({ running: {} }, { restartCount: 1, ...ended(1) }),
    'waiting',
    'running, but not ready',
  ],
  [
    'a bad configuration, the first time',
    container({ waiting: { reason: 'CrashLoopBackOff' } }, ended(78, 'rack.yaml:3')),
    'failed',
    'the configuration was rejected (exit code 78): rack.yaml:3',
  ],
  [
    'no image',
    container({ waiting: { reason: 'ImagePullBackOff', message: 'not found' } }),
    'failed',
    'image r/one:2 cannot be pulled: not found',
  ],
  [
    'an image that may come',
    container({ waiting: { reason: 'ErrImagePull' } }),
    'waiting',
    'starting: ErrImagePull',
  ],
  [
    'a missing Secret',
    container({
      waiting: { reason: 'CreateContainerConfigError', message: 'secret "x" not found' },
    }),
    'failed',
    'container one: secret "x" not found',
  ],
  ['no readiness', container({ running: {} }), 'waiting', 'running, but not ready'],
  [
    'an eviction',
    { phase: 'Failed', reason: 'Evicted', message: 'disk' },
    'failed',
    'Evicted: disk',
  ],
  [
    'no machine',
    { conditions: [{ type: 'PodScheduled', status: 'False', message: 'no node' }] },
    'waiting',
    'not scheduled: no node',
  ],
])('a pod that does not come up names %s', (_, status, state, cause) => {
  const verdict = judge(deployment, [...service(), pod('new', status)]);

  expect(verdict).toMatchObject({ state, pods: [{ state, cause }] });
});

describe('a Deployment', () => {
  it('is ready when its newest pod is, and the old one is gone', () => {
    const both = [...service(), pod('old', ready), pod('new', ready)];

    expect(judge(deployment, both).state).toBe('waiting');
    expect(judge(deployment, [...service(), pod('new', ready)]).state).toBe('ready');
  });

  it('waits for a pod that is not there yet', () => {
    expect(judge(deployment, service())).toMatchObject({
      state: 'waiting',
      cause: 'pods not created yet: 1 of 1',
    });
  });

  it('fails where its pods are rejected', () => {
    const status = {
      conditions: [{ type: 'ReplicaFailure', status: 'True', message: 'violates PodSecurity' }],
    };

    expect(judge(deployment, service({ replicas: 1, status }))).toMatchObject({
      state: 'failed',
      cause: 'the API server rejects its pods: violates PodSecurity',
    });
  });

  it('waits for its controller', () => {
    const [first, ...others] = agents(0);
    const unseen = KubeObject.parse({ ...first, status: { observedGeneration: 1 } });

    expect(judge(daemonSet, [unseen, ...others])).toMatchObject({ state: 'waiting' });
  });
});

it('does not take a Deployment for ready whose machine is silent', () => {
  const objects = [...service(), pod('new', ready), node('jumphost', 'Unknown')];

  expect(judge(deployment, objects, { excused: new Set() })).toMatchObject({
    state: 'waiting',
    pods: [{ state: 'silent' }],
  });
});

describe('a DaemonSet', () => {
  it('is ready where one machine falls silent before its pod is replaced, and names it', () => {
    const objects = [
      ...agents(2),
      agent('a', 'new'),
      agent('b', 'old'),
      node('a', 'True'),
      node('b', 'Unknown'),
    ];

    expect(judge(daemonSet, objects, { excused: new Set() })).toMatchObject({
      state: 'ready',
      pods: [
        { node: 'a', state: 'ready' },
        { node: 'b', state: 'dead', cause: 'the machine is not responding' },
      ],
    });
  });

  it('is not ready where a machine falls silent after its pod was replaced, unless it was silent before', () => {
    const silent = [
      ...agents(2),
      agent('a', 'new'),
      agent('b', 'new'),
      node('a', 'True'),
      node('b', 'Unknown'),
    ];

    expect(judge(daemonSet, silent, { excused: new Set() })).toMatchObject({
      state: 'waiting',
      pods: [
        { node: 'a', state: 'ready' },
        {
          node: 'b',
          state: 'silent',
          cause:
            'the machine responded before the push, but no longer does; check its power and the new version',
        },
      ],
    });
    expect(judge(daemonSet, silent, { excused: new Set(['b']) })).toMatchObject({
      state: 'ready',
      pods: [{ state: 'ready' }, { state: 'unhealthy' }],
    });
  });

  it.each([
    [30, 2, 'ready'],
    [30, 3, 'failed'],
    [19, 1, 'ready'],
    [19, 2, 'failed'],
    [1, 1, 'waiting'],
  ])('of %i machines with new pods, %i lost: %s', (all, count, state) => {
    const names = Array.from({ length: all }, (_, at) => `rpi-${at}`);
    const lost = new Set(names.slice(0, count));
    const objects = [
      ...agents(all),
      ...names.flatMap((name) => [
        agent(name, 'new'),
        node(name, lost.has(name) ? 'Unknown' : 'True'),
      ]),
    ];
    const scope = { excused: new Set<string>(), lost };

    expect(judge(daemonSet, objects, scope).state).toBe(state);
    expect(judge(daemonSet, objects, { ...scope, mostLost: () => 9 }).state).not.toBe('failed');
    expect(judge(daemonSet, objects, { excused: new Set() }).state).toBe('waiting');
  });

  it('is not ready where a canary falls silent, even if its pod is still the old one', () => {
    const objects = [...agents(2), agent('a', 'old', ready, ending), node('a', 'Unknown')];

    expect(judge(daemonSet, objects, { nodes: new Set(['a']), excused: new Set() })).toMatchObject({
      state: 'waiting',
      pods: [{ node: 'a', state: 'silent' }],
    });
  });

  it.each(['old', 'new'] as const)(
    'is never ready with 300 silent machines of 300 and %s pods',
    (version) => {
      const names = Array.from({ length: 300 }, (_, at) => `rpi-${at}`);
      const all = names.flatMap((name) => [agent(name, version), node(name, 'Unknown')]);
      const objects = [...agents(300), ...all];

      expect(judge(daemonSet, objects, { excused: new Set() }).state).toBe('waiting');
      expect(judge(daemonSet, objects, { excused: new Set(names) }).state).toBe('unseen');
    },
  );

  it('is not ready where more machines than by chance fall silent before their pods are replaced', () => {
    const names = Array.from({ length: 30 }, (_, at) => `rpi-${10 + at}`);
    const objects = [
      ...agents(30),
      ...names.flatMap((name, at) =>
        at < 4 ? [agent(name, 'old'), node(name, 'Unknown')] : [agent(name, 'new')],
      ),
    ];

    expect(judge(daemonSet, objects, { excused: new Set() })).toMatchObject({
      state: 'waiting',
      cause: '4 machines stopped responding after the push, more than can be explained by chance',
    });
    expect(judge(daemonSet, objects, { excused: new Set(names.slice(0, 2)) }).state).toBe('ready');
  });

  it('waits for a machine that finishes its task', () => {
    const objects = [...agents(1), agent('a', 'old', ready, ending)];

    expect(judge(daemonSet, objects)).toMatchObject({
      state: 'waiting',
      pods: [{ node: 'a', state: 'draining' }],
    });
  });

  it('counts the new pod where the old one still ends', () => {
    const objects = [...agents(1), agent('a', 'old', ready, ending), agent('a', 'new')];

    expect(judge(daemonSet, objects)).toMatchObject({ state: 'ready', pods: [{ state: 'ready' }] });
  });

  it('looks at some machines only', () => {
    const objects = [...agents(2), agent('a', 'new'), agent('b', 'old')];

    expect(judge(daemonSet, objects).state).toBe('waiting');
    expect(judge(daemonSet, objects, { nodes: new Set(['a']) })).toMatchObject({ state: 'ready' });
  });

  it('is not held up by a machine that was unhealthy before', () => {
    const crash = container({ waiting: { reason: 'CrashLoopBackOff' } });
    const objects = [...agents(2), agent('a', 'new'), agent('b', 'new', crash)];

    expect(judge(daemonSet, objects).state).toBe('failed');
    expect(judge(daemonSet, objects, { excused: new Set(['b']) })).toMatchObject({
      state: 'ready',
      pods: [{ state: 'ready' }, { node: 'b', state: 'unhealthy' }],
    });
  });

  it('waits for machines that have no pod yet', () => {
    expect(judge(daemonSet, [...agents(2), agent('a', 'new')])).toMatchObject({
      state: 'waiting',
      cause: 'pods not created yet: 1 of 2',
    });
  });
});
