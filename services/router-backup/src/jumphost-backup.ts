/**
 * The jumphost itself, as a device among others: each run makes one encrypted archive, which is kept unless nothing has
 * changed.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Version } from '@skolo/backup';
import { type Clock, errorText, type LastSuccess, type Logger } from '@skolo/common';
import { BackupError } from '@skolo/models/configuration';
import type { Rack } from '@skolo/rack';
import { type Occasion, type Outcome, Stopping } from './backup.ts';
import { archiveJumphost } from './jumphost/archive.ts';
import { Archives } from './jumphost/archives.ts';
import type { Left } from './jumphost/find.ts';
import { knownOf } from './lost-history.ts';
import type { DeviceRecord } from './records.ts';
import type { State } from './state.ts';
import { jumphostModel } from './targets.ts';
import type { Kept } from './versions.ts';

export interface JumphostBackupDeps {
  rack: () => Rack;
  /** Where rack.yaml is. */
  rackFile: string;
  stateDir: string;
  state: State;
  lastSuccess: Pick<LastSuccess, 'mark'>;
  clock: Clock;
  log: Logger;
  onVersion(version: Version): void;
}

/** Of what cannot be read, in a line of the log. */
const mostNamed = 20;

/** Of our own state: what has a way out of its own, or is of no use to anybody else. */
const notInside = [
  'repository',
  '.repository.former',
  'incoming',
  'archives',
  'outgoing',
  'scratch',
  'transcripts',
];

export class JumphostBackup implements Kept {
  private readonly deps: JumphostBackupDeps;
  private opened: Archives | undefined;

  constructor(deps: JumphostBackupDeps) {
    this.deps = deps;
  }

  /** Never throws but for Stopping. */
  async attempt(occasion: Occasion, signal: AbortSignal): Promise<Outcome> {
    const { clock, lastSuccess, state, log, rack, onVersion } = this.deps;
    const { name } = rack().jumphost;
    const began = clock.uptime();
    const at = this.now();
    const seconds = () => Math.round((clock.uptime() - began) * 1000) / 1000;
    const former = state.devices.get(name);
    const common = { name, model: jumphostModel, lastAttempt: at, lastRun: occasion.run };
    try {
      const { before, version, changed, left } = await this.make(occasion, signal);
      const result = changed ? 'changed' : 'unchanged';
      const record: DeviceRecord = {
        ...common,
        lastSuccess: this.now(),
        lastResult: result,
        failures: 0,
        seconds: seconds(),
        newest: knownOf(version),
        versions: await this.count(),
      };
      await state.keep([state.devices.put(record)]);
      lastSuccess.mark(name);
      const without = left.length > 0 && { left: left.slice(0, mostNamed) };
      log.info(
        { device: name, run: occasion.run, result, ...without, version: version.id },
        'backed up',
      );
      if (changed) onVersion(version);
      return {
        result,
        version: version.id,
        seconds: record.seconds ?? 0,
        ...(version.size !== undefined && { size: version.size }),
        ...(changed && { after: version, ...(before && { before }) }),
      };
    } catch (error) {
      if (signal.aborted && signal.reason instanceof Stopping) throw signal.reason;
      const failure = error instanceof BackupError ? 'storage' : 'internal';
      const detail = errorText(error);
      const record: DeviceRecord = {
        ...common,
        ...(former?.lastSuccess !== undefined && { lastSuccess: former.lastSuccess }),
        ...(former?.newest && { newest: former.newest }),
        ...(former?.versions !== undefined && { versions: former.versions }),
        lastResult: 'failed',
        failure,
        detail,
        failures: (former?.failures ?? 0) + 1,
        seconds: seconds(),
      };
      await state.keep([state.devices.put(record)]);
      log.warn({ device: name, run: occasion.run, failure, detail, err: error }, 'backup failed');
      return { result: 'failed', failure, detail, seconds: record.seconds ?? 0 };
    }
  }

  async versions(_device: string, { limit }: { limit?: number } = {}): Promise<Version[]> {
    return (await this.archives()).versions().slice(0, limit);
  }

  async newest(): Promise<Version | undefined> {
    return (await this.archives()).newest();
  }

  async count(): Promise<number> {
    return (await this.archives()).count;
  }

  /** The encrypted archive. */
  async content({ id }: Version): Promise<Buffer> {
    const { path } = await this.file(id);
    return await readFile(path).catch((cause: unknown) => {
      throw new BackupError('storage', errorText(cause), { cause });
    });
  }

  /** The encrypted archive, where it lies. @throws BackupError */
  async file(id: string): Promise<{ path: string; size: number; sha256: string }> {
    return (await this.archives()).file(id);
  }

  private async make(
    { run, by, reason }: Occasion,
    signal: AbortSignal,
  ): Promise<{ before?: Version; version: Version; changed: boolean; left: Left[] }> {
    const { rack, rackFile, stateDir, clock } = this.deps;
    const archives = await this.archives();
    const { jumphost, encrypt, retention } = rack().services['router-backup'];
    const before = archives.newest();
    const archive = await archiveJumphost({
      rack: rack(),
      paths: [...jumphost.paths, rackFile],
      exclude: notInside.map((name) => join(stateDir, name)),
      recipients: encrypt,
      folder: archives.folder,
      scratch: join(stateDir, 'scratch', archives.device),
      signal,
      now: clock.now(),
    });
    const about = { time: this.now(), run, by, ...(reason !== undefined && { reason }) };
    const { version, changed } = await archives.add(archive, about);
    await archives.retain(retention.versions);
    return { ...(before && { before }), version, changed, left: archive.left };
  }

  /** Opened when it is first needed, and for another name of the jumphost anew. */
  private async archives(): Promise<Archives> {
    const { rack, stateDir } = this.deps;
    const { name } = rack().jumphost;
    if (this.opened?.device !== name) {
      this.opened = await Archives.open(join(stateDir, 'archives'), name);
    }
    return this.opened;
  }

  private now(): string {
    return new Date(this.deps.clock.now()).toISOString();
  }
}
