import type { RackView } from '@skolo/api';
import { fullDisk, headlineOf } from '@skolo/api/headline';
import { unknownIn } from '@skolo/api/incident-text';
import { onItOf, silentIn } from '@skolo/api/silence';
import { count, errorText, pause, shellWord } from '@skolo/base';
import { type FleetRack, findRack, type RackHealth, type RackStatus } from '@skolo/fleet';
import { foldValues } from '@skolo/rack/light';
import { commandLine, type SkoloCommand } from '../../command.ts';
import { failPartly } from '../../errors.ts';
import { list } from '../../output/list.ts';
import type { Remark } from '../../output/overview.ts';
import type { Column } from '../../output/table.ts';
import { plain } from '../../output/text.ts';
import { duration } from '../../output/time.ts';
import { loadFleet, openerToRead } from '../../reach/racks.ts';
import { machineState } from '../../reach/service-client.ts';
import { untilStopped } from '../../until-stopped.ts';
import { groupByShelf } from '../machine/shelves.ts';
import { causesOf } from './causes.ts';
import { testWays } from './ways.ts';

const watchMs = 10_000;

/** The worst first. */
const states = ['unreachable', 'critical', 'warning', 'unknown', 'ok'] as const;
type State = (typeof states)[number];

const styles = {
  unreachable: 'red',
  critical: 'red',
  warning: 'yellow',
  unknown: 'yellow',
  ok: undefined,
} as const;

interface Row extends Partial<Pick<RackStatus, 'answer' | 'error'>> {
  name: string;
  /** Of other commands about this rack. */
  options: string;
  /** Problems with ways into the rack that were tested today. */
  ways: string[];
  remarks: string[];
}

/** `skolo status`: shows all racks on one screen. */
export const define = list<Row, { watch?: true }>({
  description:
    "Shows the health of all racks, or of the racks that you specify, worst first. The data comes from each rack's Prometheus: machines, alerts, tokens, backups, controllers, spool, disk, pending reboots, certificates and versions. If a rack is unreachable, the list shows why. UNHEALTHY counts machines that are quarantined or recovering, or have never reported, HELD counts machines on hold, and SILENT counts machines that have stopped responding. If `ways` in kube/clusters/config.json lists several hosts for a rack, the command tests each one at most once a day. A host that failed is tested again after 5 minutes. With --rack, --on or --url, or with SKOLO_RACK or SKOLO_ON and no names, the data comes from the machine-state of that rack instead, which does not need Prometheus. Exit codes: 0 all racks are ok; 3 some are not; 1 none is ok.",
  example: 'skolo status --watch',
  names: ['[racks...]', 'rack names, as listed by skolo racks (default: all)'],
  options: (command) =>
    command.option('--watch', `refresh every ${watchMs / 1000} s until you press Ctrl-C`),
  uses: ['rack', 'url', 'tokenFile'],
  async find({ command, words, options, print }) {
    const { io } = command;
    const ask = await asker(command, words);
    using stop = untilStopped(io);
    const { signal } = stop;
    try {
      let rows = await ask(signal);
      print({ rows, json });
      while (options.watch) {
        await pause(watchMs, signal);
        rows = await ask(signal);
        // Clears the screen only when there is something to show.
        if (io.rows !== undefined) void io.raw('\x1b[H\x1b[2J');
        else io.out('');
        print({ rows, json });
      }
      const bad = rows.filter((row) => stateOf(row) !== 'ok').length;
      if (bad > 0) failPartly(io, bad < rows.length);
    } catch (error) {
      // Ctrl-C is the normal end of a watch.
      if (!signal.aborted || !options.watch) throw error;
    }
    return undefined;
  },
  noun: 'rack',
  verdict: stateOf,
  verdicts: states,
  remarks: remarksOf,
  isFoldable: (row) => stateOf(row) === 'ok',
  columns: [
    { title: 'RACK', cell: ({ name }) => name, shrinkTo: 10 },
    { title: 'STATE', cell: stateOf, style: (row) => styles[stateOf(row)] },
    figure('OK', (health) => health.machines && `${countsOf(health).ok}/${health.machines.all}`),
    figure('UNHEALTHY', (health) => countsOf(health).unhealthy),
    figure('HELD', ({ machines }) => machines?.held),
    figure('SILENT', (health) => countsOf(health).silent),
    figure('ALERTS', ({ alerts }) => alerts.reduce((sum, { count }) => sum + count, 0)),
    figure('TOKEN', ({ tokenSeconds }) => durationText(tokenSeconds), { leaveOut: 4 }),
    figure('BACKUP', ({ backupSeconds }) => durationText(backupSeconds), { leaveOut: 5 }),
    figure('POWER', ({ controllers }) => controllers && `${controllers.up}/${controllers.all}`, {
      leaveOut: 6,
    }),
    figure('WAITING', ({ waiting }) => waiting, { leaveOut: 2 }),
    figure('DISK', ({ disk }) => percent(disk), { leaveOut: 3 }),
    figure('REBOOT', ({ reboots }) => reboots, { leaveOut: 1 }),
    figure('CERT', ({ certificateSeconds }) => durationText(certificateSeconds), { leaveOut: 1 }),
    {
      title: 'VERSION',
      cell: ({ answer }) => [...new Set(Object.values(answer?.versions ?? {}).flat())],
      shrinkTo: 8,
      leaveOut: 7,
    },
  ],
});

function stateOf({ answer, error, ways }: Row): State {
  if (answer?.state === 'ok' && ways.length > 0) return 'warning';
  if (answer) return answer.state;
  return error && 'code' in error && error.code === 'NO_PROMETHEUS' ? 'unknown' : 'unreachable';
}

function json(rows: readonly Row[]) {
  const racks = rows
    .toSorted((a, b) => states.indexOf(stateOf(a)) - states.indexOf(stateOf(b)))
    .map((row) => {
      const { name, answer, error, ways } = row;
      return { name, ...answer, state: stateOf(row), ways, error: error?.message };
    });
  return { racks };
}

/** Asks the racks with these names, or the services of the one that an option names. */
async function asker(command: SkoloCommand, names: readonly string[]): Promise<Ask> {
  const option = (['rack', 'on', 'url'] as const).find((name) => command.gives(name));
  if (option !== undefined && names.length > 0) {
    command.error(`specify rack names or --${option}, not both`);
  }
  const { on, rackIsDefault } = command.globals();
  const isOne = option !== undefined || on !== undefined || !rackIsDefault;
  if (isOne && names.length === 0) return () => askServices(command);
  const fleet = await loadFleet(command);
  const racks =
    names.length === 0 ? fleet.racks : [...new Set(names)].map((name) => findRack(fleet, name));
  return (signal) => askRacks(command, racks, signal);
}

type Ask = (signal: AbortSignal) => Promise<Row[]>;

async function askRacks(
  { io }: SkoloCommand,
  racks: readonly FleetRack[],
  signal: AbortSignal,
): Promise<Row[]> {
  const { statusOfRacks } = await import('@skolo/fleet');
  const [found, ways] = await Promise.all([
    statusOfRacks(racks, await openerToRead(io), { signal }),
    testWays(racks, io, signal),
  ]);
  const causes = causesOf(found);
  return found.map(({ rack: { name }, answer, error }) => ({
    name,
    ...(answer && { answer }),
    ...(error && { error }),
    options: `--on ${name}`,
    ways: textsOf(ways, name),
    remarks: textsOf(causes, name),
  }));
}

function textsOf(remarks: readonly Remark[], rack: string): string[] {
  return remarks.filter(({ name }) => name === rack).map(({ text }) => text);
}

async function askServices(command: SkoloCommand): Promise<Row[]> {
  const service = machineState(command);
  const [view, { machines }] = await service.ask((client) =>
    Promise.all([client.rack(), client.machines()]),
  );
  const [{ healthFrom }, { incidentsOf }] = await Promise.all([
    import('./from-services.ts'),
    import('../machine/not-back.ts'),
  ]);
  const { away, unknown } = await incidentsOf(service).then(
    (report) => ({ away: report.away, unknown: unknownIn(report) }),
    (error: unknown) => ({
      away: [],
      unknown: [{ source: 'machines that have not come back', why: errorText(error) }],
    }),
  );
  const gone = new Set(away.map(({ name }) => name));
  const waiting = machines.filter(
    ({ name, needsAttention }) => needsAttention !== undefined && !gone.has(name),
  );
  const answer = healthFrom(view, machines, command.io.now());
  const headline = headlineOf(machines);
  const disk = fullDisk(view.services);
  const work = commandLine(command, 'machine list', '--needs-attention');
  const pauses = view.services
    .find(({ name }) => name === 'machine-state')
    ?.degraded.find(({ what }) => what === 'pauses');
  const remarks = [
    ...(headline.isWell ? [] : [`${headline.text}; run ${work}`]),
    ...(disk ? [disk.text] : []),
    ...view.causes.map(({ why }) => `${why}`),
    ...unknown.map(({ source, why }) => `${source}: unknown: ${why}`),
    ...placesOf(view, away, ['has not come back', 'have not come back']),
    ...placesOf(view, waiting, ['needs attention', 'need attention']),
    ...onItOf(machines).map(({ by, machines: its }) => `${by} is on it: ${count(its, 'machine')}`),
    ...(pauses ? [`machine-state: ${pauses.why}`] : []),
    'this is from machine-state; TOKEN, WAITING, DISK, REBOOT and CERT require Prometheus',
  ];
  // `--url` is that of machine-state.
  const { rack, on } = command.globals();
  const options = on === undefined ? `--rack ${shellWord(rack)}` : `--on ${on}`;
  return [{ name: view.rack, answer, options, ways: [], remarks }];
}

/** `4 have not come back: shelf1: rpi-3, rpi-[5-7]`, in walking order. */
function placesOf(
  { shelves }: Pick<RackView, 'shelves'>,
  some: readonly { name: string }[],
  [one, several]: readonly [string, string],
): string[] {
  if (some.length === 0) return [];
  const places = groupByShelf(
    shelves,
    some.map(({ name }) => name),
  ).map(({ shelf, machines }) => `${shelf ? `${shelf}: ` : ''}${foldValues(machines).join(', ')}`);
  return [`${some.length} ${some.length === 1 ? one : several}: ${places.join('; ')}`];
}

function remarksOf({ name, answer, options, ways, remarks }: Row): Remark[] {
  if (!answer) return remarks.map((text) => ({ name, text }));
  const { alerts, conditions, down, machines, versions, state, delivery = 'delivered' } = answer;
  const services = Object.entries(answer.serviceStates).filter(([name]) => !down.includes(name));
  const texts = [
    ...ways,
    ...(state === 'unknown' && Object.keys(versions).length === 0
      ? ['Prometheus has no data from services yet']
      : []),
    ...(conditions.unknown
      ? [
          `the health of ${count(conditions.unknown, 'machine')} is unknown; run skolo machine list ${options}`,
        ]
      : []),
    ...(down.length > 0 ? [`down: ${down.join(', ')}`] : []),
    ...services.map(([service, judged]) =>
      judged === 'unknown' ? `${service} has not responded yet` : `${service} is ${judged}`,
    ),
    ...(delivery === 'delivered' ? [] : [`alerts ${delivery}; run skolo alerts status ${options}`]),
    ...(alerts.length > 0 ? [alerts.map(alertText).join(', ')] : []),
    ...Object.entries(machines?.heldBy ?? {}).map(
      ([by, held]) => `${plain(by)} holds ${count(held, 'machine')}`,
    ),
    ...Object.entries(versions).flatMap(([service, all]) =>
      all.length > 1 ? [`${service} runs as ${all.join(' and ')}`] : [],
    ),
    ...remarks,
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
  read: (health: RackHealth) => string | number | undefined,
  rest: Partial<Column<Row>> = {},
): Column<Row> {
  return { title, cell: ({ answer }) => answer && read(answer), align: 'right', ...rest };
}

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
    unhealthy: sum('quarantined', 'recovering', 'never-reported'),
    silent: isKnown ? silentIn(conditions) : machines?.silent,
  };
}

function durationText(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : duration(seconds);
}

function percent(part: number | undefined): string | undefined {
  return part === undefined ? undefined : `${Math.round(part * 100)}%`;
}
