/** As many alerts as alert-to-pubsub accepts, with the memory of its deployment: the kernel ends a process that takes more. */
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { isLong } from '@skolo/base/durable/fault-injection';
import { tempDir } from '@skolo/base/testing';
import { startServiceProcess } from '@skolo/common/testing/own-process';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { bundles } from '../../../scripts/bundle/bundles.mjs';
import { limitMemory, memoryOf } from './connections/memory-limit.ts';

const service = fileURLToPath(
  new URL('../../../services/alert-to-pubsub/src/main.ts', import.meta.url),
);
const nodeFlags = bundles.find(({ name }) => name === 'alert-to-pubsub')?.nodeFlags ?? [];
const Message = z.object({ instance: z.string().exactOptional() });

it.runIf(isLong)(
  'alerts up to the limit wait, survive a restart, and arrive, within the memory of the pod',
  { timeout: 1_800_000 },
  async (context) => {
    const limit = limitMemory('alerts', memoryOf('alert-to-pubsub'));
    if (limit === undefined) return context.skip('no cgroup with a limit of memory can be made');
    onTestFinished(() => limit.remove());
    const dir = await tempDir();
    let isAway = true;
    const arrived = new Set<string>();
    const sink = createServer((request, response) => {
      void text(request).then((body) => {
        const { instance } = Message.parse(JSON.parse(body));
        if (!isAway && instance !== undefined) arrived.add(instance);
        response.writeHead(isAway ? 503 : 200).end();
      });
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void sink.close());
    await once(sink, 'listening');
    const { port } = sink.address() as AddressInfo;
    await writeFile(join(dir, 'rack.yaml'), rackYaml(port));
    await writeFile(join(dir, 'token'), 'a-fixed-token', { mode: 0o600 });
    await mkdir(join(dir, 'state'));
    const flags = ['--rack', join(dir, 'rack.yaml'), '--state-dir', join(dir, 'state')];
    const options = { nodeFlags, within: limit.command };
    const first = await startServiceProcess(service, flags, options);

    let accepted = 0;
    for (let status = 200; status === 200; ) {
      const body = JSON.stringify(Array.from({ length: 500 }, (_, i) => alertOf(accepted + i)));
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${first.url}/api/v2/alerts`, { method: 'POST', headers, body });
      await answer.text();
      ({ status } = answer);
      expect([200, 503]).toContain(status);
      if (status === 200) accepted += 500;
    }
    expect(accepted).toBeGreaterThan(70_000);
    await first.end('SIGTERM');
    isAway = false;
    await startServiceProcess(service, flags, options);
    await expect
      .poll(() => arrived.size, { timeout: 1_500_000, interval: 1000 })
      .toBeGreaterThanOrEqual(accepted);
  },
);

const rackYaml = (port: number) => `
rack: rack1
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack1, address: 127.0.0.1 }
identities:
  bots: { project: p, email: bots@p.example, credentials: { fixed: token } }
machines:
  rpi-1: { kind: rpi, address: 127.0.1.1, identity: bots }
services:
  alert-to-pubsub: { pubsub: false, sinks: [{ name: pagers, kind: http, url: "http://127.0.0.1:${port}" }] }
`;

/** Of the usual size, from kube/base. */
const alertOf = (n: number) => ({
  labels: {
    alertname: 'InstanceDown',
    cluster: 'rack4',
    instance: `h-${n}:9100`,
    job: 'node',
    severity: 'critical',
  },
  annotations: {
    description: `h-${n}:9100 of job node has been down for more than 5 minutes.`,
    summary: `Instance h-${n}:9100 down`,
  },
  generatorURL: 'http://prometheus.example.com/graph?g0.expr=up+%3D%3D+0&g0.tab=1',
  endsAt: '2099-01-01T00:00:00Z',
});
