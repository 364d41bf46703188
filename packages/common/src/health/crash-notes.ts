/**
 * Decides for how long a device that may have crashed the process is left alone. Notes which devices are being contacted, where the
 * notes outlive the process but not the computer. Whatever a device does to kill the process, the next one knows it: it contacts such a
 * device last, alone, and after a pause that doubles with each crash; after three crashes, only if a person orders that. A clean stop removes
 * all notes, except that of a device during whose contact the process was blocked, if the stop ended the contact.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { errorText, pause } from '@skolo/base';
import { z } from 'zod';
import type { EventLog } from '../process/log.ts';
import type { LoopLag } from '../process/loop-lag.ts';
import { type DegradedList, degradedCode } from './degraded.ts';

const Note = z.object({
  state: z.enum(['contacted', 'suspect', 'survived']),
  /** How often the process was killed while it contacted the device. */
  crashes: z.int().nonnegative(),
});
type Note = z.output<typeof Note>;

interface Suspect {
  crashes: number;
  /** By `performance.now()`. */
  dueAt: number;
  lifting: AbortController;
}

interface CrashNotesDeps {
  /** One file for each device; undefined, or missing with its parent: nothing is noted. */
  folder?: string | undefined;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  log: EventLog;
  /** Aborted when the service stops. */
  signal?: AbortSignal;
  /** Default: the process is never blocked. */
  loopLag?: Pick<LoopLag, 'wasBlockedSince'> | undefined;
  /** After the first crash, milliseconds. */
  firstPauseMs?: number;
}

/** A supervisor's pauses between restarts grow to 5 minutes (k3s), in which no outlet is turned on. */
const mostCrashes = 3;
const trouble = 'crash notes';

export class CrashNotes {
  private folder: string | undefined;
  /** Logged once, by a service that contacts devices. */
  private whyUnnoted: string | undefined;
  private readonly deps: CrashNotesDeps;
  private readonly crashes = new Map<string, number>();
  private readonly suspects = new Map<string, Suspect>();
  /** When contacts that have not ended began, by `performance.now()`. */
  private readonly contacts = new Map<string, number>();
  private readonly turns = new Set<Promise<unknown>>();
  /** The last suspect's turn. */
  private lastAlone: Promise<unknown> = Promise.resolve();

  constructor(deps: CrashNotesDeps) {
    this.deps = deps;
  }

  /** Reads what the last process left. Never fails. Call it once no other instance of the service can be running. */
  async open(): Promise<void> {
    const { folder } = this.deps;
    if (folder === undefined) return;
    try {
      await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      });
      this.folder = folder;
      for (const file of await readdir(folder)) await this.load(decodeURIComponent(file));
    } catch (error) {
      this.whyUnnoted = errorText(error);
    }
  }

  /** After a clean stop, a device is suspect only if it had blocked the process: without the stop, SIGKILL might have been next. */
  async close(): Promise<void> {
    const files = this.folder === undefined ? [] : await readdir(this.folder);
    const names = files.map((file) => decodeURIComponent(file));
    for (const name of names) if (!this.isBlocking(name)) await this.remove(name);
  }

  isSuspect(device: string): boolean {
    return this.suspects.has(device);
  }

  /**
   * Why work that nobody has just ordered must not contact the device now; undefined: it may. The first crash does not count: other devices
   * were being contacted too, and some of them have an outlet that must be turned on.
   */
  whyNot(device: string): string | undefined {
    const { crashes = 0, dueAt = 0 } = this.suspects.get(device) ?? {};
    if (crashes < 2 || dueAt <= performance.now()) return undefined;
    return `not contacted ${pauseText(dueAt)}: the service hung or was killed ${crashes} times while it contacted this equipment`;
  }

  /** Fulfilled when a suspect may be read, or never will be: see `whyNot`. @throws The signal's reason. */
  async whenDue(device: string, signal: AbortSignal): Promise<void> {
    const suspect = this.suspects.get(device);
    if (suspect === undefined || suspect.dueAt === Number.POSITIVE_INFINITY) return;
    const ms = Math.max(0, suspect.dueAt - performance.now());
    const either = AbortSignal.any([signal, suspect.lifting.signal]);
    await pause(ms, either).catch(() => signal.throwIfAborted());
  }

  /** A person wants it contacted now, like any other device. */
  lift(device: string): void {
    this.suspects.get(device)?.lifting.abort();
    this.suspects.delete(device);
  }

  /** Reads a suspect after all readings that began before, and before all that begin later. */
  async inTurn<T>(device: string, work: () => Promise<T>): Promise<T> {
    const isAlone = this.isSuspect(device);
    const before = isAlone ? Promise.all(this.turns) : this.lastAlone;
    const turn = before.then(work);
    const ended = turn.then(
      () => undefined,
      () => undefined,
    );
    this.turns.add(ended);
    void ended.then(() => this.turns.delete(ended));
    if (isAlone) this.lastAlone = ended;
    return await turn;
  }

  /** Notes the device until the work has ended, which shows that the process survives it. Not nested. */
  async noted<T>(device: string, work: () => Promise<T>): Promise<T> {
    const { whyUnnoted: why } = this;
    this.whyUnnoted = undefined;
    if (why !== undefined)
      this.deps.log.info({ why }, 'equipment that kills the service is not noted');
    if (this.folder === undefined) return await work();
    const crashes = this.crashes.get(device) ?? 0;
    this.contacts.set(device, performance.now());
    await this.write(device, { state: 'contacted', crashes });
    try {
      return await work();
    } finally {
      await this.survived(device, crashes);
    }
  }

  private async survived(device: string, crashes: number): Promise<void> {
    const isBlocking = this.isBlocking(device);
    // A signal that arrived meanwhile is handled after the task that blocked, and after timers, one of which may have ended the work.
    if (isBlocking) await setImmediate();
    if (isBlocking && this.deps.signal?.aborted) return;
    this.contacts.delete(device);
    this.lift(device);
    this.deps.degraded.clear(entryOf(device));
    if (crashes === 0) await this.remove(device);
    else await this.write(device, { state: 'survived', crashes });
  }

  private isBlocking(device: string): boolean {
    const began = this.contacts.get(device);
    return began !== undefined && this.deps.loopLag?.wasBlockedSince(began) === true;
  }

  private async load(device: string): Promise<void> {
    const { degraded, firstPauseMs = 10_000 } = this.deps;
    const { state, crashes: before } = parsed(await readFile(this.fileOf(device), 'utf8'));
    const crashes = state === 'contacted' ? before + 1 : before;
    this.crashes.set(device, crashes);
    if (state === 'survived') return;
    await this.write(device, { state: 'suspect', crashes });
    const pauseMs =
      crashes < mostCrashes ? firstPauseMs * 2 ** (crashes - 1) : Number.POSITIVE_INFINITY;
    const dueAt = performance.now() + pauseMs;
    this.suspects.set(device, { crashes, dueAt, lifting: new AbortController() });
    const often = crashes === 1 ? 'once' : `${crashes} times`;
    degraded.raise(
      entryOf(device),
      `the service hung or was killed ${often} while it contacted ${device}, which is read last and alone, and not ${pauseText(dueAt)}`,
    );
  }

  private fileOf(device: string): string {
    return join(this.folder ?? '', encodeURIComponent(device));
  }

  private async write(device: string, note: Note): Promise<void> {
    await this.attempt(() => writeFile(this.fileOf(device), JSON.stringify(note), { mode: 0o600 }));
  }

  private async remove(device: string): Promise<void> {
    await this.attempt(() => rm(this.fileOf(device), { force: true }));
  }

  /** A device is contacted even if that cannot be noted. */
  private async attempt(work: () => Promise<unknown>): Promise<void> {
    const { degraded } = this.deps;
    try {
      await work();
      degraded.clear(trouble);
    } catch (error) {
      const what = 'equipment that kills the service may be contacted first again';
      degraded.raise(trouble, `${errorText(error)}; ${what}`, degradedCode(error));
    }
  }
}

function pauseText(dueAt: number): string {
  const order = 'a person orders a backup or a power cycle of it';
  if (dueAt === Number.POSITIVE_INFINITY) return `until ${order}`;
  return `for another ${Math.ceil((dueAt - performance.now()) / 1000)} s, unless ${order}`;
}

function entryOf(device: string): string {
  return `suspect ${device}`;
}

/** The process may have been killed while it wrote the note. */
function parsed(text: string): Note {
  try {
    return Note.parse(JSON.parse(text));
  } catch {
    return { state: 'contacted', crashes: 0 };
  }
}
