import { count, pause } from '@skolo/base';
import { type FleetRack, findRack, type RackHealth, type RackStatus } from '@skolo/fleet';
import type { SkoloCommand } from '../../command.ts';
import { failPartly } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import { headline, printOverview } from '../../output/overview.ts';
import type { Column } from '../../output/table.ts';
import { plain, type Style } from '../../output/text.ts';
import { duration } from '../../output/time.ts';
import { loadFleet, openerToRead } from '../../reach/racks.ts';
import { untilStopped } from '../../until-stopped.ts';
import { causesOf } from './causes.ts';
import { testWays } from './ways.ts';

interface Options {
  watch?: true;
  json?: true;
}

const watchMs = 10_000;

/** `skolo status`: shows all racks on one screen. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Shows the health of all racks, or of the racks that you specify, worst first. The data comes from each rack's Prometheus: machines, alerts, tokens, backups, controllers, spool, disk, pending reboots, certificates and versions. If a rack is unreachable, the list shows why. UNHEALTHY counts machines that are quarantined or recovering, HELD counts machines on hold, and SILENT counts machines that do not respond. If `ways` in kube/clusters/config.json lists several hosts for a rack, the command tests each one at most once a day. A host that failed is tested again after 5 minutes. Exit codes: 0 all racks are ok; 3 some are not; 1 none is ok.",
    )
    .argument('[racks...]', 'rack names, as listed by skolo racks (default: all)')
    .option('--watch', `refresh every ${watchMs / 1000} s until you press Ctrl-C`)
    .option('--json', 'print JSON')
    .uses('clusters')
    .example('skolo status --watch');

  command.action(async (names: string[], options: Options) => {
    const { io } = command;
    const fleet = await loadFleet(command);
    const racks =
      names.length === 0 ? fleet.racks : [...new Set(names)].map((name) => findRack(fleet, name));
    using stop = untilStopped(io);
    const { signal } = stop;
    try {
      let found = await ask(command, racks, signal);
      print(io, found, options);
      while (options.watch) {
        await pause(watchMs, signal);
        found = await ask(command, racks, signal);
        // Clears the screen only when there is something to show.
        if (io.rows !== undefined) io.draw('\x1b[H\x1b[2J');
        else io.out('');
        print(io, found, options);
      }
      const bad = found.filter((each) => stateOf(each) !== 'ok').length;
      if (bad > 0) failPartly(io, bad < found.length);
    } catch (error) {
      // Ctrl-C is the normal end of a watch.
      if (!signal.aborted || !options.watch) throw error;
    }
  });
}

async function ask({ io }: SkoloCommand, racks: readonly FleetRack[], signal: AbortSignal) {
  const { statusOfRacks } = await import('@skolo/fleet');
  const [found, remarks] = await Promise.all([
    statusOfRacks(racks, await openerToRead(io), { signal }),
    testWays(racks, io, signal),
  ]);
  return found.map((each): Found => {
    const ways = remarks.flatMap(({ name, text }) => (name === each.rack.name ? [text] : []));
    return { ...each, ways };
  });
}

/** Includes problems with ways into the rack that were tested today. */
type Found = RackStatus & { ways: string[] };

/** The worst first. */
const states = ['unreachable', 'critical', 'warning', 'unknown', 'ok'] as const;

const styles: Record<(typeof states)[number], Style | undefined> = {
  unreachable: 'red',
  critical: 'red',
  warning: 'yellow',
  unknown: 'yellow',
  ok: undefined,
};

function stateOf({ answer, error, ways }: Found): (typeof states)[number] {
  if (answer?.state === 'ok' && ways.length > 0) return 'warning';
  if (answer) return answer.state;
  return error && 'code' in error && error.code === 'NO_PROMETHEUS' ? 'unknown' : 'unreachable';
}

function print(io: Io, found: readonly Found[], { json }: Options): void {
  const rows = found
    .map((each) => ({ ...each, name: each.rack.name, state: stateOf(each) }))
    .sort((a, b) => states.indexOf(a.state) - states.indexOf(b.state));
  if (json) {
    const racks = rows.map(({ name, answer, error, ways, state }) => ({
      name,
      ...answer,
      state,
      ways,
      error: error?.message,
    }));
    printJson(io, { racks });
    return;
  }
  const verdict = ({ state }: Row) => state;
  printOverview(io, {
    head: [headline({ rows, all: rows.length, noun: 'rack', verdict, order: states })],
    rows,
    columns,
    remarks: [...causesOf(rows), ...rows.flatMap(remarksOf)],
    verdict,
    isFoldable: ({ state }) => state === 'ok',
    isSelection: false,
  });
}

type Row = Found & { name: string; state: (typeof states)[number] };

function remarksOf({ name, answer, ways }: Row) {
  if (!answer) return [];
  const { alerts, down, machines, versions, state, delivery = 'delivered' } = answer;
  const services = Object.entries(answer.serviceStates).filter(([name]) => !down.includes(name));
  const texts = [
    ...ways,
    ...(state === 'unknown' ? ['Prometheus has no data from services yet'] : []),
    ...(down.length > 0 ? [`down: ${down.join(', ')}`] : []),
    ...services.map(([service, judged]) => `${service} is ${judged}`),
    ...(delivery === 'delivered'
      ? []
      : [`alerts ${delivery}; run skolo alerts status --on ${name}`]),
    ...(alerts.length > 0 ? [alerts.map(alertText).join(', ')] : []),
    ...Object.entries(machines?.heldBy ?? {}).map(
      ([by, held]) => `${plain(by)} holds ${count(held, 'machine')}`,
    ),
    ...Object.entries(versions).flatMap(([service, all]) =>
      all.length > 1 ? [`${service} runs as ${all.join(' and ')}`] : [],
    ),
  ];
  return texts.map((text) => ({ name, text }));
}

/** `MachineMissing ×3 (critical)` */
function alertText({ name, severity, count }: RackHealth['alerts'][number]): string {
  const times = count > 1 ? ` ×${count}` : '';
  return `${name}${times}${severity === 'critical' ? ' (critical)' : ''}`;
}

function figure(
  title: string,
  read: (health: RackHealth) => string | undefined,
  rest: Partial<Column<Row>> = {},
): Column<Row> {
  return { title, cell: ({ answer }) => answer && read(answer), align: 'right', ...rest };
}

const columns: readonly Column<Row>[] = [
  { title: 'RACK', cell: ({ name }) => name, shrinkTo: 10 },
  { title: 'STATE', cell: ({ state }) => state, style: ({ state }) => styles[state] },
  figure('OK', (health) => health.machines && `${countsOf(health).ok}/${health.machines.all}`),
  figure('UNHEALTHY', (health) => numberText(countsOf(health).unhealthy)),
  figure('HELD', ({ machines }) => numberText(machines?.held)),
  figure('SILENT', (health) => numberText(countsOf(health).silent)),
  figure('ALERTS', ({ alerts }) => String(alerts.reduce((sum, { count }) => sum + count, 0))),
  figure('TOKEN', ({ tokenSeconds }) => durationText(tokenSeconds), { leaveOut: 4 }),
  figure('BACKUP', ({ backupSeconds }) => durationText(backupSeconds), { leaveOut: 5 }),
  figure('POWER', ({ controllers }) => controllers && `${controllers.up}/${controllers.all}`, {
    leaveOut: 6,
  }),
  figure('WAITING', ({ waiting }) => numberText(waiting), { leaveOut: 2 }),
  figure('DISK', ({ disk }) => percent(disk), { leaveOut: 3 }),
  figure('REBOOT', ({ reboots }) => numberText(reboots), { leaveOut: 1 }),
  figure('CERT', ({ certificateSeconds }) => durationText(certificateSeconds), { leaveOut: 1 }),
  {
    title: 'VERSION',
    cell: ({ answer }) => [...new Set(Object.values(answer?.versions ?? {}).flat())],
    shrinkTo: 8,
    leaveOut: 7,
  },
];

/** By the conditions in the console. While machine-state is down, by what agents and machines report to Prometheus. */
export function countsOf({
  conditions,
  health,
  machines,
}: Pick<RackHealth, 'conditions' | 'health' | 'machines'>) {
  const isKnown = Object.keys(conditions).length > 0;
  const known = isKnown ? conditions : health;
  const sum = (...words: string[]) => words.reduce((all, word) => all + (known[word] ?? 0), 0);
  return {
    ok: sum('ok'),
    unhealthy: sum('quarantined', 'recovering'),
    silent: isKnown ? sum('stale', 'gone', 'never-reported') : machines?.silent,
  };
}

function numberText(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function durationText(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : duration(seconds);
}

function percent(part: number | undefined): string | undefined {
  return part === undefined ? undefined : `${Math.round(part * 100)}%`;
}
