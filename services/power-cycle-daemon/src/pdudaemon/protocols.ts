/**
 * pdudaemon's two protocols, so that labgrid and LAVA work unchanged. Their clients wait as long as necessary, so the answer is sent once
 * the result is verified.
 *
 * - HTTP: `GET /power/control/{on|off|reboot}` with `hostname` and `port`, or `alias`, and `delay` in seconds. 200 and
 *   `OK - accepted request`, or 500, which its clients treat as a failure. The reason is in the phrase and in the body.
 *   `get-status` with the same parameters: `on` or `off`.
 * - The older one, on the same port: `HOSTNAME PORT COMMAND [DELAY]` in one packet; `ack`, or `nack` and the reason.
 *
 * On the same port, `GET` and `PUT /power/state/TARGET`, `1` or `0`, for labgrid's backend `rest`.
 *
 * `hostname` is a device of rack.yaml, by its name or address, and `port` its outlet; `alias` and `TARGET` are an outlet (pdu-1/4), or a
 * machine, phone or device in `aliases` of rack.yaml: clients are known by address only, and a name reaches a machine's BMC.
 * `delay` of a reboot is the time off; of on and off it is waited for before anything is done.
 *
 * A request that failed leaves nothing to be done later, and is over when its client hangs up before an outlet is touched.
 *
 * Verified with: Debian's labgrid 0.4.1 and curl, in tests; by hand with pduclient 1.1.1, in either protocol. In a device dictionary of
 * LAVA, curl needs `--fail`, or a failure looks like success.
 *
 * Source: pdudaemon 0.0.8 and 1.1.1, pdudaemon/{listener,httplistener,tcplistener}.py and pduclient, which speaks the
 * older one without `--http`; pdudaemon#219 (get-status, not released); labgrid, driver/powerdriver.py (PDUDaemonDriver) and
 * driver/power/rest.py.
 */
import { HttpProblem } from '@skolo/common';
import { expandNames, type Rack } from '@skolo/rack';
import { z } from 'zod';
import { findTarget } from '../rules/targets.ts';
import { clientName } from '../state/records.ts';
import { type CommandDeps, carryOut } from './command.ts';

const actions = { on: 'on', off: 'off', reboot: 'cycle' } as const;
type Command = keyof typeof actions;

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

/** What is requested of which target. */
interface Asked {
  /** A machine, a phone, a device, or an outlet: pdu-1/4. */
  target: string;
  delay?: number | undefined;
}

/** An admitted client. */
interface Client {
  /** Its address. */
  from: string;
  /** Aborted when it has hung up: its request ends, and what has not begun will not begin. */
  gone: AbortSignal;
}

/** The answer to a packet that is not HTTP; undefined if it is not of the older protocol either. */
export function answerLine(
  text: string,
  client: Client,
  deps: CommandDeps & { rack: () => Rack },
): Promise<string> | undefined {
  const { command: written, ...fields } = oldLine.exec(text.trim())?.groups ?? {};
  const command = commandOf(written);
  if (command === undefined) return undefined;
  const query = Query.safeParse(fields);
  if (!query.success) return Promise.resolve(`nack ${whatIsWrong(query.error)}\n`);
  return switchPower(command, asked(query.data, deps.rack()), client, deps).then((why) =>
    why === undefined ? 'ack\n' : `nack ${why}\n`,
  );
}

/** @throws HttpProblem 500: rack.yaml does not list the alias for clients */
function asked({ hostname = '', port = '', alias, delay }: Query, rack: Rack): Asked {
  const target = alias === undefined ? outletName(hostname, port, rack) : namedTarget(alias, rack);
  return { target, delay };
}

/** Returns why not, or undefined once it is verified. */
export function switchPower(
  command: Command,
  { target, delay }: Asked,
  { from, gone }: Client,
  deps: CommandDeps,
): Promise<string | undefined> {
  return carryOut(
    {
      action: actions[command],
      target,
      delaySeconds: delay,
      by: clientName(from),
      reason: `pdudaemon's API: ${command}`,
      gone,
    },
    deps,
  );
}

/** The target of a name. @throws HttpProblem 500: rack.yaml does not list it for clients */
export function namedTarget(name: string, rack: Rack): string {
  const { aliases = [] } = rack.services['power-cycle-daemon'].endpoints.pdudaemon ?? {};
  const isFree = name.includes('/') || findTarget(rack, name) === undefined;
  if (isFree || aliases.flatMap(expandNames).includes(name)) return name;
  const remedy = 'add it to endpoints.pdudaemon.aliases in rack.yaml, or name its outlet';
  throw new HttpProblem(500, `${name}: clients may not use this name; ${remedy}`);
}

/** `pdu-1/8` for `192.0.2.7` and `08`: configurations of LAVA write `--port 08`, and pdudaemon reads it as a number. */
export function outletName(equipment: string, outlet: string, rack: Rack): string {
  return `${equipmentName(rack, equipment)}/${outlet.replace(/^0+(?=\d+$)/, '')}`;
}

/** In pdudaemon's configuration a PDU is often named by its address. */
function equipmentName({ equipment }: Rack, hostname: string): string {
  if (equipment.has(hostname)) return hostname;
  const [found, ...others] = [...equipment.values()].filter(({ address }) => address === hostname);
  return found !== undefined && others.length === 0 ? found.name : hostname;
}

/**
 * An empty parameter counts as none.
 *
 * @throws HttpProblem 500, as pdudaemon answers: one is specified twice, or is wrong.
 */
export function readQuery(params: URLSearchParams, rack: Rack): Asked {
  const given = [...params].filter(([, value]) => value !== '');
  const names = given.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  const query = Query.safeParse(Object.fromEntries(given));
  if (twice === undefined && query.success) return asked(query.data, rack);
  const why =
    twice === undefined ? query.error && whatIsWrong(query.error) : `${twice} is specified twice`;
  throw new HttpProblem(500, `Invalid request: ${why}`);
}

function whatIsWrong({ issues }: z.ZodError): string {
  return issues.map(({ message }) => message).join('; ');
}

export function commandOf(text: string | undefined): Command | undefined {
  return text === 'on' || text === 'off' || text === 'reboot' ? text : undefined;
}
