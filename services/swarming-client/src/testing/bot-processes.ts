/** What runs for the bot of a folder, whoever started it. */
import { readdirSync } from 'node:fs';
import { argumentsOf, processes, withDescendants } from '../host/processes.ts';

/** Bots, by their command line. What a bot forks has its command line for a moment. */
export function botsIn(botDir: string): number[] {
  const found = [...processes().values()].filter(({ pid, isZombie }) => {
    const [, zip, command] = argumentsOf(pid);
    return !isZombie && zip?.startsWith(`${botDir}/`) && command === 'start_bot';
  });
  const pids = new Set(found.map(({ pid }) => pid));
  return found.filter(({ parent }) => !pids.has(parent)).map(({ pid }) => pid);
}

export function zombiesBelow(pid: number): number[] {
  const all = processes();
  return [...withDescendants([pid], all)].filter((below) => all.get(below)?.isZombie);
}

export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
