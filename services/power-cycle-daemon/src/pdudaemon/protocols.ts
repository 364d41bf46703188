/**
 * pdudaemon's two protocols, so that labgrid and LAVA work unchanged. Their clients wait as long as necessary, so the answer is sent once
 * the result is verified.
 *
 * - HTTP: `GET /power/control/{on|off|reboot}` with `hostname` and `port`, or `alias`, and `delay` in seconds. 200 and
 *   `OK - accepted request`, or 500, which its clients treat as a failure. The reason is in the phrase and in the body.
 * - The older one, on the same port: `HOSTNAME PORT COMMAND [DELAY]` in one packet; `ack`, or `nack` and the reason.
 *
 * `hostname` is a device of rack.yaml, by its name or address, and `port` its outlet; `alias` is a machine, a phone, or
 * an outlet (pdu-1/4). `delay` of a reboot is the time off; of on and off it is waited for before anything is done.
 *
 * A request that failed leaves nothing to be done later, and is over when its client hangs up before an outlet is touched.
 *
 * Verified with: Debian's labgrid 0.4.1 and curl, in tests; by hand with what pduclient sends and expects, in either
 * protocol (Debian has no pduclient). In a device dictionary of LAVA, curl needs `--fail`, or a failure looks like success.
 *
 * Source: pdudaemon 0.0.8 and 1.1.1, pdudaemon/{listener,httplistener,tcplistener}.py and pduclient, which speaks the
 * older one without `--http`; labgrid, driver/powerdriver.py (PDUDaemonDriver).
 */
import type { IncomingMessage } from 'node:http';
import { HttpProblem } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import { z } from 'zod';
import { type CommandDeps, carryOut, endpointName } from './command.ts';

const actions = { on: 'on', off: 'off', reboot: 'cycle' } as const;
type Command = keyof typeof actions;

const path = /^\/power\/control\/(?<command>on|off|reboot)\/?$/;
const oldLine =
  /^(?<hostname>[^\s/]+) (?<port>[^\s/]+) (?<command>on|off|reboot)(?: (?<delay>\d+))?$/;

const Delay = z
  .string()
  .regex(/^\d{1,4}(\.\d{1,3})?$/, { error: 'delay: expected a number of seconds, such as 5' })
  .transform(Number)
  .refine((seconds) => seconds <= 3600, { error: 'delay: at most 3600 seconds' })
  .optional();

const word = z.string().optional();
const Query = z
  .object({ hostname: word, port: word, alias: word, delay: Delay })
  .refine(
    ({ hostname, port, alias }) => (alias === undefined ? hostname && port : !hostname && !port),
    { error: 'specify hostname and port, or only alias' },
  );
type Query = z.output<typeof Query>;

/** An admitted client. */
interface Client {
  /** Its address. */
  from: string;
  /** Aborted when it has hung up: its request ends, and what has not begun will not begin. */
  gone: AbortSignal;
}

/** Returns once it is done. @throws HttpProblem */
export async function answerHttp(
  { method }: IncomingMessage,
  { pathname, searchParams }: URL,
  client: Client,
  deps: CommandDeps,
): Promise<void> {
  const command = commandOf(path.exec(pathname)?.groups?.command);
  if (command === undefined) {
    throw new HttpProblem(404, 'Not found: use /power/control/on, off or reboot');
  }
  if (method !== 'GET') throw new HttpProblem(405, 'Only GET', { headers: { allow: 'GET' } });
  // Everything is read before anything is done: a bad delay must not leave an outlet off.
  const why = await switchPower(command, queryOf(searchParams), client, deps);
  if (why !== undefined) throw new HttpProblem(500, why);
}

/** The answer to a packet that is not HTTP; undefined if it is not of the older protocol either. */
export function answerLine(
  text: string,
  client: Client,
  deps: CommandDeps,
): Promise<string> | undefined {
  const { command: written, ...fields } = oldLine.exec(text.trim())?.groups ?? {};
  const command = commandOf(written);
  if (command === undefined) return undefined;
  const query = Query.safeParse(fields);
  if (!query.success) return Promise.resolve(`nack ${whatIsWrong(query.error)}\n`);
  return switchPower(command, query.data, client, deps).then((why) =>
    why === undefined ? 'ack\n' : `nack ${why}\n`,
  );
}

/** Returns why not, or undefined once it is verified. */
function switchPower(
  command: Command,
  { hostname = '', port = '', alias, delay }: Query,
  { from, gone }: Client,
  deps: CommandDeps,
): Promise<string | undefined> {
  const { rack } = deps.snapshot();
  // Configurations of LAVA write `--port 08`, and pdudaemon reads it as a number.
  const outlet = port.replace(/^0+(?=\d+$)/, '');
  return carryOut(
    {
      action: actions[command],
      target: alias ?? `${deviceName(rack, hostname)}/${outlet}`,
      delaySeconds: delay,
      by: `${endpointName}, ${from}`,
      reason: `pdudaemon's API: ${command}`,
      gone,
    },
    deps,
  );
}

/** In pdudaemon's configuration a PDU is often named by its address. */
function deviceName({ infrastructure }: Rack, hostname: string): string {
  if (infrastructure.has(hostname)) return hostname;
  const [found, ...others] = [...infrastructure.values()].filter(
    ({ address }) => address === hostname,
  );
  return found !== undefined && others.length === 0 ? found.name : hostname;
}

/**
 * An empty parameter counts as none.
 *
 * @throws HttpProblem 500, as pdudaemon answers: one is specified twice, or is wrong.
 */
function queryOf(params: URLSearchParams): Query {
  const given = [...params].filter(([, value]) => value !== '');
  const names = given.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  const query = Query.safeParse(Object.fromEntries(given));
  if (twice === undefined && query.success) return query.data;
  const why =
    twice === undefined ? query.error && whatIsWrong(query.error) : `${twice} is specified twice`;
  throw new HttpProblem(500, `Invalid request: ${why}`);
}

function whatIsWrong({ issues }: z.ZodError): string {
  return issues.map(({ message }) => message).join('; ');
}

function commandOf(text: string | undefined): Command | undefined {
  return text === 'on' || text === 'off' || text === 'reboot' ? text : undefined;
}
