/**
 * pdudaemon's HTTP API, so that labgrid and LAVA work unchanged: `GET /power/control/{on|off|reboot}` with `hostname`
 * and `port`, or `alias`; `delay` in seconds. 200 and `OK - accepted request` once it is proven; 500 with the reason for
 * everything else, since that is what its clients take for a failure. Both wait as long as the request is held.
 *
 * Source: pdudaemon 1.1.1, pdudaemon/httplistener.py; labgrid, driver/powerdriver.py (PDUDaemonDriver).
 * `hostname` is a device of rack.yaml and `port` its outlet; `alias` is a machine, a phone, or an outlet (pdu-1/4).
 */
import type { PowerCycle } from '@skolo/api';
import { errorText } from '@skolo/common';
import { z } from 'zod';
import type { Ask } from '../policy.ts';
import type { Door, DoorDeps } from './door.ts';

const actions = { on: 'on', off: 'off', reboot: 'cycle' } as const;
const defaultDelay = 5;
/** Where a client says 0, the outlet is still off for a moment. */
const leastOffSeconds = 0.5;

const Query = z
  .object({
    hostname: z.string().min(1).optional(),
    port: z.string().min(1).optional(),
    alias: z.string().min(1).optional(),
    delay: z.coerce.number().min(0).max(3600).optional(),
  })
  .refine(
    ({ hostname, port, alias }) => (alias === undefined ? hostname && port : !hostname && !port),
    {
      error: 'give hostname and port, or alias alone',
    },
  );

export const pdudaemon: Door = {
  name: 'pdudaemon',
  create(deps) {
    return async function answer(request, response, from) {
      const say = (status: number, text: string) => {
        response
          .writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
          .end(`${text}\n`);
      };
      const url = new URL(request.url ?? '/', 'http://door');
      const [, written = ''] = /^\/power\/control\/(on|off|reboot)\/?$/.exec(url.pathname) ?? [];
      if (!isAction(written)) return say(404, 'Not found: /power/control/on, off or reboot');
      if (request.method !== 'GET') {
        response.setHeader('allow', 'GET');
        return say(405, 'Only GET');
      }
      // Everything is read before anything is done: a bad delay must not leave an outlet off.
      const query = Query.safeParse(Object.fromEntries(url.searchParams));
      if (!query.success) {
        return say(
          500,
          `Invalid request: ${query.error.issues.map(({ message }) => message).join('; ')}`,
        );
      }
      const { hostname, port, alias, delay } = query.data;
      const target = alias ?? `${hostname}/${port}`;
      try {
        const failure = await carryOut(deps, written, target, delay, from);
        return failure === undefined
          ? say(200, 'OK - accepted request')
          : say(500, `Failed: ${failure}`);
      } catch (error) {
        return say(500, `Invalid request: ${errorText(error)}`);
      }
    };
  },
};

function isAction(text: string): text is keyof typeof actions {
  return Object.hasOwn(actions, text);
}

/** Gives why not, or undefined. */
async function carryOut(
  { take, untilPowerIsProven }: DoorDeps,
  written: keyof typeof actions,
  target: string,
  delay: number | undefined,
  from: string,
): Promise<string | undefined> {
  const action = actions[written];
  const offSeconds = Math.max(leastOffSeconds, delay ?? defaultDelay);
  const ask: Ask = {
    action,
    mode: 'hard',
    force: false,
    ...(action === 'cycle' && { offSeconds }),
  };
  const { cycles } = await take({
    targets: [target],
    ask,
    reason: `pdudaemon's API, ${written}`,
    by: `pdudaemon door, ${from}`,
    origin: 'door',
    skipRefused: false,
  });
  for (const { id } of cycles) {
    const failure = failureOf(await untilPowerIsProven(id));
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function failureOf({ outcome, detail, failedStep }: PowerCycle): string | undefined {
  // Absent: the power is proven, and the machine is on its way.
  if (outcome === undefined || outcome === 'back' || outcome === 'on' || outcome === 'off')
    return undefined;
  // The power was cycled all the same, which is all that this API promises.
  if (failedStep === 'see-back') return undefined;
  return `${outcome}${failedStep === undefined ? '' : ` at ${failedStep}`}: ${detail ?? 'no word why'}`;
}
