/** Maintenance and quarantine orders. machine-state owns them, and agents keep durable copies. */

import { randomUUID } from 'node:crypto';
import type { MachineOrder } from '@skolo/api';
import { pause } from '@skolo/base';
import { type EndOptions, endOf, forOption, timeOption, untilOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { complain, failPartly } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { folded } from '../../names.ts';
import { plain } from '../../output/text.ts';
import { timestamp } from '../../output/time.ts';
import { interruptible } from '../../reach/racks.ts';
import { type MachineState, machineState } from '../../reach/service-client.ts';
import { withRetries } from '../power/request.ts';
import { sentence } from './agent-text.ts';
import { addChangeSelection, type ChangeOptions, selectForChange } from './selection.ts';

interface Options extends ChangeOptions, EndOptions {
  reason?: string;
  end?: true;
  /** Milliseconds. */
  wait: number;
  json?: true;
}

type Kind = MachineOrder['kind'];

/** `skolo machine maintain`: puts machines into maintenance, or ends it. */
export function maintain(command: SkoloCommand): void {
  command
    .description(
      'Puts machines into maintenance: they do not accept tasks, and their alerts are silenced, but running tasks continue. If you use a filter or select more than 10% of the rack, you must confirm the number of machines. The command waits until the agents have received the order. The exit code is 3 if some agents have not received the order yet; machine-state keeps trying.',
    )
    .summary('put machines into maintenance');
  orderOptions(command, 'maintenance');
  command.example("skolo machine maintain skia-rpi2-rack4-shelf1-007 --for 2h --reason 'new hub'");
}

/** `skolo machine quarantine`: quarantines machines, or ends it. */
export function quarantine(command: SkoloCommand): void {
  command
    .description(
      'Quarantines machines: they do not accept tasks until someone ends the quarantine, but running tasks continue. Quarantined machines are listed as needing attention. If you use a filter or select more than 10% of the rack, you must confirm the number of machines. The command waits until the agents have received the order. The exit code is 3 if some agents have not received the order yet; machine-state keeps trying.',
    )
    .summary('quarantine broken machines');
  orderOptions(command, 'quarantine');
  command.example("skolo machine quarantine skia-rpi2-rack4-shelf1-007 --reason 'smells burnt'");
}

function orderOptions(command: SkoloCommand, kind: Kind): void {
  command
    .argument('[names...]', "machines; quote ranges: 'rpi-[001-040]'")
    .option('--reason <text>', 'reason; required except with --end')
    .option('--end', `end the ${kind} of these machines`)
    .addOption(untilOption(`when the ${kind} ends`))
    .addOption(forOption(`how long the ${kind} lasts`))
    // Reachable agents receive it within 5 s.
    .addOption(timeOption('--wait <time>', 'how long to wait for the agents', '8s'));
  addChangeSelection(command);
  command.option('--json', 'print JSON').uses('rack', 'url', 'tokenFile');
  command.action((words: string[], options: Options) =>
    options.end ? endOrders(command, kind, words, options) : order(command, kind, words, options),
  );
}

async function order(
  command: SkoloCommand,
  kind: Kind,
  words: readonly string[],
  options: Options,
): Promise<void> {
  const { reason, json } = options;
  if (reason === undefined) command.error("required option '--reason <text>' not specified");
  const until = endOf(command, options);
  const service = machineState(command);
  const { machines, count } = await selectForChange(command, service, words, options);
  const names = machines.map(({ name }) => name);
  const body = { machines: names, kind, reason, until, count };
  const headers = { 'idempotency-key': randomUUID() };
  const { orders } = await service.ask((client) =>
    withRetries(command.io, () => client.order({ body, headers })),
  );
  const ended = until === undefined ? '' : ` until ${timestamp(until)}`;
  if (!json) command.io.out(plain(`${folded(names)}: ${kind}${ended}: ${reason}`));
  const now = await delivered(command, service, orders, options.wait);
  if (json) printJson(command.io, { orders: now });
  const missing = now.filter(({ deliveredAt }) => deliveredAt === undefined);
  for (const { machine, why } of missing) {
    const because = why === undefined ? '' : `: ${sentence(why)}`;
    complain(command.io, `${machine}: the agent has not received the ${kind} order yet${because}`);
  }
  if (missing.length > 0) failPartly(command.io, true);
}

const lookMs = 500;

/** The orders once all agents have them, or after a timeout. */
async function delivered(
  command: SkoloCommand,
  service: MachineState,
  orders: readonly MachineOrder[],
  waitMs: number,
): Promise<readonly MachineOrder[]> {
  const ids = new Set(orders.map(({ id }) => id));
  const until = performance.now() + waitMs;
  let now = orders;
  return await interruptible(command, async (signal) => {
    while (now.some(({ deliveredAt }) => deliveredAt === undefined) && performance.now() < until) {
      await pause(lookMs, signal);
      const { machines } = await service.ask((client) => client.machines({ signal }));
      now = machines.flatMap((machine) => machine.orders).filter(({ id }) => ids.has(id));
    }
    return now;
  });
}

async function endOrders(
  command: SkoloCommand,
  kind: Kind,
  words: readonly string[],
  options: Options,
): Promise<void> {
  const { io } = command;
  const service = machineState(command);
  const { machines } = await selectForChange(command, service, words, options);
  const ended: MachineOrder[] = [];
  let without = 0;
  for (const { name, orders } of machines) {
    const own = orders.filter((each) => each.kind === kind);
    if (own.length === 0) {
      complain(
        io,
        `${name}: no ${kind} was ordered for this machine; to see the reasons for its condition, run skolo show ${name}`,
      );
      without++;
    }
    for (const { id, by, reason } of own) {
      const query = { why: options.reason };
      ended.push(await service.ask((client) => client.endOrder({ params: { id }, query })));
      const whose = by === undefined ? '' : ` by ${by}`;
      if (!options.json) io.out(plain(`${name}: ${kind}${whose} ended: ${reason}`));
    }
  }
  if (options.json) printJson(io, { orders: ended });
  if (without > 0) failPartly(io, ended.length > 0);
}
