/**
 * Agents without machines: the API over real sockets, one for each machine of rack7.yaml but one. Each takes the token
 * that is its own, and no other.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AgentStatus, swarmingClientApi } from '@skolo/api';
import { createApp, HttpProblem, type RouteHandlers, type ServiceContext } from '@skolo/common';
import { agentToken, agentTokenDigest } from '@skolo/secrets';
import { agentStatuses, logLines } from './agent-data.ts';
import { startTestService } from './test-service.ts';

/** The one in testdata/files/secrets/machines. */
const loginToken = 'hunter2hunter2hunter2hunter2hunter2';

const { status, log, clearQuarantine, repair, reboot } = swarmingClientApi;
/** Those that the command calls. */
const api = { status, log, clearQuarantine, repair, reboot };

export interface TestAgents {
  /** By machine; that of the first is `$AGENT`. */
  urls: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/** Of the statuses, in the same order. */
const names = ['rpi-001', 'rpi-002', 'rpi-003', 'rpi-004', 'linux-1'];

export async function startAgents(rack = 'rack7'): Promise<TestAgents> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-cli-agents-'));
  const services = await Promise.all(
    names.map(async (name, at) => {
      const file = join(dir, `${name}.yaml`);
      const sha256 = agentTokenDigest(agentToken(loginToken, name));
      const dates = 'created: 2026-01-01T00:00:00Z, expires: 2099-01-01T00:00:00Z';
      const token = `{ name: ${name}, role: operate, sha256: ${sha256}, ${dates} }`;
      await writeFile(file, `tokens: [${token}]\n`, { mode: 0o600 });
      const handler = (context: ServiceContext) =>
        createApp({ ...context, api, handlers: handlersOf(at) });
      const service = await startTestService('swarming-client', { file }, handler, rack);
      return { name, ...service };
    }),
  );
  return {
    urls: new Map(services.map(({ name, url }) => [name, url])),
    async close() {
      await Promise.all(services.map((service) => service.close()));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Times are those of now, whenever it is asked. */
function handlersOf(at: number): RouteHandlers<typeof api> {
  let isCleared = false;

  function status(): AgentStatus {
    const found = agentStatuses()[at];
    if (found === undefined) throw new HttpProblem(503, 'nothing is known yet');
    const { health } = found;
    if (health === undefined || !isCleared) return found;
    const reasons = health.reasons.filter(({ code }) => code !== 'needs-hands');
    return { ...found, health: { ...health, reasons } };
  }

  /** @throws HttpProblem 409 */
  function checkIdle(): void {
    const { running, id } = status().task;
    if (!running) return;
    const which = id === undefined ? 'a task' : `task ${id}`;
    throw new HttpProblem(409, `${which} is running; ask again when it has ended`);
  }

  return {
    status: () => ({ status: 200, body: status() }),
    log: ({ query: { lines, after = -1 } }) => ({
      status: 200,
      body: {
        lines: logLines()
          .filter(({ number }) => number > after)
          .slice(-lines),
      },
    }),
    clearQuarantine: () => {
      isCleared = true;
      const { health } = status();
      if (health === undefined) throw new HttpProblem(503, 'nothing is known yet');
      return { status: 200, body: health };
    },
    repair() {
      checkIdle();
      return { status: 202 };
    },
    reboot() {
      checkIdle();
      return { status: 202 };
    },
  };
}
