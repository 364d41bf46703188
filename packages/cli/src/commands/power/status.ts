import type { MachinePower, OutletStatus } from '@skolo/api';
import { byNumber, namesOf } from '../../names.ts';
import { list } from '../../output/list.ts';
import type { Remark } from '../../output/overview.ts';
import type { Style } from '../../output/text.ts';
import { duration, relative, timestamp } from '../../output/time.ts';
import { powerCycleDaemon } from '../../reach/service-client.ts';
import { isGood, outcomeText, stateStyle } from './cycle-text.ts';
import { type PowerState, powerFilters, powerStates, powerVerdict } from './power-verdict.ts';
import { askAboutNames } from './request.ts';

/** States whose rows fold into one line: no problem, or a problem of the controller. */
const foldable: PowerState[] = [
  'controller-failing',
  'controller-down',
  'unknown',
  'no-outlet',
  'on',
];

/** `skolo power status`: the power of machines and devices. */
export const define = list<MachinePower>({
  description:
    'Lists machines, phones and equipment with the last known state and power draw of their outlets, the last cycle, and anything that blocks the next cycle. The outlets of a PDU that does not power anything in rack.yaml are listed, too. Problems come first, with their reasons. If the terminal is too small, entries without problems share one line per state; list them with --state.',
  summary: 'show power states and last cycles',
  example: 'skolo power status --shelf shelf1 --state off,stuck-off',
  names: ['[names...]', "names (default: all); quote ranges: 'rpi-[001-040]'"],
  filters: powerFilters,
  async find({ command, words }) {
    const queries = words.length === 0 ? [{}] : inQueries(namesOf(words).names);
    const answers = await askAboutNames(command.io, powerCycleDaemon(command), (client) =>
      Promise.all(queries.map((query) => client.machines({ query }))),
    );
    return (
      answers && {
        rows: answers.flatMap(({ machines }) => machines).sort(bySubject),
        json: (machines) => ({ machines }),
      }
    );
  },
  noun: 'target',
  verdict: powerVerdict,
  verdicts: powerStates,
  remarksOnSeveral: controllerRemarks,
  remarks: remarksOf,
  isFoldable: (machine, now) =>
    foldable.includes(powerVerdict(machine)) && remarksOf(machine, now).length === 0,
  advice: (machines) =>
    machines.every(({ outlets }) => outlets.length === 0)
      ? 'No entry of rack.yaml has `power`; to show an outlet, run skolo power status PDU/OUTLET'
      : undefined,
  columns: [
    { title: 'NAME', cell: ({ name }) => name, shrinkTo: 16 },
    {
      title: 'SHELF',
      cell: ({ shelf, label }) => [shelf, label].filter(Boolean).join('/') || undefined,
      shrinkTo: 6,
      leaveOut: 1,
    },
    { title: 'OUTLET', cell: ({ outlets }) => outlets.map(({ outlet }) => outlet), shrinkTo: 10 },
    { title: 'POWER', cell: powerCell, style: powerStyle },
    { title: 'WATTS', cell: wattsText, align: 'right', leaveOut: 2 },
    { title: 'CONTROLLER', cell: controllerCell, style: controllerStyle, leaveOut: 3 },
    {
      title: 'LAST',
      cell: (machine, now) => lastText(machine, now),
      style: lastStyle,
      leaveOut: 4,
    },
    { title: 'NOTE', cell: notes, style: noteStyle, shrinkTo: 8 },
  ],
});

/** Splits hundreds of names into several requests, because the length of a URL is limited. */
function inQueries(names: readonly string[]): { name: string[] }[] {
  const atOnce = 100;
  const parts = Array.from({ length: Math.ceil(names.length / atOnce) }, (_, i) => i * atOnce);
  return parts.map((start) => ({ name: names.slice(start, start + atOnce) }));
}

/** Devices first, then machines, each followed by its phones. */
function bySubject(a: MachinePower, b: MachinePower): number {
  const equipment = (each: MachinePower) => Number(each.kind === 'equipment');
  return equipment(b) - equipment(a) || byNumber(a.name, b.name);
}

/** One state if all outlets agree. */
function powerCell({ outlets }: MachinePower): string[] {
  return [...new Set(outlets.map(outletState))];
}

function outletState({ state, delivering, fault, stuckOff }: OutletStatus): string {
  if (stuckOff) return 'stuck off';
  if (fault !== undefined) return 'fault';
  return state === 'on' && delivering === false ? 'on (no load)' : state;
}

function powerStyle({ outlets }: MachinePower): Style | undefined {
  if (outlets.some(({ stuckOff, fault }) => stuckOff || fault !== undefined)) return 'red';
  if (outlets.some(({ state, switchedOff }) => state === 'off' && !switchedOff)) return 'red';
  return outlets.every((outlet) => outletState(outlet) === 'on') ? undefined : 'yellow';
}

function wattsText({ outlets }: MachinePower): string | undefined {
  const known = outlets.flatMap(({ watts }) => watts ?? []);
  if (known.length === 0) return undefined;
  return known.reduce((sum, watts) => sum + watts, 0).toFixed(1);
}

function controllerCell({ controllers }: MachinePower): string[] {
  const unwell = controllers.filter(({ state }) => state !== 'up');
  if (unwell.length > 0) return unwell.map(({ name, state }) => `${name} ${state}`);
  return controllers.length > 0 ? ['up'] : [];
}

function controllerStyle({ controllers }: MachinePower): Style | undefined {
  if (controllers.some(isBroken)) return 'red';
  return controllers.some(({ state }) => state === 'unknown') ? 'yellow' : undefined;
}

/** `turn-off now`, `back 5 min ago`. */
function lastText({ cycle, last }: MachinePower, now: number): string | undefined {
  if (cycle !== undefined) return `${cycle.step} now`;
  if (last?.outcome === undefined) return undefined;
  const ago = last.finishedAt && relative(last.finishedAt, now);
  return [outcomeText(last.outcome), ago].filter(Boolean).join(' ');
}

function lastStyle({ cycle, last }: MachinePower): Style | undefined {
  if (cycle !== undefined || last?.outcome === undefined || isGood(last)) return undefined;
  return stateStyle({ outcome: last.outcome, step: 'queued' });
}

function notes({ outlets, hold, busy, needsAttention }: MachinePower): string[] {
  return [
    ...(needsAttention === undefined ? [] : ['needs attention']),
    ...(hold === undefined ? [] : ['held']),
    ...(busy === undefined ? [] : ['busy']),
    ...(outlets.some(({ switchedOff }) => switchedOff) ? ['switched off'] : []),
  ];
}

function noteStyle(machine: MachinePower): Style | undefined {
  return notes(machine).length > 0 ? 'yellow' : undefined;
}

function isBroken({ state }: MachinePower['controllers'][number]): boolean {
  return state === 'down' || state === 'failing';
}

/** Once for each controller. A controller that was not read yet needs no remark. */
function controllerRemarks(machines: readonly MachinePower[]): Remark[] {
  const broken = new Map(
    machines
      .flatMap(({ controllers }) => controllers)
      .filter(isBroken)
      .map(({ name, state, detail }) => [name, detail ? `${state}: ${detail}` : state]),
  );
  return [...broken]
    .map(([name, text]) => ({ name, text }))
    .sort((a, b) => byNumber(a.name, b.name));
}

function remarksOf(machine: MachinePower, now: number): Remark[] {
  const { name, outlets, hold, busy = [], needsAttention, last, cycle, possibleAt } = machine;
  const ago = (time: string) => relative(time, now);
  const remarks: Remark[] = [];
  const say = (text: string, at?: string) => remarks.push({ name, text, ...(at && { at }) });
  if (needsAttention !== undefined) say(`needs attention: ${needsAttention}`);
  if (hold !== undefined) {
    const left = duration((Date.parse(hold.until) - now) / 1000);
    say(`held by ${hold.by} for another ${left}: ${hold.reason}`);
  }
  for (const { by, until, reason, overdue } of busy) {
    say(`busy${overdue ? ', overdue' : ''}: ${reason} (${by} until ${timestamp(until)})`);
  }
  for (const { outlet, switchedOff, stuckOff, pendingOnSince, fault } of outlets) {
    if (fault !== undefined) {
      const text = `on, but reports the fault ${JSON.stringify(fault)}; check the port and the cable`;
      say(text, outlet);
    }
    if (stuckOff) {
      const when = pendingOnSince === undefined ? '' : ` ${ago(pendingOnSince)}`;
      const text = `turned off by a cycle${when}; the service is still trying to turn it on again`;
      say(text, outlet);
    }
    if (switchedOff !== undefined) {
      const { by, at, reason } = switchedOff;
      say(`turned off by ${by} ${ago(at)}: ${reason}`, outlet);
    }
  }
  if (cycle?.detail !== undefined) say(`${cycle.step} now: ${cycle.detail}`);
  if (cycle === undefined && last?.outcome !== undefined && !isGood(last)) {
    const when = last.finishedAt === undefined ? '' : ` ${ago(last.finishedAt)}`;
    const isOnAgain = last.outcome === 'stuck-off' && outlets.every(({ stuckOff }) => !stuckOff);
    const since = isOnAgain ? '; it has since been turned on' : '';
    say(`${outcomeText(last.outcome)}${when}: ${last.detail ?? last.reason}${since}`);
  }
  if (possibleAt !== undefined && Date.parse(possibleAt) > now) {
    say(`can be cycled again ${ago(possibleAt)}`);
  }
  return remarks;
}
