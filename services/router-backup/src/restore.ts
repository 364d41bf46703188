/**
 * The way back into a device: rehearsed, and loaded where its model has a safe way. What the device has before is put
 * into the history first, so that this can be undone, too.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { difference, type Version } from '@skolo/backup';
import { HttpProblem, pause } from '@skolo/common';
import type { DeviceConnection } from '@skolo/equipment';
import type { BackupModel } from '@skolo/models/backup';
import { withoutVolatile } from '@skolo/models/configuration';
import type { InfrastructureDevice, Rack } from '@skolo/rack';
import type { Backup, Occasion } from './backup.ts';
import { BackupFailed } from './failure.ts';
import type { Fetch, Fetched } from './fetch.ts';
import type { Locks } from './locks.ts';
import type { PowerDaemon } from './power-daemon.ts';
import type { Readable } from './readable.ts';
import { Talk, type Transcripts } from './transcript.ts';
import type { Versions } from './versions.ts';

export interface RestoreDeps {
  rack: () => Rack;
  fetch: Fetch;
  backup: Backup;
  versions: Versions;
  readable: Readable;
  locks: Locks;
  power: Pick<PowerDaemon, 'wanted'>;
  transcripts: Transcripts;
  signal: AbortSignal;
}

export interface Rehearsal {
  /** Digest of what the device has now. */
  running: string;
  /** From what it has now to the version, masked. */
  diff: string;
  rehearsed: boolean;
  accepted?: boolean;
  said?: string;
  canApply: boolean;
}

export interface Restored {
  restored: boolean;
  remaining: string;
  steps: string[];
}

export class Restores {
  private readonly deps: RestoreDeps;
  private readonly working = new Set<Promise<unknown>>();

  constructor(deps: RestoreDeps) {
    this.deps = deps;
  }

  /** @throws HttpProblem, BackupFailed, BackupError */
  async check(version: Version): Promise<Rehearsal> {
    const { versions, transcripts } = this.deps;
    const device = this.device(version);
    const content = await versions.content(version);
    return await this.alone(device, async (talk) => {
      const now = await this.read(device, talk);
      const { model } = now;
      const facts = {
        running: digestOf(now.bytes, model),
        diff: this.diff(version, content, now.bytes),
        canApply: model.restore.apply !== undefined,
      };
      const rehearse = model.restore.check;
      if (rehearse === undefined) return { ...facts, rehearsed: false };
      const { accepted, said } = await this.connected(device, talk, (to) => rehearse(to, content));
      return {
        ...facts,
        rehearsed: accepted !== undefined,
        said: transcripts.message(said, talk, model.secrets),
        ...(accepted !== undefined && { accepted }),
      };
    });
  }

  /**
   * @param running as `check` gave it
   * @throws HttpProblem 409: the device has changed since, or its model has no safe way. BackupFailed, BackupError
   */
  async apply(version: Version, running: string, occasion: Occasion): Promise<Restored> {
    const { power, fetch, backup, versions, transcripts, signal } = this.deps;
    const device = this.device(version);
    const { apply } = fetch.model(device).restore;
    if (apply === undefined) {
      throw new HttpProblem(
        409,
        `a ${device.model} has no safe way to load a configuration from here; do it by hand: skolo backup restore ${device.name} --version ${version.id.slice(0, 12)}`,
      );
    }
    const content = await versions.content(version);
    return await this.alone(device, async (talk) => {
      if ((await power.wanted(signal)).has(device.name)) {
        throw new HttpProblem(
          409,
          `${device.name} is needed for a power cycle, or is being cycled; nothing was loaded, try again later`,
        );
      }
      const before = await this.read(device, talk);
      if (digestOf(before.bytes, before.model) !== running) {
        throw new HttpProblem(
          409,
          `${device.name} has changed since it was looked at; look again at what would change`,
        );
      }
      await backup.keep(device, before.fetched, occasion);
      const steps: string[] = [];
      await this.connected(device, talk, (to) =>
        apply(to, content, (step) => {
          steps.push(transcripts.message(step, talk, before.model.secrets));
        }),
      );
      const outcome = await backup.attempt(device, occasion, signal);
      if (outcome.failure !== undefined) {
        const what = `loaded (${steps.join('; ')}), but it cannot be read back: ${outcome.detail}`;
        throw new BackupFailed(device.name, outcome.failure, what);
      }
      const after = await versions.find(device.name, outcome.version ?? 'latest');
      const remaining = this.diff(version, content, await versions.content(after));
      return { restored: remaining === '', remaining, steps };
    });
  }

  /** Fulfilled when what is being loaded is loaded, or when that takes too long: half of it would be worse than none. */
  async windDown(mostMs: number): Promise<void> {
    const waited = new AbortController();
    await Promise.race([
      Promise.allSettled(this.working),
      pause(mostMs, waited.signal).catch(() => undefined),
    ]);
    waited.abort();
  }

  /** With nobody else at the device; what was said is kept where it fails. */
  private async alone<T>(
    device: InfrastructureDevice,
    work: (talk: Talk) => Promise<T>,
  ): Promise<T> {
    const { locks, transcripts, fetch } = this.deps;
    const talk = new Talk();
    const working = locks.hold(device.name, () => work(talk));
    this.working.add(working);
    try {
      return await working;
    } catch (error) {
      if (!(error instanceof BackupFailed)) throw error;
      const { secrets } = fetch.model(device);
      await transcripts.keep(device.name, talk, secrets);
      const what = error.message.slice(device.name.length + 2);
      throw new BackupFailed(device.name, error.failure, transcripts.message(what, talk, secrets));
    } finally {
      this.working.delete(working);
    }
  }

  private async connected<T>(
    device: InfrastructureDevice,
    talk: Talk,
    work: (connection: DeviceConnection) => Promise<T>,
  ): Promise<T> {
    return await this.deps.fetch.connected(device, talk, this.deps.signal, work);
  }

  private device(version: Version): InfrastructureDevice {
    const device = this.deps.rack().infrastructure.get(version.device);
    if (device === undefined) {
      throw new HttpProblem(
        409,
        `${version.device} is not in rack.yaml: there is nothing to load it into`,
      );
    }
    if (version.model !== undefined && version.model !== device.model) {
      throw new HttpProblem(
        409,
        `this version is of a ${version.model}, and ${device.name} is a ${device.model} now`,
      );
    }
    return device;
  }

  private async read(
    device: InfrastructureDevice,
    talk: Talk,
  ): Promise<{ bytes: Buffer; model: BackupModel; fetched: Fetched }> {
    const fetched = await this.deps.fetch.read(device, talk, this.deps.signal);
    const { content, model } = fetched;
    if ('bytes' in content) return { bytes: content.bytes, model, fetched };
    try {
      const bytes = await readLimited(device.name, content);
      return { bytes, model, fetched: { ...fetched, content: { bytes } } };
    } finally {
      await this.deps.fetch.drop(device);
    }
  }

  /** From what the device has to the version; what changes by itself is left out. */
  private diff(version: Version, content: Buffer, now: Buffer): string {
    const { readable } = this.deps;
    const model = readable.model(version);
    const text = (bytes: Buffer) =>
      withoutVolatile(readable.readable(version, bytes), model?.volatile ?? []);
    const names = {
      from: `${version.device} now`,
      to: `${version.device} ${version.id.slice(0, 12)}`,
    };
    return difference(text(now), text(content), names);
  }
}

/** Large ones are restored by hand. */
const mostBytes = 256 * 1024 * 1024;

async function readLimited(
  device: string,
  content: { file: string; size: number },
): Promise<Buffer> {
  if (content.size <= mostBytes) return await readFile(content.file);
  throw new BackupFailed(
    device,
    'refused',
    `${content.size} bytes are too many to be restored from here`,
  );
}

function digestOf(bytes: Buffer, model: BackupModel): string {
  const hash = createHash('sha256');
  if (model.format === 'tar') return hash.update(bytes).digest('hex');
  return hash.update(withoutVolatile(bytes.toString('latin1'), model.volatile)).digest('hex');
}
