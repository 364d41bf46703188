import { type Machine, MachineCondition } from '@skolo/api';
import { headlineOf } from '@skolo/api/headline';
import { unknownIn } from '@skolo/api/incident-text';
import { beganAt, conditionFacts, conditionWord, readingsOf } from '@skolo/api/silence';
import { Option } from 'commander';
import { complain, exitCodes } from '../../errors.ts';
import { list } from '../../output/list.ts';
import type { HeadLine, Remark } from '../../output/overview.ts';
import { age } from '../../output/time.ts';
import { machineState, whyUnreachable } from '../../reach/service-client.ts';
import { botState, botStyle, cell, deviceColumn, sentence } from './agent-text.ts';
import { addAgents, canAskAgents, isOfAgents, listAgents } from './agents.ts';
import { addSelection, isSelection, type SelectionOptions, select } from './selection.ts';

interface Options extends SelectionOptions {
  agents?: true;
  needsAttention?: true;
  notBack?: string | true;
  watch?: true;
}

/** Most urgent first. */
const conditions = MachineCondition.options.toReversed();

const styles = { well: undefined, warning: 'yellow', bad: 'red' } as const;

/**
 * `skolo machine list`: lists machines as all services report them, and which columns a narrow terminal leaves out. Machines are not
 * trusted: see agent-text.ts.
 */
export const define = list<Machine, Options>({
  description:
    'Lists machines with their condition, the reason for it, their tasks and phones, and causes that several machines share. Machines that need attention come first. The data comes from machine-state; while that service is down, the command queries the agents directly, as with --agents. It then exits with 3 if some agents do not respond, or with 1 if none does.',
  summary: 'list machines with their condition',
  example: 'skolo machine list --shelf shelf1 --condition quarantined,silent',
  names: ['[names...]', "machine names (default: all); quote ranges: 'rpi-[001-040]'"],
  options(command) {
    addSelection(command);
    command
      .option(
        '--needs-attention',
        'print a work list: shared causes, followed by the machines that have not come back or need attention, in walking order; with --watch, print only the latter',
      )
      .addOption(
        new Option(
          '--not-back [period]',
          'print who has not come back from the incidents of a period, such as 2h (default: 12h), in walking order: by shelf and place, each with the reason',
        ).preset('12h'),
      )
      .option('--watch', 'update the list whenever something changes, until you press Ctrl-C');
    addAgents(command);
  },
  json: 'print JSON; with --watch, one line per change',
  uses: ['rack', 'url', 'tokenFile'],
  async find({ command, words, options, print }) {
    const { io } = command;
    if (isOfAgents(options)) return void (await listAgents(command, words, options));
    const service = machineState(command);
    if (options.notBack !== undefined) {
      const { printNotBack } = await import('./not-back.ts');
      return void (await printNotBack(command, service, `${options.notBack}`, options.json));
    }
    const shown = (machines: readonly Machine[]) =>
      select(command, machines, words, options)
        .sort((a, b) => rank(a) - rank(b))
        .filter(({ needsAttention }) => !options.needsAttention || needsAttention !== undefined);
    const found = (machines: readonly Machine[]) => ({
      rows: shown(machines),
      head: headOf(machines),
      all: machines.length,
      isSelection: isSelection(words, options),
    });
    if (options.watch) {
      const { watchMachines } = await import('./watch-machines.ts');
      const printAll = (machines: readonly Machine[]) => {
        io.exitCode = 0;
        print(found(machines));
      };
      await watchMachines(io, service, options.json ? { shown } : { print: printAll });
      return undefined;
    }
    const machines = await service
      .ask(async (client) => (await client.machines()).machines)
      .catch((error: unknown) => {
        const why = whyUnreachable(error);
        // Programs expect one form of JSON, and `--url` is that of machine-state.
        const mayFallBack = !options.json && command.globals().url === undefined;
        if (why === undefined || !mayFallBack || !canAskAgents(options)) throw error;
        complain(io, `machine-state: ${why}; this list is from the agents`);
        return undefined;
      });
    if (machines === undefined) return void (await listAgents(command, words, options));
    if (!options.needsAttention) return found(machines);
    const names = new Set(select(command, machines, words, options).map(({ name }) => name));
    const { causes: all, shelves } = await service.ask((client) => client.rack());
    const causes = all.filter((cause) => cause.machines.some((name) => names.has(name)));
    const { incidentsOf } = await import('./not-back.ts');
    const incidents = await incidentsOf(service);
    const missing = unknownIn(incidents);
    for (const { source, why } of missing) complain(io, `${source}: unknown: ${why}`);
    if (missing.length > 0) io.exitCode = exitCodes.partlyFailed;
    const away = incidents.away.filter(({ name }) => names.has(name));
    if (options.json) {
      return { ...found(machines), json: (rows) => ({ machines: rows, causes, away, missing }) };
    }
    const { printWork } = await import('./work-list.ts');
    printWork(io, {
      head: headlineOf(machines).text,
      shelves,
      machines: shown(machines),
      causes,
      away,
      all: machines,
    });
    return undefined;
  },
  noun: 'machine',
  verdict: ({ condition }) => conditionWord(condition),
  verdicts: [...new Set(conditions.map(conditionWord))],
  rank,
  remarks: remarksOf,
  columns: [
    { title: 'NAME', cell: ({ name }) => name, shrinkTo: 20 },
    { title: 'SHELF', cell: ({ shelf }) => shelf, leaveOut: 1 },
    {
      title: 'CONDITION',
      cell: ({ condition }) => conditionWord(condition),
      style: ({ condition }) => styles[conditionFacts[condition].level],
    },
    {
      title: 'FOR',
      cell: (machine, now) => {
        const begun = beganAt(machine);
        return begun && age(begun, now);
      },
      leaveOut: 4,
    },
    {
      title: 'BOT',
      cell: (machine) => {
        const { bot } = readingsOf(machine);
        return bot && botState(bot);
      },
      style: (machine) => botStyle(readingsOf(machine).bot),
      leaveOut: 2,
    },
    {
      title: 'TASK',
      cell: ({ task }) => task && cell(task.id ?? 'running'),
      shrinkTo: 8,
      leaveOut: 3,
    },
    deviceColumn((machine) => readingsOf(machine).devices),
    {
      title: 'CAUSE',
      cell: ({ cause }) => cause && cell(`${cause.text}`),
      style: () => 'red',
      leaveOut: 5,
    },
  ],
});

/** Of the whole rack, also if only some of it is listed. */
function headOf(machines: readonly Machine[]): HeadLine[] {
  const { text, isBad, isWell } = headlineOf(machines);
  return isWell ? [] : [{ text, style: isBad ? 'red' : undefined }];
}

/** Machines that need attention first, then by condition. */
function rank({ needsAttention, condition }: Machine): number {
  return conditions.indexOf(condition) + (needsAttention === undefined ? conditions.length : 0);
}

/** Why a machine takes no tasks, and what a person must do. */
function remarksOf(machine: Machine): Remark[] {
  const { name, condition, needsAttention, flapping } = machine;
  const texts = [
    ...(condition === 'ok' ? [] : [`${conditionWord(condition)}: ${sentence(machine.sentence)}`]),
    ...(flapping === undefined
      ? []
      : [`flapping: the condition changed ${flapping.changes} times within an hour`]),
    ...(needsAttention === undefined || needsAttention === machine.sentence
      ? []
      : [`needs attention: ${sentence(needsAttention)}`]),
  ];
  return texts.map((text) => ({ name, text }));
}
