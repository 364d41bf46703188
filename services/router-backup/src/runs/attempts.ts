/**
 * One attempt at a device or the jumphost. Its outcome is recorded, also a failure. The only error that it throws is `Stopping`.
 */
import type { DeviceResult, FailureClass } from '@skolo/api';
import type { Version } from '@skolo/backup';
import type { LastSuccess } from '@skolo/common';
import type { Base } from '../base.ts';
import type { JumphostBackup } from '../jumphost/backup.ts';
import type { Left } from '../jumphost/find.ts';
import { failureOf, SuspiciouslySmall } from '../read/failure.ts';
import type { Fetch } from '../read/fetch.ts';
import { Transcript, type Transcripts } from '../read/transcript.ts';
import { type DeviceRecord, knownOf, type State } from '../state.ts';
import type { Target } from '../targets.ts';
import type { Backup } from './backup.ts';

/** Why it is read. */
export interface Occasion {
  run: string;
  by: string;
  reason?: string | undefined;
  /** A person asked for it: a version that was suspiciously small, and is the same again, is right. */
  isByHand: boolean;
}

export interface Outcome {
  result: Exclude<DeviceResult, 'not-backed-up'>;
  failure?: FailureClass | undefined;
  detail?: string | undefined;
  /** Of an error that has no class. */
  stack?: string | undefined;
  version?: string | undefined;
  unsaved?: boolean | undefined;
  size?: number | undefined;
  seconds: number;
  /** Of the jumphost: paths that could not be read, the first few. */
  left?: Left[] | undefined;
  /** The version before, where this one is new. */
  before?: Version | undefined;
  after?: Version | undefined;
}

/** What the history has of a target now. */
export interface Stored {
  before?: Version | undefined;
  after: Version;
  isNew: boolean;
  size?: number | undefined;
  left?: Left[] | undefined;
  /** For its record. */
  facts: Pick<DeviceRecord, 'unsaved' | 'identity' | 'startup' | 'legacyAlgorithms' | 'versions'>;
}

/** Why an attempt is given up when the service stops. */
export class Stopping extends Error {
  constructor() {
    super('the service stops');
    this.name = 'Stopping';
  }
}

interface AttemptsDeps extends Pick<Base, 'clock' | 'emit'> {
  backup: Pick<Backup, 'store'>;
  jumphost: Pick<JumphostBackup, 'store'>;
  fetch: Pick<Fetch, 'model'>;
  state: State;
  transcripts: Transcripts;
  lastSuccess: Pick<LastSuccess, 'mark'>;
}

type Begun = Pick<DeviceRecord, 'name' | 'model' | 'lastAttempt' | 'lastRun'>;

const mostNamed = 20;

export class Attempts {
  private readonly deps: AttemptsDeps;

  constructor(deps: AttemptsDeps) {
    this.deps = deps;
  }

  async attempt(target: Target, occasion: Occasion, signal: AbortSignal): Promise<Outcome> {
    const { clock, backup, jumphost, emit } = this.deps;
    const { name, model, device } = target;
    const { run } = occasion;
    const startedAt = clock.uptime();
    const begun = { name, model, lastAttempt: this.now(), lastRun: run };
    const seconds = () => Math.round((clock.uptime() - startedAt) * 1000) / 1000;
    const transcript = new Transcript();
    let outcome: Outcome;
    try {
      const stored =
        device === undefined
          ? await jumphost.store(occasion, signal)
          : await backup.store(device, transcript, occasion, signal);
      outcome = await this.succeeded(begun, stored, seconds());
    } catch (error) {
      // An attempt that ends because the service stops is not a failure: the device is read at the next start.
      if (signal.aborted && signal.reason instanceof Stopping) throw signal.reason;
      outcome = await this.failed(begun, target, { error, transcript, seconds: seconds() });
    }
    emit({ type: 'attempt', run, device: name, outcome });
    return outcome;
  }

  private async succeeded(begun: Begun, stored: Stored, seconds: number): Promise<Outcome> {
    const { state, lastSuccess, transcripts } = this.deps;
    const { before, after, isNew, size, left = [], facts } = stored;
    const result = isNew ? 'changed' : 'unchanged';
    const record: DeviceRecord = {
      ...begun,
      lastSuccess: this.now(),
      lastResult: result,
      failures: 0,
      seconds,
      newest: knownOf(after),
      ...facts,
    };
    await state.keep([state.devices.put(record)]);
    lastSuccess.mark(begun.name);
    await transcripts.drop(begun.name);
    return {
      result,
      version: after.id,
      seconds,
      size,
      unsaved: facts.unsaved,
      left: left.length > 0 ? left.slice(0, mostNamed) : undefined,
      ...(isNew && { after, before }),
    };
  }

  private async failed(
    begun: Begun,
    { device }: Target,
    { error, transcript, seconds }: { error: unknown; transcript: Transcript; seconds: number },
  ): Promise<Outcome> {
    const { state, transcripts } = this.deps;
    const { name } = begun;
    const failed = failureOf(name, error);
    const { failure, what, cause } = failed;
    const rules = this.secretsOf(device);
    const masked = (text: string) => transcripts.message(text, transcript, rules);
    const detail = masked(what);
    const former = state.devices.get(name);
    const record: DeviceRecord = {
      ...former,
      ...begun,
      lastResult: 'failed',
      failure,
      detail,
      failures: (former?.failures ?? 0) + 1,
      seconds,
      suspect: failed instanceof SuspiciouslySmall ? failed.suspect : undefined,
    };
    await state.keep([state.devices.put(record)]);
    if (device !== undefined) await transcripts.keep(name, transcript, rules);
    // The origin matters for unforeseen errors only.
    const stack = failure === 'internal' && cause instanceof Error ? cause.stack : undefined;
    const where = stack === undefined ? undefined : masked(stack);
    return { result: 'failed', failure, detail, seconds, stack: where };
  }

  private secretsOf(device: Target['device']) {
    try {
      return device === undefined ? [] : this.deps.fetch.model(device).secrets;
    } catch {
      return [];
    }
  }

  private now(): string {
    return new Date(this.deps.clock.now()).toISOString();
  }
}
