/**
 * One attempt to back up a device or the jumphost: reads it, verifies its identity, stores what is new, and records the outcome, including a
 * failure. The only error that `attempt` throws is `Stopping`.
 */
import { type CommitAbout, shownId, type Version } from '@skolo/backup';
import { errorText } from '@skolo/base';
import { SlowExpression } from '@skolo/base/described-expression';
import type { LastSuccess } from '@skolo/common';
import { models } from '@skolo/equipment/models';
import type { Content } from '@skolo/equipment/models/backup';
import {
  fingerprintOf,
  isSame,
  partOf,
  whyMessage,
  whyUnknown,
} from '@skolo/equipment/models/configuration';
import type { Equipment } from '@skolo/rack';
import type { Store } from '../history/store.ts';
import type { Versions } from '../history/versions.ts';
import { judgeIdentity, judgeSize, pin } from '../judge.ts';
import type { JumphostBackup } from '../jumphost/backup.ts';
import { type Occasion, type Outcome, Stopping, type Stored } from '../outcome.ts';
import type { PartDeps } from '../part-deps.ts';
import { BackupFailed } from '../read/failure.ts';
import type { Fetch, Fetched, Identified } from '../read/fetch.ts';
import type { PowerDaemon } from '../read/power-daemon.ts';
import { Transcript, type Transcripts } from '../read/transcript.ts';
import { type DeviceRecord, knownOf } from '../state.ts';
import { startupNameOf, type Target } from '../targets.ts';

export interface AttemptsDeps extends Pick<PartDeps, 'clock' | 'emit' | 'rack' | 'state'> {
  jumphost: Pick<JumphostBackup, 'store'>;
  fetch: Fetch;
  store: Store;
  /** Measures texts. */
  versions: Pick<Versions, 'measured'>;
  /** A power cycle comes before a backup. */
  power: Pick<PowerDaemon, 'wanted' | 'unlessWanted'>;
  transcripts: Transcripts;
  lastSuccess: Pick<LastSuccess, 'mark'>;
}

type Begun = Pick<DeviceRecord, 'name' | 'model' | 'lastAttempt' | 'lastRun'>;

const mostNamed = 20;
const dayMs = 86_400_000;
/** More versions than are read in a day. */
const mostADay = 2000;

export class Attempts {
  private readonly deps: AttemptsDeps;

  constructor(deps: AttemptsDeps) {
    this.deps = deps;
  }

  async attempt(target: Target, occasion: Occasion, signal: AbortSignal): Promise<Outcome> {
    const { clock, jumphost, emit } = this.deps;
    const { name, model, device } = target;
    const { run } = occasion;
    const startedAt = clock.uptime();
    const begun = { name, model, lastAttempt: this.now(), lastRun: run };
    const seconds = () => Math.round((clock.uptime() - startedAt) * 1000) / 1000;
    const transcript = new Transcript();
    let outcome: Outcome;
    try {
      if (occasion.paused !== undefined) throw new BackupFailed(name, 'rejected', occasion.paused);
      const stored =
        device === undefined
          ? await jumphost.store(occasion, signal)
          : await this.readAndStore(device, transcript, occasion, signal);
      outcome = await this.succeeded(begun, stored, seconds());
    } catch (error) {
      // An attempt that is interrupted by a stop is not a failure: the device is read at the next start.
      if (signal.aborted && signal.reason instanceof Stopping) throw signal.reason;
      outcome = await this.failed(begun, target, { error, transcript, seconds: seconds() });
    }
    emit({ type: 'attempt', run, device: name, outcome });
    return outcome;
  }

  private async succeeded(begun: Begun, stored: Stored, seconds: number): Promise<Outcome> {
    const { state, lastSuccess, transcripts } = this.deps;
    const { before, after, isNew, left = [], facts } = stored;
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
    await state.writeLater([state.devices.put(record)]);
    lastSuccess.mark(begun.name);
    await transcripts.drop(begun.name);
    return {
      result,
      version: shownId(after),
      seconds,
      size: after.shownSize,
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
    } = await transcripts.failure(name, error, transcript, rules);
    const previous = state.devices.get(name);
    const record: DeviceRecord = {
      ...previous,
      ...begun,
      lastResult: 'failed',
      failure,
      detail,
      failures: (previous?.failures ?? 0) + 1,
      seconds,
      suspect,
    };
    await state.writeLater([state.devices.put(record)]);
    if (device !== undefined) await transcripts.write(name, transcript, rules);
    // The origin matters only for unforeseen errors.
    const where = failure === 'internal' && cause instanceof Error ? cause.stack : undefined;
    const stack = where && (await transcripts.message(where, name, transcript, rules));
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

  /** @throws BackupFailed, and device errors */
  private async readAndStore(
    device: Equipment,
    transcript: Transcript,
    occasion: Occasion,
    signal: AbortSignal,
  ): Promise<Stored> {
    const { fetch, state, store, power, transcripts } = this.deps;
    const { name } = device;
    const fetched = await power.unlessWanted(name, signal, (either) =>
      fetch.read(device, transcript, either, (read) => this.isNewest(name, read)),
    );
    try {
      const kept = await this.storeIfNew(device, fetched, occasion);
      const startup = await this.storeStartupIfNew(device, fetched, occasion);
      const { unsaved, identity, legacyAlgorithms } = fetched;
      const extent = this.extentOf(name, fetched, kept);
      const known = state.devices.get(name);
      const pinned = pin(identity, known?.identity);
      const rules = fetched.model.secrets;
      const unanswered =
        fetched.unseen && (await transcripts.message(fetched.unseen, name, transcript, rules));
      const unknown = whyUnknown(fetched.extent, models.get(device.model));
      const unseen =
        [unanswered, unknown].filter((why) => why !== undefined).join('; ') || undefined;
      const saved =
        unanswered === undefined || unsaved !== undefined
          ? { unsaved, startup }
          : { unsaved: known?.unsaved, startup: known?.startup };
      const doubt = await fetched.model.doubt?.(fetched.content);
      // The history may have been lost since.
      const versions = await store.count(name);
      return {
        ...kept,
        facts: { ...saved, identity: pinned, legacyAlgorithms, versions, extent, unseen, doubt },
      };
    } finally {
      await fetch.drop(device);
    }
  }

  /** A device that once showed everything is not trusted with less until a person has accepted a smaller version. */
  private extentOf(
    name: string,
    { extent, size }: Fetched,
    { before, isNew }: Pick<Stored, 'before' | 'isNew'>,
  ) {
    const isLess = isNew && size < (before?.size ?? 0);
    const wasWhole = this.deps.state.devices.get(name)?.extent === 'whole';
    return extent === 'unknown' && wasWhole && !isLess ? 'whole' : extent;
  }

  /**
   * Stores what was read, unless the history has it already.
   *
   * @throws BackupFailed
   */
  async storeIfNew(
    device: Equipment,
    fetched: Fetched,
    occasion: Occasion,
  ): Promise<Pick<Stored, 'before' | 'after' | 'isNew'>> {
    const { store, state } = this.deps;
    const { name, model, serial } = device;
    const { content, changedBy, extent, unseen } = fetched;
    const pinned = state.devices.get(name)?.identity;
    const another = judgeIdentity(fetched.identity, { name, model, unseen, serial, pinned });
    if (another) throw new BackupFailed(name, another.failure, another.what);
    try {
      const before = await store.repository.newest(name);
      if (before !== undefined) {
        if (await this.isUnchanged(before, fetched)) return { before, after: before, isNew: false };
        await this.checkSize(name, before, fetched, occasion.isByHand);
      }
      const why = await whyMessage(fetched.model, content);
      if (why !== undefined && !(before && (await this.isLikeMessage(before, fetched)))) {
        throw new BackupFailed(name, 'rejected', why);
      }
      const said = { ...occasion, changedBy, partial: partOf(extent) };
      const after = await this.commit(device, name, content, said);
      return { before, after, isNew: after.id !== before?.id };
    } catch (error) {
      if (error instanceof BackupFailed || error instanceof SlowExpression) throw error;
      await store.failed(error, fetched.size);
      const what = `the configuration was read, but could not be stored: ${errorText(error)}`;
      throw new BackupFailed(name, 'storage', what, { cause: error });
    }
  }

  /** Then a short answer is no change of form: earlier releases stored such versions. */
  private async isLikeMessage(version: Version, { model }: Fetched): Promise<boolean> {
    const bytes = await this.deps.store.repository.content(version);
    return (await whyMessage(model, { bytes })) !== undefined;
  }

  /**
   * Stores the configuration that the device would boot with, if it differs from the running one. Returns its version.
   *
   * @throws BackupFailed
   */
  private async storeStartupIfNew(
    device: Equipment,
    { model, startup }: Fetched,
    { run, by }: Occasion,
  ): Promise<string | undefined> {
    if (startup === undefined) return undefined;
    const { store } = this.deps;
    const { name } = device;
    const file = startupNameOf(name);
    try {
      const { repository } = store;
      const before = await repository.newest(file);
      if (before && (await isSame(await repository.content(before), startup, model)))
        return shownId(before);
      const reason = `startup configuration of ${name}, which differs from its running configuration`;
      const content = { bytes: startup };
      return shownId(await this.commit(device, file, content, { run, by, reason }));
    } catch (error) {
      if (error instanceof BackupFailed || error instanceof SlowExpression) throw error;
      await store.failed(error, startup.length);
      const what = `the startup configuration could not be stored: ${errorText(error)}`;
      throw new BackupFailed(name, 'storage', what, { cause: error });
    }
  }

  private async commit(
    device: Equipment,
    file: string,
    content: Content,
    said: Pick<CommitAbout, 'run' | 'by' | 'reason' | 'changedBy' | 'partial'>,
  ): Promise<Version> {
    const { rack, store, clock, emit, versions } = this.deps;
    const { model } = device;
    await this.checkGrowth(device, file, content);
    const before = await store.repository.newest(file);
    const measured =
      'bytes' in content
        ? await versions.measured({ device: file, model }, content.bytes, before)
        : {};
    const about: CommitAbout = {
      ...said,
      rack: rack().name,
      model,
      time: new Date(clock.now()).toISOString(),
      ...(model === 'generic' && { description: JSON.stringify(device.options) }),
      ...measured,
    };
    const version = await store.repository.commit({ device: file, content, about });
    store.stored();
    emit({ type: 'version-stored', version });
    return version;
  }

  /** @throws BackupFailed, unless a person requested the same small version before */
  private async checkSize(
    name: string,
    before: Version,
    fetched: Fetched,
    isByHand: boolean,
  ): Promise<void> {
    const { rack, state } = this.deps;
    const { shrinkPercent } = rack().services['router-backup'];
    const { size, content, model, sha1, extent } = fetched;
    // A device that no longer says that it shows everything may have lost any part.
    const saysLess = extent === 'unknown' && state.devices.get(name)?.extent === 'whole';
    const rejection = judgeSize(name, size, {
      previous: before.size ?? 0,
      shrinkPercent: saysLess ? 0 : shrinkPercent,
    });
    if (rejection === undefined) return;
    // Without what changes by itself, such as a clock.
    const suspect = 'bytes' in content ? await fingerprintOf(content.bytes, model) : sha1;
    if (isByHand && state.devices.get(name)?.suspect === suspect) return;
    throw new BackupFailed(name, rejection.failure, rejection.what, { suspect });
  }

  /** @throws BackupFailed The device would fill the disk, as each notice of it starts a backup. */
  private async checkGrowth(
    { name, backupLimits }: Equipment,
    file: string,
    content: Content,
  ): Promise<void> {
    const { rack, store, clock } = this.deps;
    const { maxBytes } = { ...rack().services['router-backup'], ...backupLimits };
    let sum = 'bytes' in content ? content.bytes.length : content.size;
    for (const { time, size = 0 } of await store.repository.versions(file, { limit: mostADay })) {
      if (Date.parse(time) > clock.now() - dayMs) sum += size;
    }
    if (sum <= maxBytes) return;
    const what = `the configuration was not stored, because its versions in the last 24 hours would have ${sum} bytes in total; find out why it changes so often, or raise services.router-backup.maxBytes (${maxBytes}) in rack.yaml`;
    throw new BackupFailed(name, 'rejected', what);
  }

  /** Whether the newest version has this content. A history that cannot be read fails when the reading is stored. */
  private async isNewest(name: string, read: Identified): Promise<boolean> {
    if (!('bytes' in read.content)) return true;
    try {
      const newest = await this.deps.store.repository.newest(name);
      return newest !== undefined && (await this.isUnchanged(newest, read));
    } catch {
      return false;
    }
  }

  /** Equal except for what changes by itself. */
  private async isUnchanged(
    before: Version,
    { sha1, content, model }: Identified,
  ): Promise<boolean> {
    if (before.sha1 === sha1) return true;
    if (!('bytes' in content) || model.volatile.length === 0) return false;
    return await isSame(await this.deps.store.repository.content(before), content.bytes, model);
  }
}
