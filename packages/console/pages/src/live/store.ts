/** Holds the rack's state in a page, built from the stream of changes, and decides how often it is drawn. Views read it with `useLive`. */
import type { ConsoleSession } from '@skolo/api/console';
import type { Machine, RackView } from '@skolo/api/machine-state';
import { useEffect, useState } from 'preact/hooks';

interface Live {
  /** `connecting`: not connected yet; `lost`: the shown state may be outdated. */
  connection: 'connecting' | 'live' | 'lost';
  /** When the connection was lost, in milliseconds since 1970. */
  lostAt?: number;
  why?: string;
  machines: ReadonlyMap<string, Machine>;
  rack?: RackView;
  /** null: reading requires a sign-in. */
  session?: ConsoleSession | null;
}

type Change =
  | { machine: Machine }
  | { removed: string }
  | { rack: RackView }
  | { all: { machines: Machine[]; rack: RackView } };

/** Changes within this time are drawn together. */
const drawEveryMs = 100;

let live: Live = { connection: 'connecting', machines: new Map() };
let waiting: Change[] = [];
let timer: number | undefined;
const listeners = new Set<() => void>();

export function getLive(): Live {
  return live;
}

export function setLive(change: Partial<Live>): void {
  live = { ...live, ...change };
  for (const listener of [...listeners]) listener();
}

export function addChange(change: Change): void {
  waiting.push(change);
  if ('all' in change) flush();
  else timer ??= window.setTimeout(flush, drawEveryMs);
}

function flush() {
  clearTimeout(timer);
  timer = undefined;
  const machines = new Map(live.machines);
  let { rack } = live;
  for (const change of waiting) {
    if ('machine' in change) machines.set(change.machine.name, change.machine);
    else if ('removed' in change) machines.delete(change.removed);
    else if ('rack' in change) rack = change.rack;
    else {
      machines.clear();
      for (const machine of change.all.machines) machines.set(machine.name, machine);
      rack = change.all.rack;
    }
  }
  waiting = [];
  setLive({ machines, ...(rack && { rack }) });
}

/** @returns a function that stops it */
export function onLive(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** A part of the store; the component renders again when its value changes. */
export function useLive<T>(select: (live: Live) => T): T {
  const [value, setValue] = useState(() => select(live));
  useEffect(() => {
    const listener = () => setValue(() => select(live));
    listener();
    return onLive(listener);
  }, []);
  return select(live) === value ? value : select(live);
}

export function mayOperate(session: ConsoleSession | null | undefined): boolean {
  return session?.role === 'operate' || session?.role === 'admin';
}
