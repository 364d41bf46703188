import { difference, resolveVersion, shownRemote, type Version } from '@skolo/backup';
import { CliError } from '../../errors.ts';
import { type Copy, explaining, isTar } from './copy.ts';
import type { Reader } from './reader.ts';
import { shortVersionId } from './versions-table.ts';

/** What a copy has. */
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
        `${name}: it is an archive of files: ${get(`${name}.tar`)} gives it, and tar -xpf ${name}.tar -C / unpacks it where it belongs`,
      );
    }
    const which = version.model === undefined ? 'no model is known of it' : `of ${version.model}`;
    throw new CliError(
      `${name}: how it gets back into the device is not known (${which}); --rack FILE gives its model, and ${get('FILE')} what to bring back`,
    );
  }
  const { comment } = model.restore;
  const steps = model.restore.steps(content, { device, id, time });
  return { comment, steps, canApply: false, canCheck: false };
}
