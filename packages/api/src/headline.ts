/** Says in one line how many machines are silent and wait for a person, the same in console and commands, and whether the disk is full. */
import { count } from '@skolo/base/count';
import type { Machine, RackView } from './machine-state.ts';
import { isSilent, isUnfit } from './silence.ts';

interface Headline {
  /** `28 machines are silent: 20 switch-8, 8 without a known cause; 0 wait for a person` */
  text: string;
  /** More than a tenth of the machines are silent, or respond but take no tasks. */
  isBad: boolean;
  /** Neither silent machines, nor any that wait, nor many that take no tasks. */
  isWell: boolean;
}

/** As many causes as fit on a line. */
const mostCauses = 2;

export function headlineOf(
  machines: readonly Pick<Machine, 'condition' | 'cause' | 'needsAttention'>[],
): Headline {
  const silent = machines.filter(isSilent);
  const unfit = machines.filter(isUnfit);
  const areManyUnfit = areMany(unfit.length, machines.length);
  const waiting = machines.filter(({ needsAttention }) => needsAttention !== undefined).length;
  const parts = [
    ...(silent.length > 0
      ? [`${count(silent.length, 'machine is', 'machines are')} silent${causesOf(silent)}`]
      : []),
    ...(areManyUnfit
      ? [
          `${count(unfit.length, 'machine responds but takes', 'machines respond but take')} no tasks`,
        ]
      : []),
  ];
  const wait =
    parts.length > 0
      ? `${waiting} ${waiting === 1 ? 'waits' : 'wait'} for a person`
      : `${count(waiting, 'machine waits', 'machines wait')} for a person`;
  return {
    text: [...parts, wait].join('; '),
    isBad: areMany(silent.length, machines.length) || areManyUnfit,
    isWell: silent.length + waiting === 0 && !areManyUnfit,
  };
}

export function areMany(some: number, all: number): boolean {
  return some * 10 > all;
}

/** Those of most machines first, each with its number unless it explains all. */
function causesOf(silent: readonly Pick<Machine, 'cause'>[]): string {
  const causes = silent.flatMap(({ cause }) => cause ?? []);
  const groups = [...Map.groupBy(causes, ({ code }) => code).values()]
    .sort((a, b) => b.length - a.length)
    .map((own) => ({ length: own.length, text: `${own[0]?.text}` }));
  const [first] = groups;
  if (first === undefined) return '';
  if (first.length === silent.length) return `: ${first.text}`;
  const texts = groups.slice(0, mostCauses).map(({ length, text }) => `${length} ${text}`);
  const others = groups.slice(mostCauses).reduce((sum, { length }) => sum + length, 0);
  const unexplained = silent.length - causes.length;
  if (others > 0) texts.push(count(others, 'other'));
  if (unexplained > 0) texts.push(`${unexplained} without a known cause`);
  return `: ${texts.join(', ')}`;
}

/** Where the disk of the jumphost is full, as services report it. */
export function fullDisk(services: RackView['services']): FullDisk | undefined {
  const full = services.flatMap(({ name, degraded }) =>
    degraded.filter(({ code }) => code === 'disk-full').map((each) => ({ service: name, ...each })),
  );
  const [first] = full.toSorted((a, b) => a.since.localeCompare(b.since));
  if (first === undefined) return undefined;
  const names = [...new Set(full.map(({ service }) => service))];
  const text = `the disk is full: ${names.join(', ')}`;
  return { text, services: names, since: first.since, why: first.why };
}

interface FullDisk {
  text: string;
  services: readonly string[];
  since: string;
  why: string;
}

/** Shows what fills a computer's disk. */
export function diskCommand(computer: string, rack: string): string {
  return `skolo run ${computer} --on ${rack} --timeout 5m -- 'sudo du -xh / | sort -h | tail -n 30'`;
}
