/** The services and agents of the example's rack. */
import { fileURLToPath } from 'node:url';
import { agentPublicKey, readSecret } from '@skolo/base/secrets';
import { createApp } from '@skolo/common';
import { type AgentOptions, type ScriptedAgent, startAgent } from '../agent.ts';
import { Changes, machineAnswers } from '../machine-state.ts';
import { flaky, powerAnswers } from '../power-cycle-daemon.ts';
import { backupAnswers } from '../router-backup.ts';
import { type Scripted, startScripted } from '../service.ts';
import type { TestTokens } from '../tokens.ts';
import { exampleAgents } from './agents.ts';
import { exampleBackups } from './backups.ts';
import { exampleClients } from './clients.ts';
import { exampleMachines } from './machines.ts';
import { examplePower } from './power.ts';

const files = fileURLToPath(new URL('../../../../packages/cli/testdata/files/', import.meta.url));

interface Signed {
  tokens: TestTokens;
}

/** `URL/flaky` is the same with faults. */
export function startPowerCycleDaemon({
  tokens,
  stepMs,
}: Signed & { stepMs?: number }): Promise<Scripted<'power-cycle-daemon'>> {
  return startScripted('power-cycle-daemon', powerAnswers(examplePower, stepMs), {
    tokens,
    serve: (context, own) => flaky(createApp(context, own)),
  });
}

export function startRouterBackup({ tokens }: Signed): Promise<Scripted<'router-backup'>> {
  return startScripted('router-backup', backupAnswers(exampleBackups), { tokens });
}

/** A machine recovers soon after somebody begins to follow. */
export function startMachineState({ tokens }: Signed): Promise<Scripted<'machine-state'>> {
  const changes = new Changes(() => {
    const third = exampleMachines.machines().find(({ name }) => name === 'rpi-003');
    const recovered = { condition: 'ok', sentence: 'waiting for a task' } as const;
    setTimeout(() => third && changes.machine({ ...third, ...recovered }), 100).unref();
  });
  const answers = machineAnswers(exampleMachines, changes);
  return startScripted('machine-state', answers, { tokens, place: { rack: 'rack7' } });
}

/**
 * `URL/open` is for everybody, and `URL/closed`, as if it were reached through a proxy, for those with a token. `URL/rejecting` rejects all,
 * and `URL/broken` is no API.
 */
export function startMetadataServer({ tokens }: Signed): Promise<Scripted<'metadata-server'>> {
  const rejection = {
    status: 403,
    title: 'Forbidden',
    detail: 'bob@example.com has no role here; an admin of the rack can add it',
  };
  return startScripted('metadata-server', exampleClients, {
    tokens,
    serve(context, own) {
      const app = createApp(context, own);
      return (request, response) => {
        const [, place = '', path] = /^\/(\w+)(\/.*)/.exec(request.url ?? '') ?? [];
        request.url = path ?? request.url;
        if (place === 'closed') request.headers['x-forwarded-for'] = '127.0.0.1';
        if (place === 'broken') response.end('{"hello": "world"}');
        else if (place !== 'rejecting') app(request, response);
        else {
          response
            .writeHead(403, { 'content-type': 'application/problem+json' })
            .end(JSON.stringify(rejection));
        }
      };
    },
  });
}

/** By machine, for each of rack7.yaml that has one. */
export async function startAgents(rack = 'rack7'): Promise<Map<string, ScriptedAgent>> {
  const publicKey = agentPublicKey(await readSecret({ dir: files }, 'secrets/agent-key'));
  const log: AgentOptions['log'] = ({ query: { lines, after = -1 } }) => {
    return {
      lines: exampleAgents()
        .log.filter(({ number }) => number > after)
        .slice(-lines),
    };
  };
  const names = ['rpi-001', 'rpi-002', 'rpi-003', 'rpi-004', 'linux-1'];
  const started = names.map(async (machine, at) => {
    const now = () =>
      exampleAgents().statuses[at] ?? { machine, task: { running: false }, devices: [] };
    return [machine, await startAgent(machine, { publicKey, rack, now, log })] as const;
  });
  return new Map(await Promise.all(started));
}
