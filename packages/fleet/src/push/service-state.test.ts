import { lacks, peer, startContainerRegistry } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Kubectl, KubectlError } from '../way/kubectl.ts';
import { KubeObject } from './objects.ts';
import { faultsOf, stateBefore, untilServiceIsWell } from './service-state.ts';

const registryProgram = peer('docker-registry');

function workload(name: string, image: string): KubeObject {
  const labels = { 'app.kubernetes.io/name': name };
  const spec = { template: { metadata: { labels }, spec: { containers: [{ name, image }] } } };
  const metadata = { name, namespace: 'skolo' };
  return KubeObject.parse({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec });
}

/** A rack whose pods say of themselves what `says` gives; undefined: the API server does not reach them. */
function createRack(says: () => { version: string; degraded: string[] } | undefined) {
  const asked: string[] = [];
  const kubectl: Kubectl = async ([, , path = '']) => {
    asked.push(path);
    const state = says();
    if (state === undefined) throw new KubectlError('kubectl get --raw: no route', 'NotFound');
    const { version, degraded } = state;
    if (path.endsWith('/metrics')) {
      return `# HELP a\nskolo_build_info{service="router-backup",version="${version}",node="v24"} 1\n`;
    }
    const since = '2026-11-21T12:00:00Z';
    const parts = degraded.map((what) => ({ what, why: 'rejected', since }));
    return JSON.stringify({ ready: true, degraded: parts });
  };
  const lines: string[] = [];
  const deps = {
    rack: { name: 'rack4', kubectl },
    times: { pollMs: 1, readyMs: 0 },
    signal: new AbortController().signal,
    report: (text: string) => void lines.push(text),
  };
  return { deps, lines, asked };
}

const pods = async () => ['router-backup-1'];
const well = { version: '1', degraded: [] as string[] };

describe('a service', () => {
  it('is asked on its metrics port, through the API server', async () => {
    const { deps, asked, lines } = createRack(() => well);
    const service = workload('router-backup', 'unnamed');

    const before = await stateBefore(service, pods, deps);
    await untilServiceIsWell(service, before, pods, deps);

    expect(before).toEqual([{ pod: 'router-backup-1', version: '1', degraded: [] }]);
    expect(asked[0]).toBe('/api/v1/namespaces/skolo/pods/router-backup-1:20011/proxy/metrics');
    expect(asked[1]).toBe('/api/v1/namespaces/skolo/pods/router-backup-1:20011/proxy/readyz');
    expect(lines).toEqual([
      'Deployment skolo/router-backup reports that it is healthy and runs version 1',
    ]);
  });

  it('is also the agent of the component canary, whose phones become unhealthy by themselves', async () => {
    const states = [well, well];
    const { deps, asked, lines } = createRack(
      () => states.shift() ?? { ...well, degraded: ['device'] },
    );
    const agent = workload('swarming-client-canary', 'unnamed');

    const before = await stateBefore(agent, pods, deps);
    await untilServiceIsWell(agent, before, pods, deps);

    expect(asked[0]).toContain(':20014/proxy/metrics');
    expect(lines).toHaveLength(1);
  });

  it('has failed where a part is degraded that was not before', async () => {
    const states = [well, well, { version: '2', degraded: ['switch-2', 'spool'] }];
    const { deps } = createRack(
      () => states.shift() ?? { version: '2', degraded: ['switch-2', 'spool'] },
    );
    const service = workload('router-backup', 'unnamed');
    const before = await stateBefore(service, pods, deps);

    await expect(untilServiceIsWell(service, before, pods, deps)).rejects.toMatchObject({
      message: 'Deployment skolo/router-backup: switch-2: rejected; spool: rejected',
    });
  });

  it('gets time to work fully', async () => {
    let looks = 0;
    const { deps } = createRack(() => {
      looks += 1;
      return { version: '2', degraded: looks < 6 ? ['spool'] : [] };
    });
    const before = [{ pod: 'router-backup-0', version: '1', degraded: [] }];
    const times = { pollMs: 1, readyMs: 60_000 };

    await untilServiceIsWell(workload('router-backup', 'x'), before, pods, { ...deps, times });

    expect(looks).toBe(6);
  });

  it('is asked again after a pause, which the end of the push ends', async () => {
    const ending = new AbortController();
    const { deps, asked } = createRack(() => {
      ending.abort(new Error('interrupted'));
      return { version: '2', degraded: ['spool'] };
    });
    const before = [{ pod: 'router-backup-0', version: '1', degraded: [] }];
    const rest = { times: { pollMs: 3_600_000, readyMs: 3_600_000 }, signal: ending.signal };

    await expect(
      untilServiceIsWell(workload('router-backup', 'x'), before, pods, { ...deps, ...rest }),
    ).rejects.toThrow('interrupted');

    expect(asked).toHaveLength(2);
  });

  it('is judged by its pods alone where it cannot be asked before', async () => {
    const { deps, lines } = createRack(() => undefined);
    const service = workload('router-backup', 'unnamed');

    const before = await stateBefore(service, pods, deps);
    await untilServiceIsWell(service, before, pods, deps);

    expect(before).toBeUndefined();
    expect(lines).toEqual([
      expect.stringContaining(
        'checking only the pods, because the service does not report its state: ',
      ),
    ]);
  });

  it('has failed where it could be asked before, and cannot be asked now', async () => {
    const { deps } = createRack(() => undefined);
    const before = [{ pod: 'router-backup-0', version: '1', degraded: [] }];

    await expect(
      untilServiceIsWell(workload('router-backup', 'x'), before, pods, deps),
    ).rejects.toThrow('Deployment skolo/router-backup: no longer reports its state: ');
  });

  it('is not asked where it is none of ours', async () => {
    const { deps, asked } = createRack(() => well);

    expect(await stateBefore(workload('prometheus', 'x'), pods, deps)).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it.skipIf(lacks('docker-registry'))('has failed where its image is another version', async () => {
    const registry = await startContainerRegistry(registryProgram ?? '');
    onTestFinished(registry.close);
    await registry.push('skolo/router-backup', 'one', 'content', 'index', '2');
    const image = `${registry.host}/skolo/router-backup:one`;
    const before = [{ pod: 'router-backup-0', version: '1', degraded: [] }];
    const service = workload('router-backup', image);
    const push = (version: string) =>
      untilServiceIsWell(service, before, pods, createRack(() => ({ ...well, version })).deps);

    await push('2');
    await expect(push('1')).rejects.toThrow(
      'router-backup-1 reports version 1, but the image contains version 2',
    );
  });
});

it('compares nothing with a service that was down', () => {
  const after = [{ pod: 'a', version: '2', degraded: [{ what: 'spool', why: 'full' }] }];

  expect(faultsOf([], after, '2')).toEqual([]);
});
