/**
 * A rack's versions, and who may see their secrets: those of equipment in the history, those of the jumphost as encrypted archives.
 * Secrets in a version's text are masked unless the reader may see them.
 */
import { inspect } from 'node:util';
import { type CommitAbout, resolveVersion, shownId, type Version } from '@skolo/backup';
import { isObject, parseJson, sha256 } from '@skolo/base';
import { HttpProblem } from '@skolo/common';
import type { BackupModel, CreateBackup, SecretRule } from '@skolo/equipment/models/backup';
import { BackupError } from '@skolo/equipment/models/configuration';
import type { Equipment, Rack } from '@skolo/rack';
import type { JumphostBackup } from '../jumphost/backup.ts';
import { deviceOf, jumphostModel, startupNameOf } from '../targets.ts';
import type { MaskKey } from '../texts/mask-key.ts';
import { type Input, type Requester, type Texts, TooMuchWork } from '../texts.ts';
import type { Store } from './store.ts';

/** What the history and the archives have in common. */
interface VersionSource {
  versions(device: string, options?: { limit?: number }): Version[] | Promise<Version[]>;
  newest(device: string): Version | undefined | Promise<Version | undefined>;
  count(device: string): number | Promise<number>;
  content(version: Version): Promise<Buffer>;
}

export interface VersionsDeps {
  rack: () => Rack;
  models: ReadonlyMap<string, CreateBackup>;
  maskKey: MaskKey;
  texts: Texts;
  store: Pick<Store, 'repository'>;
  jumphost: Pick<JumphostBackup, 'archives'>;
}

/** Text takes many times its size in memory, and every caller with the role view may request it. */
const mostBytes = 8 * 1024 * 1024;
/** Changes of larger contents are not counted in lines. */
const countedUpTo = 2 * 1024 * 1024;
/** For what the service itself does. */
const itself: Requester = { name: '' };

/** What decides how a content is shown. */
type Described = Pick<Version, 'device' | 'model' | 'description'>;

/** All methods throw BackupError. */
export class Versions {
  private readonly deps: VersionsDeps;

  constructor(deps: VersionsDeps) {
    this.deps = deps;
  }

  /** Whether a device's versions are archives. */
  isArchived(device: string): boolean {
    return device === this.deps.rack().jumphost.name;
  }

  /** Names of devices in the history, without the jumphost. */
  async inHistory(): Promise<string[]> {
    return await this.deps.store.repository.devices();
  }

  /** Names of devices with archives, which do not depend on the history. */
  async inArchives(): Promise<string[]> {
    const archives = await this.deps.jumphost.archives();
    return archives.count() > 0 ? [archives.device] : [];
  }

  /** Newest first. */
  async list(device: string, limit?: number): Promise<Version[]> {
    return await (await this.of(device)).versions(device, limit === undefined ? {} : { limit });
  }

  async newest(device: string): Promise<Version | undefined> {
    return await (await this.of(device)).newest(device);
  }

  async count(device: string): Promise<number> {
    return await (await this.of(device)).count(device);
  }

  /** @param wanted as accepted by `resolveVersion` of `@skolo/backup`, or `startup` */
  async find(device: string, wanted: string): Promise<Version> {
    if (wanted === 'startup') {
      const startup = await this.newest(startupNameOf(device));
      if (startup !== undefined) return startup;
      throw new BackupError(
        'not-found',
        `${device}: the history does not contain a startup configuration that differs from the running one`,
      );
    }
    if (wanted === 'latest') {
      const newest = await this.newest(device);
      if (newest !== undefined) return newest;
    }
    const versions = await this.list(device);
    if (versions.length === 0) {
      throw new BackupError('not-found', `${device} has not been backed up yet`);
    }
    return resolveVersion(versions, wanted, shownId);
  }

  async content(version: Version): Promise<Buffer> {
    return await (await this.of(version.device)).content(version);
  }

  /** Writes the unchanged content to a file that does not exist yet. */
  async contentToFile(version: Version, file: string): Promise<void> {
    await this.deps.store.repository.contentToFile(version, file);
  }

  /** The file of an archive, which is already compressed and encrypted. Undefined: the version is not an archive. */
  async archive({ id, device }: Version): Promise<string | undefined> {
    return this.isArchived(device) ? (await this.deps.jumphost.archives()).file(id) : undefined;
  }

  /** In UTF-8. @throws BackupError. HttpProblem 409: it is an archive, or too large. 429 */
  async text(version: Version, showsSecrets: boolean, by = itself): Promise<Uint8Array> {
    const { size = 0 } = version;
    if (version.model === jumphostModel) {
      const detail = 'this is an encrypted archive; to download it unchanged, use secrets=true';
      throw new HttpProblem(409, detail);
    }
    if (size > mostBytes) throw tooLarge(version);
    const key = showsSecrets ? undefined : this.keyOf(version);
    const input = async () => this.textInput(version, await this.content(version), showsSecrets);
    return await this.deps.texts.shown('text', { key, by }, input).catch(tooMuchFor(version));
  }

  /** Text with masked secrets, without volatile lines, of bytes that may not be a version. @throws TooMuchWork */
  async comparable(of: Described, content: Buffer): Promise<Uint8Array> {
    const { volatile = [] } = this.model(of) ?? {};
    return await this.deps.texts.run('text', { ...this.textInput(of, content, false), volatile });
  }

  /** What a new version's commit says about its content, as far as that does not take too long. */
  async measured(
    of: Described,
    content: Buffer,
    before: Version | undefined,
  ): Promise<Pick<CommitAbout, 'shownSize' | 'summary'>> {
    const isSmall =
      before?.size !== undefined && Math.max(before.size, content.length) <= countedUpTo;
    try {
      const input = {
        ...this.textInput(of, content, false),
        before: isSmall ? await this.content(before) : undefined,
      };
      const { size, lines } = await this.deps.texts.run('measured', input);
      return { shownSize: size, summary: lines && `changed (${lines})` };
    } catch {
      // A damaged version must not prevent the next one from being stored.
      return {};
    }
  }

  /** A unified diff; empty if equal. @throws BackupError. HttpProblem 409, 429 */
  async diff(from: Version, to: Version, showsSecrets: boolean, by = itself): Promise<string> {
    const one = await this.text(from, showsSecrets, by);
    const other = await this.text(to, showsSecrets, by);
    const names = { from: nameOf(from), to: nameOf(to) };
    const key = showsSecrets
      ? undefined
      : [this.keyOf(from), this.keyOf(to), names.from, names.to].join(' ');
    const input = async () => ({ from: one, to: other, names });
    const { texts } = this.deps;
    const diff = await texts.shown('difference', { key, by }, input).catch(tooMuchFor(to));
    return `${Buffer.from(diff)}`;
  }

  /** The model of a version: that of the device's current entry in rack.yaml, or else the one that the version names. */
  model(of: Described): BackupModel | undefined {
    const { rack, models } = this.deps;
    const { device: name, model } = of;
    const { equipment } = rack();
    const device = equipment.get(name) ?? equipment.get(deviceOf(name));
    if (device !== undefined && (model === undefined || device.model === model)) {
      return models.get(device.model)?.(device);
    }
    return model === undefined ? undefined : this.modelThen(of);
  }

  /** As it was when the version was stored. */
  private modelThen({ device: name, model = '', description }: Described): BackupModel | undefined {
    const options = parseJson(description ?? '{}');
    const retired: Equipment = {
      name,
      model,
      ports: {},
      power: [],
      transport: 'ssh',
      backup: true,
      options: isObject(options) ? options : {},
    };
    try {
      return this.deps.models.get(model)?.(retired);
    } catch {
      // A version of an earlier release has no description, and was shown by its entry in rack.yaml only.
      return undefined;
    }
  }

  /** Also those that the description had when the version was stored. */
  private secretsOf(of: Described): readonly SecretRule[] {
    const now = this.model(of)?.secrets ?? [];
    if (of.description === undefined) return now;
    return [...now, ...(this.modelThen(of)?.secrets ?? [])];
  }

  private textInput(of: Described, content: Buffer, showsSecrets: boolean): Input<'text'> {
    const { format = 'text' } = this.model(of) ?? {};
    const rules = this.secretsOf(of);
    const masking = showsSecrets ? undefined : { key: this.deps.maskKey(of.device), rules };
    return { content, format, masking };
  }

  /** What the masked text depends on. Another version may have the same content. */
  private keyOf(version: Version): string {
    const { device, sha1, id } = version;
    const { format } = this.model(version) ?? {};
    const depends = [device, sha1 ?? id, format, this.secretsOf(version)];
    return sha256(inspect(depends, { depth: 3, maxArrayLength: null }));
  }

  private async of(device: string): Promise<VersionSource> {
    const { store, jumphost } = this.deps;
    return this.isArchived(device) ? await jumphost.archives() : store.repository;
  }
}

function nameOf(version: Version): string {
  return `${version.device} ${shownId(version).slice(0, 12)} ${version.time}`;
}

function tooLarge(version: Version): HttpProblem {
  const id = shownId(version).slice(0, 12);
  const how = `skolo backup show ${version.device} --version ${id} --secrets -o FILE`;
  return new HttpProblem(409, `the version is too large to display; as an admin, run: ${how}`);
}

function tooMuchFor(version: Version): (error: unknown) => never {
  return (error) => {
    throw error instanceof TooMuchWork ? tooLarge(version) : error;
  };
}
