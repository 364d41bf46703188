/** The memory of the deployment is enough whatever machines report: a process of its own, as Linux counts its memory. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isLong } from '@skolo/base/durable/fault-injection';
import { untilTestEnds } from '@skolo/base/testing';
import { startScripted } from '@skolo/scripted-services/service';
import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { startFakeAgent } from '../testing/fake-agent.ts';
import { startLab } from '../testing/lab.ts';
import { startProgram } from '../testing/program.ts';
import { mostBytes } from './agent-watch.ts';

const hostile = 300;
const answersOfEach = isLong ? 600 : 40;
const root = join(import.meta.dirname, '../../../..');
const deployment = join(root, 'kube/base/machine-state/deployment.yaml');
const dockerfile = join(root, 'Dockerfile');
const [, limitMib] = /limits: \{ memory: (\d+)Mi \}/.exec(readFileSync(deployment, 'utf8')) ?? [];
/** Of Node in the image: V8 would otherwise use as much memory as the computer has. */
const entryPoint = /ENTRYPOINT (\[.*services\/machine-state\/.*\])/;
const [, command = '[]'] = entryPoint.exec(readFileSync(dockerfile, 'utf8')) ?? [];
const nodeFlags = z
  .array(z.string())
  .parse(JSON.parse(command))
  .filter((arg) => arg.startsWith('--'));
const since = '2026-11-20T10:00:00Z';

it.skipIf(process.platform !== 'linux' && 'only on Linux')(
  `of ${limitMib} MiB is enough for ${hostile} machines with ${answersOfEach} answers of the largest size, and a healthy one is heard`,
  async () => {
    const flood = await startHostileAgents();
    const healthy = await startFakeAgent('healthy');
    const names = Array.from({ length: hostile }, (_, at) => `rpi-${at + 1}`);
    const agents = Object.fromEntries(names.map((name) => [name, { url: flood.urlOf(name) }]));
    const more = () => ', device: { kind: android }';
    const lab = await startLab({ agents: { ...agents, healthy }, more });
    await lab.stop();

    const program = await startProgram(lab.dir, nodeFlags);
    expect(nodeFlags).not.toEqual([]);
    const client = lab.clientOf(program.url);
    const params = { name: 'healthy' };
    const begun = flood.answers();
    flood.endAfter(begun + hostile * answersOfEach);
    const answersAfter = (rounds: number) =>
      expect
        .poll(() => flood.answers() - begun, { interval: 500 })
        .toBeGreaterThanOrEqual(hostile * rounds);
    for (let rounds = 1; rounds < answersOfEach / 2; rounds += 1) await answersAfter(rounds);
    const body = { machines: ['healthy'], kind: 'quarantine' as const, reason: 'a look' };
    const ordered = client.order({ body });
    for (let rounds = answersOfEach / 2; rounds <= answersOfEach; rounds += 1) {
      await answersAfter(rounds);
    }

    await ordered;
    await expect.poll(() => healthy.status.orders).toHaveLength(1);
    // It rejects readers while the computer is overloaded.
    const { orders } = await vi.waitFor(() => client.machine({ params }));
    expect(orders).toMatchObject([{ by: 'ann' }]);
    const status = readFileSync(`/proc/${program.child.pid}/status`, 'utf8');
    const [, peakKib] = /VmHWM:\s+(\d+) kB/.exec(status) ?? [];
    expect(Number(peakKib) / 1024).toBeLessThan(Number(limitMib));
  },
);

/** One server for all: the path of the URL names the machine. Each answer is new in every field. */
async function startHostileAgents() {
  let count = 0;
  let most = Infinity;
  const agents = untilTestEnds(await startScripted('swarming-client', {}));
  agents.instead = (request, response) => {
    // From then on they have nothing new to say, so that a busy computer does no more than an idle one.
    if (count >= most) return;
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
  return {
    urlOf: (name: string) => `${agents.url}/${name}`,
    answers: () => count,
    endAfter(answers: number) {
      most = answers;
    },
  };
}
