/**
 * Restores a version to its device: rehearses it, and decides whether it is loaded, which only some models can do safely, and never if
 * skolo only observes it (`acts: false`). The device's current configuration is stored in the history first, so that a restore can be
 * undone.
 */

import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { routerBackupApi } from '@skolo/api';
import { shownId, type Version } from '@skolo/backup';
import { settlesWithin } from '@skolo/base';
import { SlowExpression } from '@skolo/base/described-expression';
import { type CrashNotes, HttpProblem } from '@skolo/common';
import type { BackupModel } from '@skolo/equipment/models/backup';
import { withoutVolatile } from '@skolo/equipment/models/configuration';
import type { DeviceConnection } from '@skolo/equipment/transports';
import { connectedTo, dependsOn, type Equipment, type Rack, whyNotActing } from '@skolo/rack';
import type { z } from 'zod';
import type { Versions } from '../history/versions.ts';
import { jumphostSteps } from '../jumphost/backup.ts';
import type { Occasion } from '../outcome.ts';
import { BackupFailed } from '../read/failure.ts';
import type { Fetch, Fetched } from '../read/fetch.ts';
import { Transcript, type Transcripts } from '../read/transcript.ts';
import type { RunsDeps } from '../runs/runs.ts';
import type { State } from '../state.ts';
import { jumphostModel } from '../targets.ts';
import type { MaskKey } from '../texts/mask-key.ts';
import type { Texts } from '../texts.ts';

interface RestoreDeps extends Pick<RunsDeps, 'signal' | 'attempts' | 'locks' | 'power'> {
  rack: () => Rack;
  fetch: Fetch;
  versions: Versions;
  state: Pick<State, 'partialOf'>;
  texts: Pick<Texts, 'run'>;
  maskKey: MaskKey;
  crashNotes: Pick<CrashNotes, 'noted'>;
  transcripts: Transcripts;
}

type Api = typeof routerBackupApi;
type RestoreSteps = Omit<z.output<Api['restoreSteps']['answers'][200]>, 'version'>;
type Rehearsal = Omit<z.output<Api['checkRestore']['answers'][200]>, 'version'>;
type Restored = Omit<z.output<Api['restore']['answers'][200]>, 'version'>;

export class DeviceRestores {
  private readonly deps: RestoreDeps;
  private readonly working = new Set<Promise<unknown>>();

  constructor(deps: RestoreDeps) {
    this.deps = deps;
  }

  /** The manual steps, as text that the device accepts. @throws HttpProblem 409: they are not known. BackupError */
  async steps(version: Version): Promise<RestoreSteps> {
    const { rack, versions } = this.deps;
    const { time } = version;
    const id = shownId(version);
    if (version.model === jumphostModel) return jumphostSteps(version);
    const device = rack().equipment.get(version.device);
    const model = versions.model(version);
    if (device === undefined || model === undefined) {
      const how = `skolo backup show ${version.device} --version ${id.slice(0, 12)} --secrets`;
      const why =
        device === undefined
          ? `${version.device} is not in rack.yaml`
          : `${device.name}: ${version.model ?? device.model} is not a known model`;
      throw new HttpProblem(
        409,
        `${why}, so the restore steps are unknown; to see the configuration, run: ${how}`,
      );
    }
    const { comment, steps, apply, check } = model.restore;
    return {
      comment,
      steps: steps(await versions.content(version), { device, id, time }),
      canApply: apply !== undefined,
      canCheck: check !== undefined,
    };
  }

  /** @throws HttpProblem, BackupFailed, BackupError */
  async check(version: Version): Promise<Rehearsal> {
    const { versions, transcripts } = this.deps;
    const device = this.device(version);
    const content = await versions.content(version);
    return await this.alone(device, async (transcript) => {
      const now = await this.read(device, transcript);
      const { model } = now;
      const facts = {
        running: await this.digestOf(device, now.bytes, model),
        diff: await this.diff(version, content, now.bytes),
        canApply: model.restore.apply !== undefined,
      };
      const rehearse = model.restore.check;
      if (rehearse === undefined) return { ...facts, rehearsed: false };
      const { accepted, said } = await this.connected(device, transcript, (to) =>
        rehearse(to, content),
      );
      return {
        ...facts,
        rehearsed: accepted !== undefined,
        said: await transcripts.message(said, device.name, transcript, model.secrets),
        accepted,
      };
    });
  }

  /**
   * @param running as returned by `check`
   * @throws HttpProblem 409: the device has changed since, or its model cannot load it safely. BackupFailed, BackupError
   */
  async apply(version: Version, running: string, occasion: Occasion): Promise<Restored> {
    const { power, fetch, attempts, versions, transcripts, state, signal } = this.deps;
    const device = this.device(version);
    const { apply } = fetch.model(device).restore;
    if (apply === undefined) {
      const how = `skolo backup restore ${device.name} --version ${shownId(version).slice(0, 12)}`;
      const why = `model ${device.model} cannot load a configuration safely over the network`;
      throw new HttpProblem(409, `${why}; to print the steps for a manual restore, run: ${how}`);
    }
    const partial = state.partialOf(version);
    if (partial !== undefined) {
      const how = `skolo backup restore ${device.name} --version ${shownId(version).slice(0, 12)}`;
      const why = `this version is only a part of the configuration (${partial}), and loading it would remove the rest`;
      throw new HttpProblem(409, `${why}; to print the steps for a manual restore, run: ${how}`);
    }
    const content = await versions.content(version);
    return await this.alone(device, async (transcript) => {
      if ((await power.wanted(signal)).has(device.name)) {
        throw new HttpProblem(
          409,
          `${device.name} is needed for a power cycle, or is being power-cycled itself, so nothing was loaded; try again later`,
        );
      }
      const before = await this.read(device, transcript);
      if ((await this.digestOf(device, before.bytes, before.model)) !== running) {
        throw new HttpProblem(
          409,
          `the configuration of ${device.name} has changed since the check; run the check again`,
        );
      }
      await attempts.storeIfNew(device, before.fetched, occasion);
      const said: string[] = [];
      await this.connected(device, transcript, (to) =>
        apply(to, content, (step) => void said.push(step)),
      );
      const { name, model } = device;
      const steps: string[] = [];
      for (const step of said) {
        steps.push(await transcripts.message(step, name, transcript, before.model.secrets));
      }
      const outcome = await attempts.attempt({ name, model, device }, occasion, signal);
      if (outcome.failure !== undefined) {
        const what = `the version was loaded (${steps.join('; ')}), but could not be read back: ${outcome.detail}`;
        throw new BackupFailed(device.name, outcome.failure, what);
      }
      const after = await versions.find(device.name, outcome.version ?? 'latest');
      const remaining = await this.diff(version, content, await versions.content(after));
      return { restored: remaining === '', remaining, steps };
    });
  }

  /** Waits for loading in progress, but at most `mostMs`: half a configuration is worse than no restore. */
  async windDown(mostMs: number): Promise<void> {
    await settlesWithin(mostMs, Promise.allSettled(this.working));
  }

  /** Without other sessions of ours with the device. Keeps the transcript if it fails. */
  private async alone<T>(
    device: Equipment,
    work: (transcript: Transcript) => Promise<T>,
  ): Promise<T> {
    const { locks, transcripts, fetch, crashNotes } = this.deps;
    const transcript = new Transcript();
    const working = locks.hold(device.name, () =>
      crashNotes.noted(device.name, () => work(transcript)),
    );
    this.working.add(working);
    try {
      return await working;
    } catch (error) {
      if (!(error instanceof BackupFailed || error instanceof SlowExpression)) throw error;
      const { secrets } = fetch.model(device);
      await transcripts.write(device.name, transcript, secrets);
      // Without its cause, which may quote the device.
      const { name } = device;
      const { failure, what } = await transcripts.failure(name, error, transcript, secrets);
      throw new BackupFailed(name, failure, what);
    } finally {
      this.working.delete(working);
    }
  }

  private async connected<T>(
    device: Equipment,
    transcript: Transcript,
    work: (connection: DeviceConnection) => Promise<T>,
  ): Promise<T> {
    return await this.deps.fetch.connected(device, transcript, this.deps.signal, work);
  }

  private device(version: Version): Equipment {
    const device = this.deps.rack().equipment.get(version.device);
    if (device === undefined) {
      throw new HttpProblem(409, `${version.device} is not in rack.yaml, so it cannot be restored`);
    }
    // A rehearsal also writes to many devices.
    const why = whyObserved(device, this.deps.rack());
    if (why !== undefined) throw new HttpProblem(409, `${device.name}: ${why}`);
    if (version.model !== undefined && version.model !== device.model) {
      throw new HttpProblem(
        409,
        `this version was backed up from model ${version.model}, but ${device.name} is now model ${device.model}`,
      );
    }
    return device;
  }

  private async read(
    device: Equipment,
    transcript: Transcript,
  ): Promise<{ bytes: Buffer; model: BackupModel; fetched: Fetched }> {
    const fetched = await this.deps.fetch.read(device, transcript, this.deps.signal);
    const { content, model } = fetched;
    if ('bytes' in content) return { bytes: content.bytes, model, fetched };
    try {
      const bytes = await readLimited(device.name, content);
      return { bytes, model, fetched: { ...fetched, content: { bytes } } };
    } finally {
      await this.deps.fetch.drop(device);
    }
  }

  /** The difference from the device to the version, without what changes by itself. */
  private async diff(version: Version, content: Buffer, now: Buffer): Promise<string> {
    const { versions, texts } = this.deps;
    const from = await versions.comparable(version, now);
    const to = await versions.comparable(version, content);
    const { device } = version;
    const names = { from: `${device} now`, to: `${device} ${shownId(version).slice(0, 12)}` };
    return `${Buffer.from(await texts.run('difference', { from, to, names }))}`;
  }

  /** Keyed, because the audit log shows it to operators. */
  private async digestOf({ name }: Equipment, bytes: Buffer, model: BackupModel): Promise<string> {
    const { format, volatile } = model;
    const kept =
      format === 'tar' ? bytes : await withoutVolatile(bytes.toString('latin1'), volatile);
    return createHmac('sha256', this.deps.maskKey(name)).update(kept).digest('hex');
  }
}

const mostBytes = 256 * 1024 * 1024;

async function readLimited(
  device: string,
  content: { file: string; size: number },
): Promise<Buffer> {
  if (content.size <= mostBytes) return await readFile(content.file);
  throw new BackupFailed(
    device,
    'rejected',
    `the configuration is too large for this command (${content.size} bytes)`,
  );
}

/**
 * Why a device must not be restored: skolo only observes the rack, or a machine that is connected to the device. A device that powers a
 * machine or its phones through others counts, one that only connects it to the network through others does not: the router would be one.
 */
function whyObserved({ name }: Equipment, rack: Rack): string | undefined {
  const own = whyNotActing(rack);
  if (own !== undefined) return own;
  for (const machine of rack.machines.values()) {
    const why = whyNotActing(rack, machine);
    if (why === undefined) continue;
    if (connectedTo(machine).has(name)) return `${machine.name} is connected to it, and ${why}`;
    const all = [machine.name, ...machine.devices.map(({ fullName }) => fullName)];
    const powered = all.find((each) => dependsOn(rack, each, ['power']).includes(name));
    if (powered !== undefined) return `it powers ${powered}, and ${why}`;
  }
  return undefined;
}
