/** The status port: what the agent tells, and what it does for whoever may ask. */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Role } from '@skolo/api/route';
import type { AgentStatus, swarmingClientApi } from '@skolo/api/swarming-client';
import {
  type Caller,
  HttpProblem,
  inNetworks,
  normaliseAddress,
  type RouteHandlers,
} from '@skolo/common/light';
import type { MachineSlice } from '@skolo/rack/slice';
import type { Health } from './health/health.ts';
import { type UsbPort, type UsbPorts, UsbRefused } from './host/usb.ts';
import type { RecentLines } from './recent-lines.ts';
import { shownHealth } from './status.ts';
import type { TaskView } from './task.ts';

export interface ApiDeps {
  status: () => AgentStatus;
  task: () => TaskView;
  lines: RecentLines;
  usb: Pick<UsbPorts, 'read' | 'set'>;
  /** Ends what a person has forced, and what needs hands. */
  clear: () => Promise<Health>;
  /** Why the machine may not be rebooted; undefined: it may. */
  whyNoReboot: () => string | undefined;
  /** Begins it, and returns at once. */
  reboot: (why: string) => void;
}

export function apiHandlers(deps: ApiDeps): RouteHandlers<typeof swarmingClientApi> {
  return {
    status: () => ({ status: 200, body: deps.status() }),
    log: ({ query: { lines, after } }) => ({
      status: 200,
      body: {
        lines: deps.lines
          .last(lines, after)
          .map((line) => ({ ...line, at: line.at.toISOString() })),
      },
    }),
    clearQuarantine: async () => ({ status: 200, body: shownHealth(await deps.clear()) }),
    reboot({ body }) {
      const refused = deps.whyNoReboot();
      if (refused !== undefined) throw new HttpProblem(409, refused);
      const { running, id } = deps.task();
      if (running) {
        const which = id === undefined ? 'a task' : `task ${id}`;
        throw new HttpProblem(409, `${which} is running; ask again when it has ended`);
      }
      deps.reboot(body.why);
      return { status: 202 };
    },
    usbPort: ({ params }) => asked(params, () => deps.usb.read(params)),
    setUsbPort: ({ params, body }) => asked(params, () => deps.usb.set(params, body.on)),
  };
}

const statuses = { 'not-own': 403, 'no-port': 404, failed: 503, 'not-obeyed': 503 } as const;

async function asked(
  { hub, port }: UsbPort,
  ask: () => Promise<{ state: 'on' | 'off' | 'unknown' }>,
) {
  try {
    const { state } = await ask();
    return { status: 200 as const, body: { hub, port, on: state === 'on' } };
  } catch (error) {
    if (error instanceof UsbRefused) throw new HttpProblem(statuses[error.code], error.message);
    throw new HttpProblem(503, error instanceof Error ? error.message : String(error));
  }
}

/**
 * Who may do what at the status port. The machine holds no secret for it: its slice has a digest of the one token that
 * is for this machine (`agentToken` of packages/rack), which the power-cycle daemon sends.
 */
/** @throws HttpProblem 401 */
export function authorize(
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
  role: Role,
  agent: MachineSlice['agent'] | undefined,
): Caller {
  const [scheme, token] = (headers.authorization ?? '').split(' ');
  if (scheme?.toLowerCase() === 'bearer' && token) {
    if (agent?.tokenSha256 !== undefined && isToken(token, agent.tokenSha256)) {
      return { name: 'token of the machine', role: 'operate', by: 'token' };
    }
    throw unauthorized('the token is not that of this machine');
  }
  const address = normaliseAddress(socket.remoteAddress ?? '');
  const mayRead = inNetworks(agent?.anonymousRead ?? []);
  if (role === 'view' && address !== undefined && mayRead(address)) {
    return { name: 'anonymous', role: 'view', by: 'network' };
  }
  throw unauthorized(
    agent?.tokenSha256 === undefined
      ? 'nobody can sign in here: in rack.yaml the login of this machine has no token'
      : 'sign in with the token of this machine (skolo machine signs in by itself where it can read the login of rack.yaml)',
  );
}

function isToken(token: string, digest: string): boolean {
  const given = createHash('sha256').update(token).digest();
  const wanted = Buffer.from(digest, 'hex');
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function unauthorized(detail: string): HttpProblem {
  return new HttpProblem(401, detail, { headers: { 'www-authenticate': 'Bearer' } });
}
