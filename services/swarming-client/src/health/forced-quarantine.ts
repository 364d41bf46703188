/**
 * The file that quarantines a machine: an operator writes it, with the reason as its text. It is removed after it was read, as operators'
 * scripts expect. The reason is kept in the state directory across restarts of the agent. The quarantine ends when an operator clears it,
 * or deletes the file in the state directory.
 */
import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { errorText, ifThere, inOrder, oneLine, parseJson } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import type { Clock, Logger } from '@skolo/common/light';
import { z } from 'zod';
import type { Ordered } from './health.ts';

interface ForcedQuarantineDeps {
  machine: string;
  /** `quarantineFile` of the settings; undefined: not known yet. */
  file: () => string | undefined;
  stateDir: string;
  /** The value of `~`; default: the home of the user that runs the agent. */
  home?: string;
  clock: Pick<Clock, 'now'>;
  log: Pick<Logger, 'info' | 'warn'>;
}

interface Forced {
  text: string;
  since: Date;
}

const Kept = z.object({ text: z.string(), since: z.iso.datetime() });

/** Swarming limits the length of texts, and somebody may `cat` anything into the file. */
const mostBytes = 1000;
const noReason = 'no reason given';

export class ForcedQuarantine {
  private readonly deps: ForcedQuarantineDeps;
  private readonly keptAt: string;
  private forced: Forced | undefined;
  /** The active reason could not be written: it is only in memory. */
  private isUnsaved = false;
  private trouble: string | undefined;
  private readonly inTurn = inOrder();

  constructor(deps: ForcedQuarantineDeps) {
    this.deps = deps;
    this.keptAt = join(deps.stateDir, 'forced-quarantine.json');
  }

  /** Reads the file, and what is kept. Never throws: errors are logged, and retried next time. */
  update(): Promise<void> {
    return this.inTurn(async () => {
      try {
        // An unreadable card is no reason to ignore the file.
        const kept = this.isUnsaved ? undefined : await Promise.allSettled([this.readKept()]);
        if (kept?.[0].status === 'fulfilled') this.forced = kept[0].value;
        await this.readFile();
        if (kept?.[0].status === 'rejected') throw kept[0].reason;
        this.trouble = undefined;
      } catch (error) {
        const why = errorText(error);
        if (why !== this.trouble) {
          this.deps.log.warn({ why }, 'quarantine file cannot be processed');
        }
        this.trouble = why;
      }
    });
  }

  /** At most one. */
  current(): Ordered[] {
    if (this.forced === undefined) return [];
    const { text: reason, since } = this.forced;
    return [{ kind: 'quarantine', by: 'a file', reason, since }];
  }

  /** Ends it. If the file could not be removed before, this is tried once more. @throws Error It cannot be removed. */
  clear(): Promise<void> {
    return this.inTurn(async () => {
      const path = this.path();
      if (path !== undefined) await rm(path, { force: true });
      await rm(this.keptAt, { force: true });
      if (this.forced) this.deps.log.info({ was: this.forced.text }, 'forced quarantine ended');
      this.isUnsaved = false;
      this.forced = undefined;
    });
  }

  private async readKept(): Promise<Forced | undefined> {
    const text = await readFileIfExists(this.keptAt);
    if (text === undefined) return undefined;
    const kept = Kept.safeParse(parseJson(text)).data;
    if (kept !== undefined) return { text: kept.text, since: new Date(kept.since) };
    // There was a quarantine; an unreadable file does not end it.
    return (
      this.forced ?? { text: `${this.keptAt} is damaged`, since: new Date(this.deps.clock.now()) }
    );
  }

  private async readFile(): Promise<void> {
    const path = this.path();
    const written = path === undefined ? undefined : await firstOf(path);
    let isComplete = false;
    if (written !== undefined) {
      const text = oneLine(written) || noReason;
      // A shell creates the file before it writes the reason: an empty one is read once more.
      isComplete = text !== noReason || this.forced?.text === noReason;
      const since =
        this.forced?.text === text ? this.forced.since : new Date(this.deps.clock.now());
      if (this.forced?.text !== text) {
        this.deps.log.warn({ file: path, text }, 'quarantine forced by a file');
        this.isUnsaved = true;
      }
      this.forced = { text, since };
    }
    if (this.isUnsaved && this.forced) {
      const { text, since } = this.forced;
      await writeFileAtomic(this.keptAt, JSON.stringify({ text, since: since.toISOString() }));
      this.isUnsaved = false;
    }
    // Only now: until it is kept, only the file would survive.
    if (isComplete && path !== undefined) await rm(path, { force: true });
  }

  private path(): string | undefined {
    const { file, machine, home = homedir() } = this.deps;
    const named = file()?.replaceAll('{machine}', machine);
    return named === undefined ? undefined : resolve(home, named.replace(/^~(?=\/|$)/, home));
  }
}

/** Undefined: there is no such file. */
async function firstOf(path: string): Promise<string | undefined> {
  // A pipe without a writer would block forever.
  await using handle = await ifThere(open(path, constants.O_RDONLY | constants.O_NONBLOCK));
  if (handle === undefined) return undefined;
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
  return buffer.toString('utf8', 0, bytesRead);
}
