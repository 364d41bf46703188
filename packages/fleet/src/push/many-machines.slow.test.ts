/** A crashing agent for a rack of many machines, of which five do not respond, on a real control plane. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { isLong } from '@skolo/base/durable/fault-injection';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { lacks, peer, startContainerRegistry, startControlPlane } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { preparePush, type Request } from './index.ts';
import { pushDeps } from './testing/push-deps.ts';
import { createRackRepository, requestOf, tagOf } from './testing/racks.ts';

const program = peer('control-plane');
const kubectl = peer('kubectl') ?? '';
const registryProgram = peer('docker-registry');
const machines = Array.from(
  { length: isLong ? 300 : 30 },
  (_, at) => `rpi-${String(at + 1).padStart(3, '0')}`,
);
const dead = machines.slice(0, 5);

it.skipIf(lacks('control-plane', 'kubectl', 'docker-registry'))(
  `a crashing agent for ${machines.length} machines, 5 of them dead, stops at the canary`,
  async () => {
    const registry = untilTestEnds(await startContainerRegistry(registryProgram ?? ''));
    for (const word of ['clean', 'crash']) await registry.push('skolo/agent', tagOf(word), word);
    await registry.push('skolo/service', tagOf('clean'), 'clean');
    const jumphost = { name: 'jumphost', labels: { jumphost: 'true' } };
    const nodes = [jumphost, ...machines.map((name) => ({ name }))];
    const plane = untilTestEnds(await startControlPlane(program ?? '', kubectl, { nodes }));
    const repository = await createRackRepository(registry.host, ['rack4']);
    onTestFinished(repository.remove);
    const records = await tempDir();
    const env = { ...process.env, KUBECONFIG: plane.kubeconfig };
    const call = (...args: string[]) => execFileSync(kubectl, args, { encoding: 'utf8', env });
    const agents = () => {
      const path = '{range .items[*]}{.spec.nodeName} {.metadata.uid}{"\\n"}{end}';
      const text = call('get', 'pods', '-n', 'skolo', '-l', 'app=agent', '-o', `jsonpath=${path}`);
      return text.trim().split('\n').sort();
    };
    const lines: string[] = [];
    async function push(id: string, asked: Partial<Request>) {
      const request: Request = requestOf({ id, ...asked });
      const { kubeconfig } = plane;
      const { clusters } = repository;
      const deps = await pushDeps(
        { kubectl, kubeconfig, clusters, records, request },
        {
          times: { pollMs: 2_000, readyMs: 600_000, patienceMs: 600_000 },
          report: (_, text) => lines.push(text),
        },
      );
      const prepared = await preparePush(request, deps);
      for (const { problem } of prepared.racks) if (problem) throw problem;
      return await prepared.run();
    }
    call('apply', '-f', join(repository.folder, 'kube/base/namespace.yaml'));
    for (const name of dead) call('annotate', 'node', name, 'test.skolo/node=dead');
    const names = dead.map((name) => `node/${name}`);
    call('wait', '--for=condition=Ready=unknown', ...names, '--timeout=900s');
    expect(await push('begin', {})).toMatchObject([{ state: 'done' }]);
    const before = agents();

    const [record] = await push('crash', { services: ['agent'], version: tagOf('crash') });

    expect(record).toMatchObject({
      state: 'rolled-back',
      why: expect.stringContaining('DaemonSet skolo/agent: rpi-006: keeps crashing'),
    });
    expect(lines).toContain('DaemonSet skolo/agent: updating rpi-006 first');
    const kept = agents().filter((line) => before.includes(line));
    expect(before).toHaveLength(machines.length);
    expect(kept).toHaveLength(machines.length - 1);
  },
);
