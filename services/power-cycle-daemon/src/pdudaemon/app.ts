/** The HTTP half of the pdudaemon endpoint: decides who may use it, switches outlets, and reports whether they are on. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import {
  bodiesInFlight,
  browserGetProblem,
  cameThroughProxy,
  clientAddress,
  HttpProblem,
  hostCheck,
  newExpress,
  readBytes,
} from '@skolo/common';
import { DeviceError } from '@skolo/equipment/transports';
import { jumphostHosts, type Rack } from '@skolo/rack';
import type { Controllers } from '../equipment/controllers.ts';
import { findTarget, whyUnknown } from '../rules/targets.ts';
import type { CommandDeps } from './command.ts';
import { readPower, StateUnknown } from './power-state.ts';
import { commandOf, namedTarget, outletName, readQuery, switchPower } from './protocols.ts';

export interface AppDeps extends CommandDeps {
  rack: () => Rack;
  controllers: Pick<Controllers, 'get'>;
}

/** What the server decides for all its protocols. */
interface ServerRules {
  /** Why a client with this address may not use the endpoint. */
  rejection: (from: string) => string | undefined;
  /** Aborted when the client has disconnected. */
  gone: (request: IncomingMessage) => AbortSignal;
  /** Answers what is thrown. */
  fail: (error: unknown, request: IncomingMessage, response: ServerResponse) => void;
}

const viaProxy = 'connect without a proxy, because all clients behind a proxy share its address';
const base = 'http://endpoint';
export const textHeaders = { 'content-type': 'text/plain; charset=utf-8', connection: 'close' };
/** `1` or `0`, and a line break. */
const mostStateBytes = 16;
const notFound = new HttpProblem(
  404,
  'Not found: use /power/control/on, off, reboot or get-status, or /power/state/NAME',
);

export function endpointApp(deps: AppDeps, rules: ServerRules): RequestListener {
  const { rack } = deps;
  const app = newExpress().enable('case sensitive routing');

  app.use((request, _response, next) => {
    admit(request, deps, rules); //                            403: whatever the path
    next();
  });

  app.all('/power/control/:command', async (request, response) => {
    const { command: written } = request.params;
    const command = commandOf(written);
    if (command === undefined && written !== 'get-status') throw notFound;
    only(['GET'], request);
    // Everything is read before anything is done: a bad delay must not leave an outlet off.
    const asked = readQuery(new URL(request.url, base).searchParams, rack());
    if (command === undefined) return answer(response, `${await stateOf(asked.target, deps)}\n`);
    await answerSwitched(switchPower(command, asked, clientOf(request, rules), deps), response);
  });

  app.all('/power/state/:name{/:outlet}', async (request, response) => {
    only(['GET', 'PUT'], request);
    const { name, outlet } = request.params;
    const target =
      outlet === undefined ? namedTarget(name, rack()) : outletName(name, outlet, rack());
    // labgrid compares the whole body with "1".
    if (request.method === 'GET')
      return answer(response, (await stateOf(target, deps)) === 'on' ? '1' : '0');
    const command = await wantedState(request);
    const result = switchPower(command, { target }, clientOf(request, rules), deps);
    await answerSwitched(result, response);
  });

  // Targets without a path reach no stage.
  return (request, response) =>
    app(request, response, (error: unknown = notFound) =>
      rules.fail(error instanceof URIError ? notFound : error, request, response),
    );
}

/** @throws HttpProblem 403 */
function admit(request: IncomingMessage, { rack, log }: AppDeps, { rejection }: ServerRules): void {
  const from = clientAddress(request);
  const why =
    rejection(from) ??
    (cameThroughProxy(request) ? viaProxy : undefined) ??
    browserGetProblem(request) ??
    hostCheck(jumphostHosts(rack()))(request);
  if (why === undefined) return;
  log.warn({ from, why }, 'pdudaemon endpoint: not admitted');
  throw new HttpProblem(403, why);
}

/** @throws HttpProblem 405 */
function only(methods: readonly string[], { method = '' }: IncomingMessage): void {
  if (methods.includes(method)) return;
  const headers = { allow: methods.join(', ') };
  throw new HttpProblem(405, `Only ${methods.join(' and ')}`, { headers });
}

function clientOf(request: IncomingMessage, { gone }: ServerRules) {
  return { from: clientAddress(request), gone: gone(request) };
}

/** @throws HttpProblem 500: it failed, or was rejected */
async function answerSwitched(
  result: Promise<string | undefined>,
  response: ServerResponse,
): Promise<void> {
  const why = await result;
  if (why !== undefined) throw new HttpProblem(500, why);
  answer(response, 'OK - accepted request\n');
}

/** @throws HttpProblem 500: the state is not proven */
async function stateOf(name: string, { rack, controllers }: AppDeps): Promise<'on' | 'off'> {
  const target = findTarget(rack(), name);
  if (target === undefined) throw new HttpProblem(500, `${name}: ${whyUnknown(rack(), name)}`);
  try {
    return await readPower(target, rack(), controllers);
  } catch (error) {
    if (error instanceof StateUnknown || error instanceof DeviceError)
      throw new HttpProblem(500, error.message);
    throw error;
  }
}

/** @throws HttpProblem 400, 413, 415, 503 */
async function wantedState(request: IncomingMessage): Promise<'on' | 'off'> {
  const share = bodiesInFlight.share('send 1 or 0');
  try {
    const body = await readBytes(request, { mostBytes: mostStateBytes, share });
    const text = body.toString().trim();
    if (text === '1') return 'on';
    if (text === '0') return 'off';
    throw new HttpProblem(400, 'the body must be 1 (on) or 0 (off)');
  } finally {
    share.release();
  }
}

function answer(response: ServerResponse, text: string): void {
  response.writeHead(200, textHeaders).end(text);
}
