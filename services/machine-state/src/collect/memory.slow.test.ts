/** The memory of the deployment is enough whatever machines report: a process of its own, as Linux counts its memory. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onlyLong } from '@skolo/base/durable/fault-injection';
import { untilTestEnds } from '@skolo/base/testing';
import { startScripted } from '@skolo/scripted-services/service';
import { expect, it, vi } from 'vitest';
import { startFakeAgent } from '../testing/fake-agent.ts';
import { startLab } from '../testing/lab.ts';
import { startProgram } from '../testing/program.ts';
import { mostBytes } from './agent-watch.ts';

const hostile = 300;
const answersOfEach = 600;
const deployment = join(import.meta.dirname, '../../../../kube/base/machine-state/deployment.yaml');
const [, limitMib] = /limits: \{ memory: (\d+)Mi \}/.exec(readFileSync(deployment, 'utf8')) ?? [];
const since = '2026-11-20T10:00:00Z';

// The sample has what is kept of such answers in hostile-agents.test.ts.
it.skipIf(onlyLong ?? (process.platform !== 'linux' && 'only on Linux'))(
  `of ${limitMib} MiB is enough for ${hostile} machines with ${answersOfEach} answers of the largest size, and a healthy one is heard`,
  async () => {
    const { urlOf, answers } = await startHostileAgents();
    const healthy = await startFakeAgent('healthy');
    const names = Array.from({ length: hostile }, (_, at) => `rpi-${at + 1}`);
    const agents = Object.fromEntries(names.map((name) => [name, { url: urlOf(name) }]));
    const more = () => ', device: { kind: android }';
    const lab = await startLab({ agents: { ...agents, healthy }, more });
    await lab.stop();

    const program = await startProgram(lab.dir);
    const client = lab.clientOf(program.url);
    const params = { name: 'healthy' };
    const begun = answers();
    await expect
      .poll(() => answers() - begun, { interval: 500 })
      .toBeGreaterThan(hostile * answersOfEach);

    // It rejects requests while the computer is overloaded.
    const body = { machines: ['healthy'], kind: 'quarantine' as const, reason: 'a look' };
    await vi.waitFor(() => client.order({ body }));
    await expect.poll(() => healthy.status.orders).toHaveLength(1);
    const { orders } = await vi.waitFor(() => client.machine({ params }));
    expect(orders).toMatchObject([{ by: 'ann' }]);
    const status = readFileSync(`/proc/${program.child.pid}/status`, 'utf8');
    const [, peakKib] = /VmHWM:\s+(\d+) kB/.exec(status) ?? [];
    expect(Number(peakKib) / 1024).toBeLessThan(Number(limitMib));
  },
  3_600_000,
);

/** One server for all: the path of the URL names the machine. Each answer is new in every field. */
async function startHostileAgents() {
  let count = 0;
  const agents = untilTestEnds(await startScripted('swarming-client', {}));
  agents.instead = (request, response) => {
    const [, machine = ''] = request.url?.split('/') ?? [];
    count += 1;
    const own = `${count}-é-`;
    // The first name is that of rack.yaml.
    const devices = Array.from({ length: 8 }, (_, at) => ({
      name: at === 0 ? 'device' : `${own}${at}${'n'.repeat(7000)}`,
      state: 'present',
      batteryPercent: count % 100,
      why: own.padEnd(400, 'w'),
      temperaturesCelsius: Object.fromEntries(
        Array.from({ length: 60 }, (_, sensor) => [`${own}${sensor}`.padEnd(40, 's'), count % 90]),
      ),
    }));
    const reason = { verdict: 'quarantined', code: own.padEnd(90, 'c'), since };
    const body = JSON.stringify({
      machine,
      revision: own,
      bootId: own,
      devices,
      orders: [],
      task: { running: true, id: own, since },
      health: {
        verdict: count % 2 ? 'ok' : 'quarantined',
        since: new Date().toISOString(),
        reasons: Array.from({ length: 20 }, () => ({ ...reason, text: own.padEnd(1500, 't') })),
      },
    });
    if (Buffer.byteLength(body) > mostBytes) throw new Error('the answer would not be read');
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  };
  return { urlOf: (name: string) => `${agents.url}/${name}`, answers: () => count };
}
