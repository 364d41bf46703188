import { describe, expect, it, onTestFinished } from 'vitest';
import { type Kubectl, KubectlError } from '../way/kubectl.ts';
import type { KubeObject } from './objects.ts';
import { prepareRackFile } from './prepare.ts';
import { pushRackFile, readActive } from './push-rack-file.ts';
import { openRepository } from './repository.ts';
import { createRackRepository } from './testing/racks.ts';

const pods = ['metadata-server', 'router-backup'];

/** A rack whose services follow its ConfigMap, as soon as a pod has another annotation. */
function createRack(behave: (service: string, text: string) => 'accepts' | 'rejects' | 'ignores') {
  let applied = 'previous';
  const active = new Map(pods.map((name) => [name, { text: 'previous', since: 1, isNewest: 1 }]));
  const calls: string[] = [];
  const kubectl: Kubectl = async ([verb, what = '', ...others], { input = '' } = {}) => {
    if (verb === 'apply') {
      applied = JSON.parse(input).items[0].data['rack.yaml'];
      calls.push(`apply ${applied}`);
      return '';
    }
    if (verb === 'annotate') {
      calls.push(`annotate ${others[1]} ${others.slice(2, -2).join(' ')}`);
      for (const [service, state] of active) {
        const how = applied === state.text ? 'ignores' : behave(service, applied);
        if (how === 'accepts')
          active.set(service, { text: applied, since: state.since + 1, isNewest: 1 });
        if (how === 'rejects') active.set(service, { ...state, isNewest: 0 });
      }
      return '';
    }
    if (what === 'pods') return JSON.stringify({ kind: 'List', items: pods.map(podOf) });
    const [, name = '', path] = /pods\/([\w-]+)-1:\d+\/proxy\/(\w+)$/.exec(others[0] ?? '') ?? [];
    const state = active.get(name);
    if (state === undefined) throw new KubectlError(others.join(' '), 'NotFound');
    if (path === 'metrics') return metrics(state);
    const since = '2026-11-21T12:00:00Z';
    const degraded = [{ what: 'rack.yaml', why: 'rack.yaml:3: unknown key', since }];
    return JSON.stringify({ ready: true, degraded });
  };
  const push = (readyMs = 600_000) =>
    pushRackFile({
      rack: { name: 'rack4', kubectl },
      plan: {
        objects: [{ ...change, before: fileOf('previous'), wanted: fileOf('new') }],
        deletions: [],
        unhealthy: [],
        silent: [],
        held: [],
      },
      times: { pollMs: 1, readyMs },
      signal: new AbortController().signal,
      now: () => 0,
      report: (text) => calls.push(text),
    });
  return { push, calls, texts: () => [...active.values()].map(({ text }) => text) };
}

const change = { key: '', action: 'change' as const, changes: [], setBack: [], added: [] };

function fileOf(text: string): KubeObject {
  const metadata = { name: 'rack', namespace: 'skolo' };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'rack.yaml': text } };
}

function podOf(service: string): KubeObject {
  const labels = { 'app.kubernetes.io/name': service };
  const metadata = { name: `${service}-1`, namespace: 'skolo', labels };
  return { apiVersion: 'v1', kind: 'Pod', metadata };
}

function metrics({ since, isNewest }: { since: number; isNewest: number }): string {
  return `# TYPE skolo_rack_reload_success gauge
skolo_rack_reload_success ${isNewest}
skolo_rack_reload_success_timestamp_seconds ${since}
`;
}

describe('skolo push rack', () => {
  it('says what to run where derived files are newer than what the rack runs', async () => {
    const racks = await createRackRepository('127.0.0.1:1', ['rack4', 'rack5']);
    onTestFinished(racks.remove);
    const commit = (file: string) => {
      racks.write(file, `# Of ${file}.\n`);
      racks.git('add', '.');
      racks.git('commit', '--quiet', '--message', file);
      return racks.git('rev-parse', 'HEAD').trim();
    };
    const { signal } = new AbortController();
    const prepare = async (pushed: string) => {
      const repository = await openRepository(racks.clusters, signal);
      const last = { id: '1', by: 'ann', at: '', commit: pushed, why: '', previous: [] };
      const kubectl: Kubectl = async ([verb = '']) => {
        throw new Error(`asked for ${verb}`);
      };
      return await prepareRackFile({ name: 'rack4', kubectl }, repository, last, signal);
    };
    const pushed = commit('racks/rack4/rack.yaml');
    const other = commit('racks/rack5/derived/hosts.yaml');
    await expect(prepare(pushed)).rejects.toThrow('asked for kustomize');

    const rendered = commit('racks/rack4/derived/hosts.yaml');

    await expect(prepare(other)).rejects.toThrow(
      "rack4: kube/racks/rack4/derived/hosts.yaml changed since the rack's last push, so rack.yaml alone is not enough; run skolo push --racks rack4 --reason WHY",
    );
    await expect(prepare(rendered)).rejects.toThrow('asked for kustomize');
  });

  it('ends when every service has applied the file', async () => {
    const { push, calls, texts } = createRack(() => 'accepts');

    await push();

    expect(texts()).toEqual(['new', 'new']);
    expect(calls).toEqual([
      'apply new',
      'annotate skolo metadata-server-1 router-backup-1',
      'active in metadata-server',
      'active in router-backup',
    ]);
  });

  it('brings the previous file back where a service rejects the new one', async () => {
    const { push, texts, calls } = createRack((service, text) =>
      service === 'router-backup' && text === 'new' ? 'rejects' : 'accepts',
    );

    await expect(push()).rejects.toThrow(
      'router-backup rejects rack.yaml: rack.yaml:3: unknown key',
    );

    expect(texts()).toEqual(['previous', 'previous']);
    expect(calls).toContain('restoring the previous rack.yaml');
  });

  it('brings the previous file back where a service does not say that it has the new one', async () => {
    const { push, calls } = createRack((service) =>
      service === 'router-backup' ? 'ignores' : 'accepts',
    );

    await expect(push(0)).rejects.toThrow('rack.yaml is not active in router-backup after 0 s');

    expect(calls.filter((call) => call.startsWith('apply'))).toEqual([
      'apply new',
      'apply previous',
    ]);
  });
});

it('knows a service that has read no file since its start', () => {
  expect(readActive('skolo_rack_reload_success 0\n')).toEqual({
    since: undefined,
    isNewest: false,
  });
});
