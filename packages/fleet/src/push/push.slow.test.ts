/** Pushes to a real Kubernetes whose nodes pretend, with the real kubectl, git and registry. */

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorText } from '@skolo/base';
import {
  countRounds,
  isLong,
  killAfter,
  seeded,
  timeUntil,
} from '@skolo/base/durable/fault-injection';
import { testSeed } from '@skolo/base/testing';
import {
  type ContainerRegistry,
  type ControlPlane,
  lacks,
  peer,
  startContainerRegistry,
  startControlPlane,
} from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { getAt, kubectlAt } from '../testing/kubectl.ts';
import { type Kubectl, KubectlError } from '../way/kubectl.ts';
import {
  openRecords,
  openRepository,
  type PushDeps,
  preparePush,
  type RackRecord,
  type Request,
  sendCommits,
  takeLease,
  titleOf,
} from './index.ts';
import { pushDeps as depsOf, type Work } from './testing/push-deps.ts';
import { startPush } from './testing/push-writer.ts';
import { createRackRepository, type RackRepository, requestOf, tagOf } from './testing/racks.ts';

const kills = countRounds(1, 50);
/**
 * Reports whether a row of a table is tried with a real Kubernetes: on each push the first one, because each takes ten seconds. What decides
 * about the others is tried without a cluster (gate.test.ts, worsened.test.ts, held.test.ts); they add that a cluster reports it so.
 */
const isTried = (_row: unknown, at: number) => isLong || at === 0;
/** Of pushes during which something never becomes ready, so that all of it passes. */
const expiring = { pollMs: 900, readyMs: 15_000, patienceMs: 600_000 };
const program = peer('control-plane');
const kubectl = peer('kubectl');
const registryProgram = peer('docker-registry');
const machines = ['rpi-1', 'rpi-2', 'rpi-3', 'rpi-4'];
const words = ['clean', 'crash', 'unpullable', 'unready', 'next'];

let plane: ControlPlane;
let registry: ContainerRegistry;
let repository: RackRepository;

describe.skipIf(lacks('control-plane', 'kubectl', 'docker-registry'))('skolo push', () => {
  beforeAll(async () => {
    const jumphost = {
      name: 'jumphost',
      labels: { jumphost: 'true' },
      architecture: 'amd64' as const,
    };
    const architectureOf = (name: string) => (name === 'rpi-4' ? 'amd64' : 'arm64');
    const nodes = [
      jumphost,
      ...machines.map((name) => ({ name, architecture: architectureOf(name) }) as const),
    ];
    [registry, plane] = await Promise.all([
      startContainerRegistry(registryProgram ?? ''),
      startControlPlane(program ?? '', kubectl ?? '', { nodes }),
    ]);
    for (const word of words) {
      await registry.push('skolo/service', tagOf(word), word);
      await registry.push('skolo/agent', tagOf(word), word);
    }
    repository = await createRackRepository(registry.host, ['rack4']);
    call('apply', '-f', join(repository.folder, 'kube/base/namespace.yaml'));
    await push({ why: 'the first push of this rack' });
  });
  afterAll(async () => {
    await plane?.close();
    await registry?.close();
    await repository?.remove();
    if (records) await rm(records, { recursive: true });
  });

  it('brings a new version although its connection is lost for a while, and commits who, what and why', async () => {
    let isLost = false;
    let lost = 0;
    const lines: string[] = [];
    const report = (_: string, line: string) => {
      lines.push(line);
      if (line.startsWith('Deployment')) isLost = true;
    };
    const kubectl: Kubectl = async (...given) => {
      if (!isLost || lost === 3) return await ownKubectl()(...given);
      lost += 1;
      throw new KubectlError('connection refused', 'Unreachable');
    };
    const open = async (name: string) => ({ name, kubectl, close: async () => undefined });
    const asked = { services: ['service'], version: tagOf('next'), why: 'faster' };

    const records = await push(asked, { open, report });

    expect(lost).toBe(3);
    expect(lines).toContain('unreachable, retrying: connection refused');
    expect(records).toMatchObject([{ state: 'done' }]);
    expect(await running('service')).toContain(`/skolo/service:${tagOf('next')}@sha256:`);
    expect(repository.git('log', '-1', '--format=%an: %B')).toMatch(
      /^Ann: push\(rack4\): service 2026-11-20T22_40_05Z-ann-295cca0-next\n\nfaster\n\nPush: /,
    );
    expect(repository.git('status', '--porcelain')).toBe('');
    expect(await lastPush()).toMatchObject({ by: 'Ann <ann@example.com>', why: 'faster' });
  });

  it('goes back to the versions before the last push', async () => {
    const records = await push({ isRollback: true });

    expect(records).toMatchObject([{ state: 'done' }]);
    expect(await running('service')).toMatch(/:2026-11-20T22_40_05Z-ann-295cca0-clean$/);
  });

  it.each(
    [
      ['crash', 'Deployment skolo/service: jumphost: keeps crashing (Error, exit 1)'],
      ['unready', 'not ready after 15 s: jumphost: running, but not ready'],
    ].filter(isTried),
  )(
    'goes back by itself where the new version is %s, and says why',
    async (word = '', why = '') => {
      const before = [await running('service'), repository.git('log', '--format=%s')];

      const request = { services: ['service'], version: tagOf(word) };

      const [record] = await push(request, { times: expiring });

      expect(record).toMatchObject({ state: 'rolled-back', why: expect.stringContaining(why) });
      expect([await running('service'), repository.git('log', '--format=%s')]).toEqual(before);
    },
  );

  it.each(
    [
      {
        title: 'the rack has a new alert',
        after: prometheusText(['alerts', { alertname: 'TokenLate', severity: 'critical' }]),
        why: 'new alert TokenLate (critical)',
      },
      {
        title: 'Prometheus no longer knows a machine',
        after: prometheusText(['machines', { machine: 'rpi-1' }]),
        why: 'Prometheus no longer has data about rpi-2',
      },
      {
        title: 'Prometheus is silent',
        after: undefined,
        why: 'Prometheus responded before the push, but no longer does: kubectl get --raw: no endpoints available for service "prometheus"',
      },
    ].filter(isTried),
  )('goes back where $title afterwards', async ({ after, why }) => {
    const before = await running('service');
    const rpis = ['rpi-1', 'rpi-2'].map((machine) => ['machines', { machine }] as const);
    let asked = 0;
    // The API server cannot reach a Prometheus: its nodes pretend.
    const prometheus = async () => {
      asked += 1;
      if (asked === 1) return prometheusText(...rpis);
      return after ?? (await ownKubectl()(['get', '--raw', servicePath('prometheus:9090')]));
    };
    call('create', 'service', 'clusterip', 'prometheus', '-n', 'skolo', '--tcp=9090');
    onTestFinished(() => void call('delete', 'service', 'prometheus', '-n', 'skolo'));
    const open = async (name: string) => ({
      name,
      kubectl: async (...given: Parameters<Kubectl>) =>
        given[0][1] === '--raw' ? await prometheus() : await ownKubectl()(...given),
      close: async () => undefined,
    });

    const [record] = await push(
      { services: ['service'], version: tagOf('next') },
      { open, times: expiring },
    );

    expect(record).toMatchObject({ state: 'rolled-back', why: expect.stringContaining(why) });
    expect(await running('service')).toBe(before);
  });

  it('compares a resumed push with what Prometheus reported before the first change', async () => {
    let answer = prometheusText(['machines', { machine: 'rpi-1' }]);
    const open = async (name: string) => ({
      name,
      kubectl: async (...given: Parameters<Kubectl>) =>
        given[0][1] === '--raw' ? answer : await ownKubectl()(...given),
      close: async () => undefined,
    });
    const stop = new AbortController();
    const report = (_: string, text: string) => {
      if (text.startsWith('watching')) stop.abort(new Error('interrupted'));
    };
    const version = tagOf('next');
    const { request, deps } = await pushDeps({ services: ['service'], version }, { open });
    const first = await preparePush(request, { ...deps, signal: stop.signal, report });
    expect(await first.run()).toMatchObject([{ state: 'rolling-out' }]);
    answer = prometheusText(['alerts', { alertname: 'TokenLate', severity: 'critical' }]);

    const second = await preparePush(request, deps);

    expect(await second.run()).toMatchObject([
      { state: 'rolled-back', why: expect.stringContaining('new alert TokenLate') },
    ]);
  });

  it('stops at the canary, leaves the other machines alone, and names a dead one without waiting for it', async () => {
    behave('rpi-1', 'dead');
    onTestFinished(async () => {
      behave('rpi-1', 'well');
      call('wait', '--for=condition=Ready', 'node/rpi-1', '--timeout=900s');
    });
    call('wait', '--for=condition=Ready=unknown', 'node/rpi-1', '--timeout=900s');
    const before = await agents();
    const commits = repository.git('log', '--format=%s');
    const lines: string[] = [];

    const [record] = await push(
      { services: ['agent'], version: tagOf('unpullable') },
      { report: (_, text) => lines.push(text) },
    );

    expect(record).toMatchObject({
      state: 'rolled-back',
      why: expect.stringMatching(
        /^DaemonSet skolo\/agent: rpi-2, rpi-4: image .*unpullable.* cannot be pulled/,
      ),
    });
    expect(lines).toContain('DaemonSet skolo/agent: updating rpi-2, rpi-4 first');
    expect(lines.join()).toContain('rpi-1: the machine is not responding');
    const after = await agents();
    const unchanged = Object.keys(before).filter((node) => after[node] === before[node]);
    expect(unchanged).toEqual(['rpi-1', 'rpi-3']);
    expect(repository.git('log', '--format=%s')).toBe(commits);
  });

  it.each(
    [
      {
        title: 'stops where two canaries fall silent, and names them',
        dies: { 'updating rpi-1, rpi-4 first': 'rpi-1', 'updating rpi-2 first': 'rpi-2' },
        end: { state: 'rolled-back', why: `DaemonSet skolo/agent: ${lostByPush('rpi-1, rpi-2')}` },
        changed: ['rpi-4'],
      },
      {
        title: 'stops where canaries fall silent while it watches them, each after it was ready',
        dies: { ': 2 of 2 ready': 'rpi-1', ': 2 of 3 ready': 'rpi-2' },
        end: { state: 'rolled-back', why: expect.stringContaining(lostByPush('rpi-1, rpi-2')) },
        changed: ['rpi-1', 'rpi-2', 'rpi-4'],
      },
      {
        title: 'stops where the only machine of a platform falls silent while it watches',
        dies: { ': 2 of 2 ready': 'rpi-4' },
        end: {
          state: 'rolled-back',
          why: expect.stringContaining('no other machine is like it: rpi-4: the machine responded'),
        },
        changed: ['rpi-1', 'rpi-4'],
      },
      // Last, because the others update to the same version.
      {
        title: 'goes on where a canary falls silent and another one proves it innocent',
        dies: { 'updating rpi-1, rpi-4 first': 'rpi-1' },
        end: { state: 'done' },
        changed: ['rpi-2', 'rpi-3', 'rpi-4'],
      },
    ].filter((row, at) => isTried(row, at) || row.end.state === 'done'),
  )('$title', async ({ dies, end, changed }) => {
    const fallen = Object.values(dies);
    onTestFinished(() => {
      for (const node of fallen) behave(node, 'well');
      for (const node of fallen)
        call('wait', '--for=condition=Ready', `node/${node}`, '--timeout=900s');
    });
    const before = await agents();
    // The push waits meanwhile, so that it watches for long enough on a busy computer, too.
    const report = (_: string, text: string) => {
      for (const [line, node] of Object.entries(dies)) {
        if (!text.includes(line)) continue;
        behave(node, 'dead');
        call('wait', '--for=condition=Ready=unknown', `node/${node}`, '--timeout=900s');
      }
    };

    const [record] = await push(
      { services: ['agent'], version: tagOf('next'), soakMs: 1_000 },
      { report, times: expiring },
    );

    expect(record).toMatchObject(end);
    const after = await agents();
    expect(Object.keys(before).filter((node) => after[node] !== before[node])).toEqual(changed);
  });

  it('waits for a machine that finishes its task', async () => {
    behave('rpi-3', 'busy');
    onTestFinished(() => behave('rpi-3', 'well'));
    const lines: string[] = [];

    const [record] = await push(
      { services: ['agent'], version: tagOf('clean') },
      { report: (_, text) => lines.push(text) },
    );

    expect(record).toMatchObject({ state: 'done' });
    expect(lines.join('\n')).toContain('rpi-3: the old pod is still finishing its work');
  });

  it('shows drift by hand apart, and puts it right', async () => {
    const before = await running('service');
    call(
      'set',
      'image',
      '-n',
      'skolo',
      'deployment/service',
      `service=${registry.host}/skolo/service:${tagOf('crash')}`,
    );
    call('label', '-n', 'skolo', 'deployment/service', 'by-hand=yes');

    const { request, deps } = await pushDeps({});
    const prepared = await preparePush(request, deps);
    const plan = prepared.racks[0]?.preparation?.plan;
    const [record] = await prepared.run();

    expect(plan?.objects.filter(({ action }) => action !== 'keep')).toMatchObject([
      {
        wanted: { kind: 'Deployment' },
        changes: [],
        setBack: [
          { path: 'spec.template.spec.containers[name=service].image', writtenBy: 'kubectl-set' },
        ],
        added: [{ path: 'metadata.labels.by-hand', writtenBy: 'kubectl-label' }],
      },
    ]);
    expect(record).toMatchObject({ state: 'done' });
    expect(await running('service')).toBe(before);
  });

  it('deletes what left the overlay, but no claims, and nothing of others', async () => {
    const extra = 'kube/racks/rack4/kustomization.yaml';
    const text = await readFile(join(repository.folder, extra), 'utf8');
    const resources = ['ConfigMap', 'PersistentVolumeClaim'].map(
      (kind) =>
        `${JSON.stringify({ apiVersion: 'v1', kind, metadata: { name: 'extra', namespace: 'skolo' }, ...(kind === 'ConfigMap' ? {} : claim) })}`,
    );
    repository.write('racks/rack4/extra.yaml', resources.join('\n---\n'));
    repository.write(
      'racks/rack4/kustomization.yaml',
      text.replace('[../../base]', '[../../base, extra.yaml]'),
    );
    commit('more');
    await push({});
    repository.write('racks/rack4/kustomization.yaml', text);
    commit('less');
    call('create', 'configmap', 'of-another', '-n', 'skolo');
    call('label', 'configmap', 'of-another', '-n', 'skolo', 'app.kubernetes.io/part-of=skolo');

    const { request, deps } = await pushDeps({});
    const prepared = await preparePush(request, deps);
    const [record] = await prepared.run();

    const deletions = prepared.racks[0]?.preparation?.plan.deletions.map(titleOf);
    expect(deletions).toEqual(['ConfigMap skolo/extra']);
    expect(record).toMatchObject({ state: 'done' });
    expect(call('get', 'configmap,pvc', '-n', 'skolo', '-o', 'name').split('\n')).toEqual(
      expect.arrayContaining(['configmap/of-another', 'persistentvolumeclaim/extra']),
    );
    expect(call('get', 'configmap', '-n', 'skolo', '-o', 'name')).not.toContain('configmap/extra');
  });

  it.each([
    [
      'that does not parse',
      rackYaml('rack4', 'machine: {}'),
      'racks/rack4/rack.yaml:5:1 machine: unknown key "machine"; did you mean "machines"?',
    ],
    [
      'of another rack',
      rackYaml('rack5'),
      'rack4: the overlay belongs to another rack: rack.yaml is for rack5; nothing was sent',
    ],
    [
      'beside derived files of another rack',
      rackYaml('rack4'),
      'rack4: the overlay belongs to another rack: derived/ is for rack5; nothing was sent',
      '{ name: rack-facts, namespace: skolo, literals: [SKOLO_RACK_NAME=rack5] }',
    ],
  ])('rejects a rack.yaml %s before anything is sent', async (_, yaml, why, more = '') => {
    const undo = await withRackFile(yaml, more);
    onTestFinished(undo);
    const { request, deps } = await pushDeps({});
    const sent: string[] = [];
    const kubectl: Kubectl = (args, options) => {
      if (options?.input?.includes('rack.yaml')) sent.push(args.join(' '));
      return ownKubectl()(args, options);
    };
    const open = async (name: string) => ({ name, kubectl, close: async () => undefined });

    const prepared = await preparePush(request, { ...deps, open });
    await prepared.close();

    expect(prepared.racks[0]?.problem?.message).toContain(why);
    expect(sent).toEqual([]);
  });

  it('rejects a push to a cluster that runs another rack', async () => {
    call('create', 'configmap', 'rack', '-n', 'skolo', '--from-literal=rack.yaml=rack: lab');
    const undo = await withRackFile(rackYaml('rack4'));
    onTestFinished(() => {
      undo();
      call('delete', 'configmap', 'rack', '-n', 'skolo');
    });
    const { request, deps } = await pushDeps({});

    const prepared = await preparePush(request, deps);
    await prepared.close();

    expect(prepared.racks[0]?.problem?.message).toBe(
      'rack4: this is the cluster of lab; fix `jumphost` and `ways` of rack4 in kube/clusters/config.json. If the rack was renamed, delete ConfigMap skolo/rack in the cluster instead',
    );
  });

  it.each(
    [
      [
        'rollout',
        'undo',
        'deployment/service',
        'Deployment skolo/service: kubectl changed spec.template',
      ],
      [
        'scale',
        '--replicas=0',
        'deployment/service',
        'Deployment skolo/service: somebody changed spec.replicas',
      ],
      [
        'set',
        'env',
        'deployment/service',
        'A=b',
        'Deployment skolo/service: kubectl-set changed spec.template',
      ],
      [
        'rollout',
        'restart',
        'deployment/service',
        'Deployment skolo/service: kubectl-rollout changed spec.template',
      ],
      ['delete', 'deployment/service', '--cascade=orphan', 'Deployment skolo/service was deleted'],
      ['delete', 'serviceaccount/agent', 'ServiceAccount skolo/agent was deleted'],
      [
        'patch',
        'serviceaccount/agent',
        '-p={"metadata":{"labels":{"app.kubernetes.io/part-of":"x"}}}',
        'ServiceAccount skolo/agent: kubectl-patch changed metadata.labels."app.kubernetes.io/part-of"',
      ],
      ['delete', 'node/rpi-4', 'Node rpi-4 was deleted'],
    ].filter(isTried),
  )('stops where somebody runs kubectl %s %s while it watches, and says so', async (...given) => {
    const [why = '', ...args] = given.toReversed();
    // A rollback leaves objects alone that the push had not changed.
    if (isLong) onTestFinished(async () => void (await push({})));
    const before = [await running('service'), repository.git('log', '--format=%s')];
    const report = (_: string, line: string) => {
      if (line.startsWith('watching')) call(...args.toReversed(), '-n', 'skolo');
    };

    const [record] = await push(
      { services: ['service'], version: tagOf('next'), soakMs: 2_000 },
      { report },
    );

    expect(record).toMatchObject({ state: 'rolled-back', why: expect.stringContaining(why) });
    expect([await running('service'), repository.git('log', '--format=%s')]).toEqual(before);
  });

  /** A policy that rejects changes to a kind; active when fulfilled. */
  function forbid(resource: string): void {
    const admission = 'apiVersion: admissionregistration.k8s.io/v1';
    const rule = `{ apiGroups: ["*"], apiVersions: ["*"], operations: [UPDATE], resources: [${resource}] }`;
    const input = `${admission}
kind: ValidatingAdmissionPolicy
metadata: { name: corporate }
spec: { matchConstraints: { resourceRules: [${rule}] }, validations: [{ expression: "false" }] }
---
${admission}
kind: ValidatingAdmissionPolicyBinding
metadata: { name: corporate }
spec: { policyName: corporate, validationActions: [Deny] }`;
    callWith(input, 'apply', '-f', '-');
    const name = resource === 'daemonsets' ? 'ds/agent' : 'deploy/service';
    const change = ['label', '-n', 'skolo', name, '--overwrite', 'x=y'];
    while (!/corporate/.test(errorOf(() => call(...change)))) execFileSync('sleep', ['0.3']);
  }
  const allow = () =>
    void call('delete', 'validatingadmissionpolicy,validatingadmissionpolicybinding', 'corporate');

  it.each(
    [
      {
        title: 'a policy rejects an object',
        start: async () => {
          forbid('daemonsets');
          return allow;
        },
        why: /daemonsets "agent" is invalid: .*ValidatingAdmissionPolicy 'corporate'/,
      },
      {
        title: 'a field that cannot be changed differs',
        start: async () => {
          const file = join(repository.folder, 'kube/base/service.yaml');
          const text = await readFile(file, 'utf8');
          repository.write('base/service.yaml', text.replaceAll('app: service', 'app: other'));
          commit('another selector');
          return () => {
            repository.write('base/service.yaml', text);
            commit('the selector of before');
          };
        },
        why: /Deployment.* "service" is invalid: spec.selector: .*field is immutable/,
      },
      {
        title: 'an object is being deleted, and cannot be',
        start: async () => {
          const account = ['sa/agent', '-n', 'skolo'];
          call('patch', ...account, '-p={"metadata":{"finalizers":["example.com/stuck"]}}');
          call('delete', ...account, '--wait=false');
          return () => {
            call('patch', ...account, '--type=merge', '-p={"metadata":{"finalizers":null}}');
            callWith('', 'wait', '--for=delete', ...account);
          };
        },
        why: /^rack4: ServiceAccount skolo\/agent \(since .*, waiting for example.com\/stuck\) is being deleted/,
      },
    ].filter(isTried),
  )('rejects a push before anything is changed where $title', async ({ start, why }) => {
    const before = await running('service');
    const undo = await start();
    onTestFinished(async () => {
      undo();
      await push({});
    });

    const [record] = await push({ services: ['service', 'agent'], version: tagOf('next') });

    expect(record).toMatchObject({ state: 'not-begun', why: expect.stringMatching(why) });
    expect(await running('service')).toBe(before);
  });

  it.each(
    [
      { title: 'rolls back when it is resumed', isAllowed: true, end: 'rolled-back' },
      { title: 'leaves the repair to the next push', isAllowed: false, end: 'broken' },
    ].filter(isTried),
  )('names what rejects its rollback, and $title', async ({ isAllowed, end }) => {
    const before = await running('service');
    let isForbidden = false;
    const report = (_: string, line: string) => {
      if (!line.startsWith('Deployment skolo/service') || isForbidden) return;
      isForbidden = true;
      forbid('deployments');
    };
    const { request, deps } = await pushDeps({ services: ['service'], version: tagOf('crash') });

    const [first] = await (await preparePush(request, { ...deps, report })).run();
    const left = call('get', 'secret', 'skolo-push', '-n', 'skolo', '-o', 'name');
    if (isAllowed) allow();
    const [second] = await (await preparePush(request, deps)).run();
    if (!isAllowed) allow();
    const [next] = await push({});

    expect(first).toMatchObject({
      state: 'rolling-back',
      why: expect.stringMatching(
        /keeps crashing .*; then: .*ValidatingAdmissionPolicy 'corporate'/,
      ),
    });
    expect(left).toBe('secret/skolo-push\n');
    expect(second).toMatchObject({ state: end });
    expect(next).toMatchObject({ state: 'done' });
    expect(await running('service')).toBe(before);
  });

  it('changes nothing where its objects do not fit into one Secret', async () => {
    const file = 'racks/rack4/kustomization.yaml';
    const text = await readFile(join(repository.folder, 'kube', file), 'utf8');
    const large = ['one', 'two'].map((name) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'skolo' },
      data: { random: randomBytes(600_000).toString('base64') },
    }));
    repository.write(
      'racks/rack4/large.yaml',
      large.map((each) => JSON.stringify(each)).join('\n---\n'),
    );
    repository.write(file, text.replace('[../../base]', '[../../base, large.yaml]'));
    commit('large');
    onTestFinished(async () => {
      repository.write(file, text);
      commit('small');
      await push({});
    });
    const before = await running('service');

    const [record] = await push({ services: ['service'], version: tagOf('next') });

    expect(record).toMatchObject({ state: 'waiting', why: expect.stringMatching(/Too long/) });
    expect(await running('service')).toBe(before);
    expect(call('get', 'configmaps', '-n', 'skolo', '-o', 'name')).not.toContain('configmap/one');
  });

  it('plans to delete a rack whose overlay was emptied, and keeps its namespace', async () => {
    const file = 'racks/rack4/kustomization.yaml';
    const text = await readFile(join(repository.folder, 'kube', file), 'utf8');
    repository.write(file, text.slice(text.indexOf('images:')));
    commit('the end of rack4');

    const { request, deps } = await pushDeps({});
    const prepared = await preparePush(request, deps);
    onTestFinished(() => prepared.close());
    repository.write(file, text);
    commit('not yet');

    const plan = prepared.racks[0]?.preparation?.plan;
    expect(plan?.objects).toEqual([]);
    expect(plan?.deletions.map(titleOf).toSorted()).toEqual([
      expect.stringMatching(/^ConfigMap skolo\/settings-/),
      'DaemonSet skolo/agent',
      'Deployment skolo/service',
      'ServiceAccount skolo/agent',
    ]);
  });

  it('restores what it deleted where somebody else changes the rack before the commit', async () => {
    // As an earlier push has left it.
    const labels = { 'app.kubernetes.io/part-of': 'skolo' };
    const metadata = { name: 'extra', namespace: 'skolo', labels };
    const extra = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { its: 'value' } };
    const asPush = ['apply', '--server-side', '--field-manager=skolo', '-f', '-'];
    callWith(JSON.stringify(extra), ...asPush);
    const report = (_: string, line: string) => {
      if (line.startsWith('deleting'))
        call('label', 'sa', 'agent', '-n', 'skolo', 'app.kubernetes.io/part-of-');
    };

    const [record] = await push({}, { report });

    expect(record).toMatchObject({
      state: 'rolled-back',
      why: 'changed during the push: ServiceAccount skolo/agent: somebody changed metadata.labels',
    });
    const path = 'jsonpath={.data.its} {.metadata.labels}';
    expect(call('get', 'cm', 'extra', '-n', 'skolo', '-o', path)).toBe(
      'value {"app.kubernetes.io/part-of":"skolo"}',
    );
    // The next test's push deletes it again.
  });

  it(`ends the same after ${kills} kill -9`, async () => {
    console.log(`pushes: ${kills} kills`);
    const random = seeded(testSeed());
    const start = (request: Request) => startPush(workOf(request));
    const requestOf = async (round: number) => {
      const version = tagOf(round % 2 === 0 ? 'clean' : 'next');
      return (await pushDeps({ services: ['service', 'agent'], version })).request;
    };
    // One kill needs no exact figure.
    const usualMs = isLong ? await timeUntil(start(await requestOf(0)), 'done') : 3_000;

    for (let kill = 1; kill <= kills; kill += 1) {
      const request = await requestOf(kill);
      // Some are faster than usual, and end first.
      await killAfter(start(request), random() * usualMs, { report: 'prepared' }).catch(
        (error: unknown) => expect(String(error)).toContain('ended by itself, with status 0'),
      );
      // What the killed one had started may still be at it.
      await expect.poll(async () => endOf(start(request)), { interval: 500 }).toBe('done');

      const [record] = (await openRecords(records ?? '').read(request.id))?.racks ?? [];
      expect(record).toMatchObject({ state: 'done' });
      for (const name of ['service', 'agent'] as const) {
        expect(await running(name)).toContain(`:${request.version}@sha256:`);
      }
      expect(repository.git('log', '--format=%s', `--grep=^Push: ${request.id}$`)).toMatch(
        /^push.*\n$/,
      );
      expect(repository.git('status', '--porcelain')).toBe('');
      expect(await lastPush()).toMatchObject({ id: request.id });
      expect(await holder()).toBe('');
    }
  });

  it('rejects a tree with changes that are in no commit', async () => {
    repository.write('base/forgotten.yaml', '');
    onTestFinished(() => void repository.git('clean', '-fdq'));

    await expect(pushDeps({})).rejects.toThrow(
      'kube/base/forgotten.yaml: uncommitted changes; commit or stash them first',
    );
  });

  it.each(
    [
      {
        title: 'the jumphost is cordoned',
        hinder: () => call('cordon', 'jumphost'),
        free: () => call('uncordon', 'jumphost'),
        why: /not scheduled: .*unschedulable/,
      },
      {
        title: 'a quota allows no further pods',
        hinder: () => call('create', 'quota', 'none', '-n', 'skolo', '--hard=pods=0'),
        free: () => call('delete', 'quota', 'none', '-n', 'skolo'),
        why: /the API server rejects its pods: .*exceeded quota: none/,
      },
      {
        title: 'a webhook that fails closed is down',
        hinder: () => callWith(webhook, 'apply', '-f', '-'),
        free: () => call('delete', 'validatingwebhookconfiguration', 'corporate'),
        why: /the API server rejects its pods: .*failed calling webhook "corporate.example.com"/,
      },
    ].filter(isTried),
  )(
    'says why no pod starts where $title, and rolls back once that is over',
    async ({ hinder, free, why }) => {
      const before = await running('service');
      const version = tagOf(before.includes('-next@') ? 'clean' : 'next');
      const asked = { services: ['service'], version };
      const { request, deps } = await pushDeps(asked, { times: expiring });
      hinder();

      const [first] = await (await preparePush(request, deps)).run();
      free();
      const [second] = await (await preparePush(request, deps)).run();

      expect(first).toMatchObject({ state: 'rolling-back', why: expect.stringMatching(why) });
      expect(second).toMatchObject({ state: 'rolled-back' });
      expect(await running('service')).toBe(before);
    },
  );

  it('says why its commits stay in this clone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'skolo-remote-'));
    const remote = join(folder, 'remote');
    repository.git('init', '--quiet', '--bare', '--initial-branch=main', remote);
    repository.git('remote', 'add', 'origin', remote);
    repository.git('push', '--quiet', '--set-upstream', 'origin', 'main');
    onTestFinished(async () => {
      repository.git('remote', 'remove', 'origin');
      await rm(folder, { recursive: true });
    });
    const send = async () => {
      repository.git('commit', '--quiet', '--allow-empty', '--message', 'of a push');
      const { signal } = new AbortController();
      return await sendCommits(await openRepository(repository.clusters, signal), signal);
    };

    expect(await send()).toBeUndefined();
    await writeFile(join(remote, 'hooks/pre-receive'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    expect(await send()).toContain('pre-receive hook declined');
    await rm(join(remote, 'hooks/pre-receive'));
    const other = `commit-tree main^{tree} -p main -m other`.split(' ');
    const id = execFileSync('git', ['-C', remote, ...other], { encoding: 'utf8' }).trim();
    execFileSync('git', ['-C', remote, 'update-ref', 'refs/heads/main', id]);
    expect(await send()).toMatch(/rejected.*(fetch first|non-fast-forward)/s);
  });

  it('keeps its lease where the cluster has another version of it', async () => {
    const { deps } = await pushDeps({});
    const rack = { name: 'rack4', kubectl: ownKubectl() };
    const times = { lease: { durationMs: 60_000, renewMs: 200 } };
    const held = await takeLease(rack, 'push 1', { ...deps, times });
    call('annotate', 'lease', 'skolo-push', '-n', 'skolo', 'of=a-test');
    const renewedAt = async () => (await lease()).spec.renewTime;
    const before = await renewedAt();

    await expect.poll(renewedAt).not.toBe(before);
    expect(await holder()).toBe(`ann@desk, push 1, process ${process.pid}`);
    await held.release();

    expect(held.signal.aborted).toBe(false);
    expect(await holder()).toBe('');
  });

  it('keeps its lease through a lost connection, until somebody else takes it', async () => {
    const { deps } = await pushDeps({});
    let failed: number | undefined;
    const kubectl: Kubectl = async (...given) => {
      if (failed === undefined) return await ownKubectl()(...given);
      failed += 1;
      throw new KubectlError('connection refused', 'Unreachable');
    };
    const times = { lease: { durationMs: 200, renewMs: 50 } };
    const held = await takeLease({ name: 'rack4', kubectl }, 'push 1', { ...deps, times });
    failed = 0;

    await expect.poll(() => failed).toBeGreaterThan(10);
    failed = undefined;
    await held.confirm();
    expect(held.signal.aborted).toBe(false);
    call('patch', 'lease', 'skolo-push', '-n', 'skolo', '-p={"spec":{"holderIdentity":"bob"}}');

    await expect(held.confirm()).rejects.toThrow('rack4: lost the lease skolo-push');
    expect(held.signal.aborted).toBe(true);
    await held.release();
    expect(await holder()).toBe('bob');
    call('patch', 'lease', 'skolo-push', '-n', 'skolo', '-p={"spec":{"holderIdentity":""}}');
  });

  it('tells a second push who holds the rack', async () => {
    const first = await pushDeps({});
    const rack = { name: 'rack4', kubectl: ownKubectl() };
    const held = await takeLease(rack, 'push 1', first.deps);
    const second = await pushDeps(
      {},
      { workstation: { name: 'bob@other', pid: 1, isAlive: () => true } },
    );

    const rejected = await preparePush(second.request, second.deps);
    await held.release();
    const later = await takeLease(rack, 'push 2', second.deps);
    await later.release();

    expect(rejected.racks[0]?.problem?.message).toBe(
      `rack4: ann@desk, push 1, process ${process.pid} is changing this rack; wait until the change is complete, or stop the command on that workstation`,
    );
  });

  it.each([['ahead', 86_400_000] as const, ['behind', -86_400_000] as const])(
    'respects the lease of a workstation whose clock is a day %s',
    async (_, offset) => {
      const { deps } = await pushDeps({});
      const rack = { name: 'rack4', kubectl: ownKubectl() };
      const times = { lease: { durationMs: 2_000, renewMs: 300 } };
      const now = () => Date.now() + offset;
      const held = await takeLease(rack, 'push 1', { ...deps, times, now });
      const workstation = { name: 'bob@other', pid: 1, isAlive: () => true };
      const second = { ...deps, times, workstation };
      const renewedAt = async () => (await lease()).spec.renewTime;
      let seen: unknown;
      const looking: Kubectl = async (...given) => {
        // However busy this computer is, the lease is renewed between two looks.
        if (seen !== undefined) await expect.poll(renewedAt).not.toBe(seen);
        const answer = await ownKubectl()(...given);
        seen = await renewedAt();
        return answer;
      };

      const taken = takeLease({ ...rack, kubectl: looking }, 'push 2', second);
      await expect(taken).rejects.toThrow('is changing this rack');
      await held.release();
      await (await takeLease(rack, 'push 2', second)).release();
    },
  );

  it('rejects a checkout that lacks what the rack runs', async () => {
    const elsewhere = await createRackRepository(registry.host, ['rack4']);
    onTestFinished(elsewhere.remove);
    const { request, deps } = await pushDeps({});

    const prepared = await preparePush(request, {
      ...deps,
      repository: await openRepository(elsewhere.clusters, deps.signal),
    });
    await prepared.close();

    expect(prepared.racks[0]?.problem?.message).toContain(
      'which is not in your clone of the racks repository; run git pull',
    );
  });
});

function rackYaml(name: string, more = ''): string {
  return `rack: ${name}
timezone: Europe/Berlin
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost, address: 127.0.0.1 }
${more}`;
}

/** Commits an overlay with a rack.yaml. @returns what takes it out again */
async function withRackFile(yaml: string, more = ''): Promise<() => void> {
  const file = 'racks/rack4/kustomization.yaml';
  const text = await readFile(join(repository.folder, 'kube', file), 'utf8');
  const generators = ['{ name: rack, namespace: skolo, files: [rack.yaml] }', more]
    .filter((each) => each !== '')
    .map((each) => `  - ${each}\n`);
  repository.write('racks/rack4/rack.yaml', yaml);
  const named = text.replace('configMapGenerator:\n', (key) => `${key}${generators.join('')}`);
  repository.write(file, `${named}generatorOptions: { disableNameSuffixHash: true }\n`);
  commit('a rack.yaml');
  return () => {
    repository.write(file, text);
    commit('without');
  };
}

const webhook = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: corporate }
webhooks:
  - name: corporate.example.com
    sideEffects: None
    admissionReviewVersions: [v1]
    clientConfig: { service: { name: gone, namespace: default } }
    rules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }]
`;

const claim = {
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
};

function servicePath(service: string): string {
  return `/api/v1/namespaces/skolo/services/${service}/proxy/`;
}

/** What Prometheus answers. */
function prometheusText(...samples: (readonly [figure: string, labels: object])[]): string {
  const result = samples.map(([figure, labels]) => ({
    metric: { figure, ...labels },
    value: [1, '1'],
  }));
  return JSON.stringify({ data: { resultType: 'vector', result } });
}

function ownKubectl(): Kubectl {
  return kubectlAt(plane.kubeconfig, kubectl ?? '');
}

function commit(message: string) {
  repository.git('add', '.');
  repository.git('commit', '--quiet', '--message', message);
}

function behave(node: string, how: string) {
  call('annotate', 'node', node, '--overwrite', `test.skolo/node=${how}`);
}

/** Why a push stops whose canaries fall silent one after the other. */
function lostByPush(names: string): string {
  return `${names}: the machine responded before the push, but no longer does; check its power and the new version, 2 machines stopped responding after the push, more than can be explained by chance`;
}

/** Uids of the agents' pods by machine. */
async function agents(): Promise<Record<string, string>> {
  const { items } = await get('/api/v1/namespaces/skolo/pods?labelSelector=app%3Dagent');
  const pods: { spec: { nodeName: string }; metadata: { uid: string } }[] = items;
  return Object.fromEntries(
    pods.map(({ spec, metadata }) => [spec.nodeName, metadata.uid] as const).sort(),
  );
}

/** The last line of a push that is not disturbed. */
async function endOf(writer: ReturnType<typeof startPush>): Promise<string> {
  let output = '';
  writer.stdout?.on('data', (text: Buffer) => {
    output += text.toString();
  });
  await once(writer, 'close');
  return output.trim().split('\n').at(-1) ?? '';
}

async function lastPush(): Promise<unknown> {
  return JSON.parse((await lease()).metadata.annotations['skolo/last-push']);
}

async function holder(): Promise<string> {
  return (await lease()).spec.holderIdentity ?? '';
}

async function lease() {
  return await get('/apis/coordination.k8s.io/v1/namespaces/skolo/leases/skolo-push');
}

async function get(path: string) {
  return await getAt(plane.kubeconfig, path);
}

function call(...args: string[]): string {
  return callWith('', ...args);
}

function callWith(input: string, ...args: string[]): string {
  return execFileSync(kubectl ?? '', args, {
    encoding: 'utf8',
    input,
    stdio: 'pipe',
    env: { ...process.env, KUBECONFIG: plane.kubeconfig },
  });
}

function errorOf(work: () => void): string {
  try {
    work();
    return '';
  } catch (error) {
    return errorText(error);
  }
}

/** The image of a Deployment or DaemonSet. */
async function running(name: 'service' | 'agent'): Promise<string> {
  const kind = name === 'service' ? 'deployments' : 'daemonsets';
  const { spec } = await get(`/apis/apps/v1/namespaces/skolo/${kind}/${name}`);
  return spec.template.spec.containers[0].image;
}

async function push(asked: Partial<Request>, more: Partial<PushDeps> = {}): Promise<RackRecord[]> {
  const { request, deps } = await pushDeps(asked, more);
  const prepared = await preparePush(request, deps);
  for (const { problem } of prepared.racks) if (problem) console.log(problem.message);
  return await prepared.run();
}

let ids = 0;
let records: string | undefined;

async function pushDeps(asked: Partial<Request>, more: Partial<PushDeps> = {}) {
  records ??= await mkdtemp(join(tmpdir(), 'skolo-records-'));
  ids += 1;
  const request: Request = requestOf({
    id: `push-${String(ids).padStart(4, '0')}`,
    by: 'Ann <ann@example.com>',
    ...asked,
  });
  const times = { pollMs: 900, readyMs: 600_000, patienceMs: 600_000 };
  return { request, deps: await depsOf(workOf(request), { times, ...more }) };
}

function workOf(request: Request): Work {
  return {
    kubectl: kubectl ?? '',
    kubeconfig: plane.kubeconfig,
    request,
    clusters: repository.clusters,
    records: records ?? '',
  };
}
