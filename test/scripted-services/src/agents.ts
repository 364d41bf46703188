/**
 * Agents without machines: the API over real sockets, for each machine of rack7.yaml except one. Each accepts only what is signed for it.
 */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type AgentStatus, challengeHeader, swarmingClientApi } from '@skolo/api';
import { nonceOf, signatureInput, whyNotSigned } from '@skolo/api/signature';
import { agentPublicKey, parseAgentPublicKey, readSecret } from '@skolo/base/secrets';
import { createApp, HttpProblem, type RouteHandlers, type ServiceContext } from '@skolo/common';
import type { Access } from '@skolo/common/light';
import { exampleAgents } from './example/agents.ts';
import { startScriptedService } from './service.ts';

const files = fileURLToPath(new URL('../../../packages/cli/testdata/files/', import.meta.url));

const { status, log, clearQuarantine, repair, reboot } = swarmingClientApi;
/** The endpoints that the command calls. */
const api = { status, log, clearQuarantine, repair, reboot };

interface TestAgents {
  /** By machine; the first one's is `$AGENT`. */
  urls: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/** Of the statuses, in the same order. */
const names = ['rpi-001', 'rpi-002', 'rpi-003', 'rpi-004', 'linux-1'];

export async function startAgents(rack = 'rack7'): Promise<TestAgents> {
  const key = parseAgentPublicKey(
    agentPublicKey(await readSecret({ dir: files }, 'secrets/agent-key')),
  );
  const services = await Promise.all(
    names.map(async (machine, at) => {
      const access = accessFor({ rack, machine, key });
      const handler = (context: ServiceContext) =>
        createApp(context, { access, api, handlers: handlersOf(at) });
      const tokens = { file: '/nowhere' };
      const place = { rack };
      const service = await startScriptedService('swarming-client', tokens, handler, place);
      return { name: machine, ...service };
    }),
  );
  return {
    urls: new Map(services.map(({ name, url }) => [name, url])),
    async close() {
      await Promise.all(services.map((service) => service.close()));
    },
  };
}

/** Like the agent's, with everybody in `access.anonymousRead`. */
function accessFor(whom: Parameters<typeof whyNotSigned>[1]): Access {
  const challenges = new Set<string>();
  return {
    headers() {
      const challenge = randomUUID();
      challenges.add(challenge);
      return { [challengeHeader]: signatureInput(challenge) };
    },
    admit(request, role) {
      const { headers } = request;
      if (headers['signature-input'] === undefined) {
        if (role === 'view') return { name: 'anonymous', role, by: 'network' };
        throw new HttpProblem(401, 'sign the request with the key of access.agents');
      }
      const nonce = nonceOf(headers['signature-input'].toString()) ?? '';
      const why = whyNotSigned(request, whom, nonce);
      if (why !== undefined) throw new HttpProblem(401, why);
      if (!challenges.delete(nonce)) throw new HttpProblem(401, 'the challenge is too old');
      const digest = `${headers['content-digest']}`;
      return { name: 'access.agents', role: 'operate', by: 'signature', digest };
    },
  };
}

/** Times are relative to each request. */
function handlersOf(at: number): RouteHandlers<typeof api> {
  let isCleared = false;

  function status(): AgentStatus {
    const found = exampleAgents().statuses[at];
    if (found === undefined) throw new HttpProblem(503, 'nothing is known yet');
    const { health } = found;
    if (health === undefined || !isCleared) return found;
    const reasons = health.reasons.filter(({ code }) => code !== 'needs-attention');
    return { ...found, health: { ...health, reasons } };
  }

  /** @throws HttpProblem 409 */
  function checkIdle(): void {
    const { running, id } = status().task;
    if (!running) return;
    const which = id === undefined ? 'a task' : `task ${id}`;
    throw new HttpProblem(409, `${which} is running; try again when it has ended`);
  }

  return {
    status: () => ({ status: 200, body: status() }),
    log: ({ query: { lines, after = -1 } }) => ({
      status: 200,
      body: {
        lines: exampleAgents()
          .log.filter(({ number }) => number > after)
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
