/**
 * One attempt at a device or the jumphost. Its outcome is recorded, also a failure. The only error that it throws is `Stopping`.
 */
import type { Clock, LastSuccess } from '@skolo/common';
import type { EmitBackup } from '../events.ts';
import type { JumphostBackup } from '../jumphost/backup.ts';
import type { Fetch } from '../read/fetch.ts';
import { Transcript, type Transcripts } from '../read/transcript.ts';
import { type DeviceRecord, knownOf, type State } from '../state.ts';
import type { Target } from '../targets.ts';
import type { Backup } from './backup.ts';
import { type Occasion, type Outcome, Stopping, type Stored } from './outcome.ts';

interface AttemptsDeps {
  clock: Clock;
  emit: EmitBackup;
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
    const rules = this.secretsOf(device);
    const {
      failure,
      what: detail,
      suspect,
      cause,
    } = transcripts.failure(name, error, transcript, rules);
    const former = state.devices.get(name);
    const record: DeviceRecord = {
      ...former,
      ...begun,
      lastResult: 'failed',
      failure,
      detail,
      failures: (former?.failures ?? 0) + 1,
      seconds,
      suspect,
    };
    await state.keep([state.devices.put(record)]);
    if (device !== undefined) await transcripts.keep(name, transcript, rules);
    // The origin matters for unforeseen errors only.
    const where = failure === 'internal' && cause instanceof Error ? cause.stack : undefined;
    const stack = where && transcripts.message(where, transcript, rules);
    return { result: 'failed', failure, detail, seconds, stack };
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
