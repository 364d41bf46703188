/** Says in one line how many machines are silent and wait for a person, the same in console and commands, and whether the disk is full. */
import { count } from '@skolo/base/count';
import type { Machine, RackView } from './machine-state.ts';
import { isSilent } from './silence.ts';

interface Headline {
  /** `41 machines are silent: pdu-1; 0 wait for a person` */
  text: string;
  /** More than a tenth of the machines are silent. */
  isBad: boolean;
  /** Neither silent machines, nor any that wait. */
  isWell: boolean;
}

/** As many causes as fit on a line. */
const mostCauses = 2;

export function headlineOf(
  machines: readonly Pick<Machine, 'condition' | 'cause' | 'needsAttention'>[],
): Headline {
  const silent = machines.filter(isSilent);
  const waiting = machines.filter(({ needsAttention }) => needsAttention !== undefined).length;
  const wait = `${waiting} ${waiting === 1 ? 'waits' : 'wait'} for a person`;
  const causes = causesOf(silent);
  const why = causes === '' ? '' : `: ${causes}`;
  return {
    text:
      silent.length === 0
        ? `${count(waiting, 'machine waits', 'machines wait')} for a person`
        : `${count(silent.length, 'machine is', 'machines are')} silent${why}; ${wait}`,
    isBad: areManySilent(silent.length, machines.length),
    isWell: silent.length + waiting === 0,
  };
}

export function areManySilent(silent: number, all: number): boolean {
  return silent * 10 > all;
}

/** Those of most machines first. */
function causesOf(silent: readonly Pick<Machine, 'cause'>[]): string {
  const known = silent.flatMap(({ cause }) => cause ?? []);
  const groups = [...Map.groupBy(known, ({ code }) => code).values()];
  const names = groups
    .sort((a, b) => b.length - a.length)
    .flatMap(([first]) => (first ? `${first.text}` : []));
  const more = names.length - mostCauses;
  return [...names.slice(0, mostCauses), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

/** Where the disk of the jumphost is full, as services report it: see `stateDirTrouble` and `storage-errors.ts`. */
export function fullDisk(services: RackView['services']): FullDisk | undefined {
  const full = services.flatMap(({ name, degraded }) =>
    degraded.filter(({ why }) => isFull(why)).map((each) => ({ service: name, ...each })),
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

export function isFull(why: string): boolean {
  return /\bdisk (is full|has no free space)/.test(why);
}

/** Shows what fills a computer's disk. */
export function diskCommand(computer: string, rack: string): string {
  return `skolo run ${computer} --on ${rack} --timeout 5m -- 'sudo du -xh / | sort -h | tail -n 30'`;
}
