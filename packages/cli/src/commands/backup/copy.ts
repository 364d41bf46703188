/** Reads a copy of the history outside of the rack. */

import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  type BackupSource,
  difference,
  openSource,
  parseIdentities,
  resolveVersion,
  shownRemote,
  type Version,
} from '@skolo/backup';
import { orAborted } from '@skolo/errors';
import { models } from '@skolo/models';
import { type BackupModel, type CreateBackup, loadBackups } from '@skolo/models/backup';
import { BackupError, createMask, type Mask, textOf } from '@skolo/models/configuration';
import type { InfrastructureDevice, Rack } from '@skolo/rack';
import type { Secret } from '@skolo/secrets';
import type { Globals, SkoloCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../errors.ts';
import { loadRack } from '../../rack-file.ts';
import { badFile, readSecretFile } from '../../secret-file.ts';
import { shortVersionId } from './backup-text.ts';
import type { Reader } from './reader.ts';

export interface CopyOptions {
  from: string;
  identity?: string | undefined;
}

export interface Copy {
  source: BackupSource;
  /** Name of the rack, if `--rack` is given. */
  rack: string | undefined;
  devices(): Promise<string[]>;
  /** The newest first. */
  versions(device: string, limit?: number): Promise<Version[]>;
  /** Byte for byte. */
  content(version: Version): Promise<Buffer>;
  /** The device in rack.yaml, else what the version records; undefined if neither has it. */
  deviceOf(version: Version): InfrastructureDevice | undefined;
  /** Undefined if the model is unknown. */
  modelOf(version: Version): BackupModel | undefined;
  /** Text for people. Unless `secrets`, masked by the rules of its model or by general ones. */
  text(version: Version, content: Buffer, secrets: boolean): string;
}

/**
 * Calls `read` with the copy. Removes a temporary clone, which holds configurations, also on Ctrl-C.
 *
 * @throws CliError The copy cannot be opened or read, or Ctrl-C.
 */
export async function withCopy<T>(
  command: SkoloCommand,
  { from, identity }: CopyOptions,
  read: (copy: Copy) => Promise<T>,
): Promise<T> {
  const identities = identity === undefined ? [] : await readIdentities(identity);
  const rack = await rackOf(command.globals());
  const interrupt = new AbortController();
  const { signal } = interrupt;
  const stopListening = command.io.onInterrupt(() =>
    interrupt.abort(new CliError('interrupted', exitCodes.interrupted)),
  );
  let source: BackupSource | undefined;
  try {
    const place = await absolute(from);
    source = await explaining(() => openSource(place, { identities, signal }));
    const copy = copyOf(source, rack, await loadBackups(), createMask(randomBytes(32)), identity);
    return await orAborted(read(copy), signal);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    stopListening();
    await source?.close();
  }
}

function copyOf(
  source: BackupSource,
  rack: Rack | undefined,
  backups: ReadonlyMap<string, CreateBackup>,
  mask: Mask,
  identity: string | undefined,
): Copy {
  const noKey =
    identity === undefined
      ? 'give an age identity with --identity or SKOLO_AGE_IDENTITY_FILE'
      : `the identities given are in ${identity}`;
  function deviceOf({ device, model }: Version): InfrastructureDevice | undefined {
    const known = rack?.infrastructure.get(device);
    if (known !== undefined && (model === undefined || known.model === model)) return known;
    return model === undefined ? undefined : unknownDevice(device, model);
  }
  function modelOf(version: Version): BackupModel | undefined {
    const device = deviceOf(version);
    const create = device && backups.get(device.model);
    try {
      return device && create?.(device);
    } catch {
      // Needs options of rack.yaml, which is not given.
      return undefined;
    }
  }
  return {
    source,
    rack: rack?.name,
    devices: () => explaining(() => source.devices(), { noKey }),
    async versions(device, limit) {
      const options = limit === undefined ? {} : { limit };
      const versions = await explaining(() => source.versions(device, options), { noKey });
      if (versions.length > 0) return versions;
      throw new CliError(
        `${device}: no version; skolo backup status with the same --from lists devices`,
      );
    },
    content: (version) => explaining(() => source.content(version), { noKey }),
    deviceOf,
    modelOf,
    text(version, content, secrets) {
      const model = modelOf(version);
      const format = model?.format ?? (isTar(content) ? 'tar' : 'text');
      const text = textOf(content, format);
      if (secrets) return text;
      if (model !== undefined || format === 'text') return mask.text(text, model?.secrets ?? []);
      throw new CliError(
        `${version.device}: an archive of files that cannot be masked; --secrets prints it unmasked`,
      );
    },
  };
}

/** Makes a folder absolute; keeps a URL. */
async function absolute(from: string): Promise<string> {
  const path = resolve(from);
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ? path : from;
}

/** A device without its rack.yaml. */
function unknownDevice(name: string, model: string): InfrastructureDevice {
  const transport = models.get(model)?.transports[0] ?? 'ssh';
  return { name, model, transport, ports: {}, power: [], backup: true, options: {} };
}

/** The magic of a POSIX header. */
function isTar(content: Buffer): boolean {
  return content.subarray(257, 262).toString('latin1') === 'ustar';
}

/** Optional here. A rack that is given, by flag or variable, must be valid. */
async function rackOf(globals: Globals): Promise<Rack | undefined> {
  return globals.rackIsDefault ? undefined : loadRack(globals);
}

/** Reads an identity file as written by age-keygen. */
async function readIdentities(file: string): Promise<Secret[]> {
  const hint = 'set --identity or SKOLO_AGE_IDENTITY_FILE to a file with an age identity';
  const secret = await readSecretFile(file, hint);
  try {
    return parseIdentities(secret, file);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    throw badFile(error.message, hint, error);
  }
}

/** Adds subject and hint to the error of a copy. */
export async function explaining<T>(
  ask: () => Promise<T>,
  { subject, noKey }: { subject?: string; noKey?: string } = {},
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    const hint = error.code === 'no-key' && noKey !== undefined ? `; ${noKey}` : '';
    const message = `${subject === undefined ? '' : `${subject}: `}${error.message}${hint}`;
    throw new CliError(message, exitCodes.failed, { cause: error });
  }
}

/** Reads from a copy. */
export function copyReader(copy: Copy, from: string): Reader {
  const find = async (device: string, wanted: string) => {
    const versions = await copy.versions(device);
    return explaining(async () => resolveVersion(versions, wanted), { subject: device });
  };
  const textOf = async (version: Version, secrets: boolean) =>
    copy.text(version, await copy.content(version), secrets);
  return {
    versions: (device, limit) => copy.versions(device, limit),
    async content(device, wanted, secrets) {
      const version = await find(device, wanted);
      const content = await copy.content(version);
      return secrets ? content : Buffer.from(copy.text(version, content, false));
    },
    async diff(device, wanted, secrets) {
      const from = await find(device, wanted.from);
      const to = await find(device, wanted.to);
      const [before, after] = [await textOf(from, secrets), await textOf(to, secrets)];
      const names = { from: nameOf(from), to: nameOf(to) };
      return { from, to, diff: difference(before, after, names) };
    },
    async restoreSteps(device, wanted) {
      const version = await find(device, wanted);
      return { version, ...stepsOf(copy, version, await copy.content(version), from) };
    },
  };
}

function nameOf({ device, id, time }: Version): string {
  return `${device}\t${shortVersionId(id)}, ${time}`;
}

function stepsOf(copy: Copy, version: Version, content: Buffer, from: string) {
  const { device: name, id, time } = version;
  const device = copy.deviceOf(version);
  const model = copy.modelOf(version);
  if (device === undefined || model === undefined) {
    const get = (file: string) =>
      `skolo backup show ${name} --from ${shownRemote(from)} --secrets -o ${file}`;
    if (isTar(content)) {
      throw new CliError(
        `${name}: an archive of files: ${get(`${name}.tar`)} saves it, and tar -xpf ${name}.tar -C / unpacks it`,
      );
    }
    const which = version.model === undefined ? 'unknown' : version.model;
    throw new CliError(
      `${name}: no restore steps for its model (${which}); give --rack FILE, or save the version with ${get('FILE')}`,
    );
  }
  const { comment } = model.restore;
  const steps = model.restore.steps(content, { device, id, time });
  return { comment, steps, canApply: false, canCheck: false };
}
