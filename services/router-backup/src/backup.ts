/**
 * One attempt at one device: read it, make sure that it is the right one, and put what is new into the history. What
 * came of it is recorded, whatever it was; this never throws.
 */
import type { DeviceResult, FailureClass } from '@skolo/api';
import type { CommitAbout, Repository, Version } from '@skolo/backup';
import { type Clock, errorText, type LastSuccess, type Logger } from '@skolo/common';
import { DeviceBusy } from '@skolo/equipment';
import { fingerprintOf, isSame } from '@skolo/models/configuration';
import type { InfrastructureDevice, Rack } from '@skolo/rack';
import { BackupFailed, failureOf } from './failure.ts';
import type { Fetch, Fetched } from './fetch.ts';
import { pin, whyAnother } from './identity.ts';
import { knownOf } from './lost-history.ts';
import type { PowerDaemon } from './power-daemon.ts';
import type { DeviceRecord } from './records.ts';
import type { State } from './state.ts';
import type { Store } from './store.ts';
import { startupNameOf } from './targets.ts';
import { Talk, type Transcripts } from './transcript.ts';

/** Why it is read. */
export interface Occasion {
  run: string;
  by: string;
  reason?: string;
  /** A person asked for it: what was suspiciously small before, and is the same again, is meant. */
  isByHand: boolean;
}

export interface Outcome {
  result: Exclude<DeviceResult, 'not-backed-up'>;
  failure?: FailureClass;
  detail?: string;
  version?: string;
  unsaved?: boolean;
  size?: number;
  seconds: number;
  /** The version before, where this one is new. */
  before?: Version;
  after?: Version;
}

/** What the history has of a device now. */
interface Kept {
  before?: Version;
  after: Version;
  isNew: boolean;
  /** Version of what it would boot with. */
  startup?: string;
}

export interface BackupDeps {
  rack: () => Rack;
  fetch: Fetch;
  store: Store;
  state: State;
  transcripts: Transcripts;
  lastSuccess: Pick<LastSuccess, 'mark'>;
  /** Who else may need the device, and comes first. */
  power: Pick<PowerDaemon, 'wanted' | 'follow'>;
  clock: Clock;
  log: Logger;
  /** A version is in the history that was not there before. */
  onVersion(version: Version): void;
}

export class Backup {
  private readonly deps: BackupDeps;

  constructor(deps: BackupDeps) {
    this.deps = deps;
  }

  async attempt(
    device: InfrastructureDevice,
    occasion: Occasion,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { clock, fetch } = this.deps;
    const began = clock.uptime();
    const at = this.now();
    const talk = new Talk();
    const seconds = () => Math.round((clock.uptime() - began) * 1000) / 1000;
    try {
      const fetched = await this.unlessWanted(device, signal, (either) =>
        fetch.read(device, talk, either),
      );
      try {
        const kept = await this.keep(device, fetched, occasion);
        const startup = await this.keepStartup(device, fetched, occasion);
        if (startup !== undefined) kept.startup = startup;
        return await this.succeeded(device, fetched, { ...kept, at, seconds: seconds() }, occasion);
      } finally {
        await fetch.drop(device);
      }
    } catch (error) {
      const failed = failureOf(device.name, error);
      // What ends because the service stops is no failure of the device: it is read at the next start.
      if (signal.aborted && signal.reason instanceof Stopping) throw signal.reason;
      return await this.failed(device, failed, talk, { at, seconds: seconds() }, occasion);
    }
  }

  /** Gives way to a power cycle, also in the middle. */
  private async unlessWanted<T>(
    { name }: InfrastructureDevice,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { power } = this.deps;
    if ((await power.wanted(signal)).has(name)) throw new DeviceBusy(name, givesWay);
    const following = power.follow(name, signal);
    try {
      return await work(following.signal);
    } finally {
      following.end();
    }
  }

  /**
   * Puts what was read into the history, unless that has it already.
   *
   * @throws BackupFailed
   */
  async keep(
    device: InfrastructureDevice,
    fetched: Fetched,
    { run, by, reason, isByHand }: Occasion,
  ): Promise<Kept> {
    const { rack, store, onVersion } = this.deps;
    const { name } = device;
    const record = this.deps.state.devices.get(name);
    const another = whyAnother(name, fetched.identity, {
      ...(device.serial !== undefined && { serial: device.serial }),
      ...(record?.identity && { pinned: record.identity }),
    });
    if (another !== undefined) throw new BackupFailed(name, 'wrong-device', another);
    try {
      const { repository } = store;
      const before = await repository.newest(name);
      if (before !== undefined) {
        if (await isUnchanged(repository, before, fetched)) {
          return { before, after: before, isNew: false };
        }
        await this.checkSize(name, before, fetched, isByHand);
      }
      const about: CommitAbout = {
        rack: rack().name,
        model: device.model,
        run,
        time: this.now(),
        by,
        ...(reason !== undefined && { reason }),
        ...(fetched.changedBy !== undefined && { changedBy: fetched.changedBy }),
      };
      const after = await repository.commit({ device: name, content: fetched.content, about });
      store.stored();
      onVersion(after);
      return { ...(before && { before }), after, isNew: after.id !== before?.id };
    } catch (error) {
      if (error instanceof BackupFailed) throw error;
      await store.failed(error, fetched.size);
      throw new BackupFailed(name, 'storage', `read, but not stored: ${errorText(error)}`, {
        cause: error,
      });
    }
  }

  /**
   * Keeps what the device would boot with, where that is another configuration.
   *
   * @throws BackupFailed
   */
  private async keepStartup(
    device: InfrastructureDevice,
    { model, startup }: Fetched,
    { run, by }: Occasion,
  ): Promise<string | undefined> {
    if (startup === undefined) return undefined;
    const { rack, store, onVersion } = this.deps;
    const { name } = device;
    const file = startupNameOf(name);
    try {
      const { repository } = store;
      const before = await repository.newest(file);
      if (before && isSame(await repository.content(before), startup, model)) return before.id;
      const about: CommitAbout = {
        rack: rack().name,
        model: device.model,
        run,
        time: this.now(),
        by,
        reason: `what ${name} would boot with; it runs another configuration`,
      };
      const after = await repository.commit({ device: file, content: { bytes: startup }, about });
      onVersion(after);
      return after.id;
    } catch (error) {
      await store.failed(error, startup.length);
      const what = `its startup configuration is not stored: ${errorText(error)}`;
      throw new BackupFailed(name, 'storage', what, { cause: error });
    }
  }

  private async checkSize(
    name: string,
    before: Version,
    fetched: Fetched,
    isByHand: boolean,
  ): Promise<void> {
    const { rack, state } = this.deps;
    const { shrinkPercent } = rack().services['router-backup'];
    const { size } = fetched;
    const former = before.size ?? 0;
    const lost = former === 0 ? 0 : ((former - size) / former) * 100;
    if (lost <= shrinkPercent) return;
    const suspect = suspectOf(fetched);
    if (isByHand && state.devices.get(name)?.suspect === suspect) return;
    throw new SuspiciouslySmall(
      name,
      `it has ${size} bytes, the version before has ${former}; if that is right, run: skolo backup run ${name}`,
      suspect,
    );
  }

  private async succeeded(
    device: InfrastructureDevice,
    fetched: Fetched,
    kept: Kept & { at: string; seconds: number },
    { run }: Occasion,
  ): Promise<Outcome> {
    const { state, store, lastSuccess, transcripts, log } = this.deps;
    const { name, model } = device;
    const { before, after, startup, isNew, at, seconds } = kept;
    const { unsaved, size, identity, legacyAlgorithms } = fetched;
    const result = isNew ? 'changed' : 'unchanged';
    const former = state.devices.get(name);
    const pinned = pin(identity, former?.identity);
    const record: DeviceRecord = {
      name,
      model,
      lastAttempt: at,
      lastSuccess: this.now(),
      lastRun: run,
      lastResult: result,
      failures: 0,
      seconds,
      ...(unsaved !== undefined && { unsaved }),
      ...(Object.keys(pinned).length > 0 && { identity: pinned }),
      ...(startup !== undefined && { startup }),
      ...(legacyAlgorithms && { legacyAlgorithms }),
      newest: knownOf(after),
      ...(await countOf(store, name)),
    };
    await state.keep([state.devices.put(record)]);
    lastSuccess.mark(name);
    await transcripts.drop(name);
    log.info({ device: name, run, result, size, seconds, unsaved, version: after.id }, 'backed up');
    return {
      result,
      version: after.id,
      size,
      seconds,
      ...(unsaved !== undefined && { unsaved }),
      ...(isNew && { after, ...(before && { before }) }),
    };
  }

  private async failed(
    device: InfrastructureDevice,
    error: BackupFailed,
    talk: Talk,
    { at, seconds }: { at: string; seconds: number },
    { run }: Occasion,
  ): Promise<Outcome> {
    const { state, transcripts, log } = this.deps;
    const { name, model } = device;
    const { failure, cause } = error;
    const rules = this.secretsOf(device);
    const masked = (text: string) => transcripts.message(text, talk, rules);
    const detail = masked(error.message.slice(name.length + 2));
    const former = state.devices.get(name);
    const { suspect: _, ...rest } = former ?? { name, model, failures: 0 };
    const record: DeviceRecord = {
      ...rest,
      model,
      lastAttempt: at,
      lastRun: run,
      lastResult: 'failed',
      failure,
      detail,
      failures: rest.failures + 1,
      seconds,
      ...(error instanceof SuspiciouslySmall && { suspect: error.suspect }),
    };
    await state.keep([state.devices.put(record)]);
    await transcripts.keep(name, talk, rules);
    // Only of what nobody expects it matters where it came from.
    const stack = failure === 'internal' && cause instanceof Error ? cause.stack : undefined;
    const where = stack !== undefined && { stack: masked(stack) };
    log.warn({ device: name, run, failure, detail, seconds, ...where }, 'backup failed');
    return { result: 'failed', failure, detail, seconds };
  }

  private secretsOf(device: InfrastructureDevice) {
    try {
      return this.deps.fetch.model(device).secrets;
    } catch {
      return [];
    }
  }

  private now(): string {
    return new Date(this.deps.clock.now()).toISOString();
  }
}

const givesWay = 'a power cycle needs it, and comes first; it is read again later';

/** Why an attempt is given up when the service stops. */
export class Stopping extends Error {
  constructor() {
    super('the service stops');
    this.name = 'Stopping';
  }
}

class SuspiciouslySmall extends BackupFailed {
  readonly suspect: string;

  constructor(device: string, what: string, suspect: string) {
    super(device, 'suspiciously-small', what);
    this.suspect = suspect;
  }
}

/** What tells it from another that is as small: not its clock. */
function suspectOf({ content, model, sha1 }: Fetched): string {
  return 'bytes' in content ? fingerprintOf(content.bytes, model) : sha1;
}

/** The same, but for what changes by itself. */
async function isUnchanged(
  repository: Repository,
  before: Version,
  { sha1, content, model }: Fetched,
): Promise<boolean> {
  if (before.sha1 === sha1) return true;
  if (!('bytes' in content) || model.volatile.length === 0) return false;
  return isSame(await repository.content(before), content.bytes, model);
}

/** Nothing where the history has gone since. */
async function countOf(store: Store, device: string): Promise<Pick<DeviceRecord, 'versions'>> {
  try {
    return { versions: await store.repository.count(device) };
  } catch {
    return {};
  }
}
