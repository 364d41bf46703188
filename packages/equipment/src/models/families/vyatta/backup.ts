/**
 * Common parts of EdgeOS and VyOS: Vyatta's configuration system.
 *
 * A version is what `save` would write: /config/config.boot unchanged if it matches the active configuration, otherwise the active
 * configuration followed by config.boot's version comments. The active configuration has no recognisable end, so it is trusted if it
 * matches the file, or was read twice. With `export: commands`, a version is the `set` commands that would create it.
 */

import { AnswerCut, type DeviceConnection } from '@skolo/equipment/transports';
import type { BackupModel, Content, Reading } from '../../contract/backup.ts';
import type { Device } from '../../contract/device.ts';
import { Optional } from '../optional.ts';
import { apply, check } from './apply.ts';
import {
  commandsOf,
  extentOf,
  isSameSettings,
  quotedLike,
  settingsIn,
  settingsOf,
  splitVersions,
  valueIn,
  whyCut,
  whyNoCommands,
} from './configuration.ts';
import {
  readBoot,
  readChangedBy,
  readCommands,
  readPlainText,
  readRunning,
  readRunningText,
  readSerial,
} from './read.ts';
import { vyattaSecrets } from './secrets.ts';
import { commandSteps, fileSteps } from './steps.ts';

export function backup({ options }: Device): BackupModel {
  const asCommands = options.export === 'commands';
  return {
    format: 'text',
    read: asCommands ? readAsCommands : readAsFile,
    verifiedBy: asCommands ? 'twice' : 'mark',
    incomplete: (content) => whyIncomplete(content, asCommands),
    volatile: [],
    secrets: vyattaSecrets,
    restore: {
      comment: '#',
      steps: (content, about) =>
        isCommands(content) ? commandSteps(content, about) : fileSteps(content, about),
      ...(!asCommands && { check, apply }),
    },
  };
}

async function readAsFile(connection: DeviceConnection): Promise<Reading> {
  const boot = await readBoot(connection);
  const running = await readRunningText(connection);
  const { body, versions } = splitVersions(boot);
  const [saved, active] = [settingsIn(body), settingsIn(running)];
  const isSaved = isSameSettings(saved, active);
  if (!isSaved && running !== (await readRunningText(connection))) throw differs(connection);
  const text = isSaved ? boot : `${quotedLike(running, body).trimEnd()}\n${versions}`;
  return {
    content: { bytes: Buffer.from(text, 'latin1') },
    ...(await about(connection, text)),
    startup: Buffer.from(boot, 'latin1'),
  };
}

async function readAsCommands(connection: DeviceConnection): Promise<Reading> {
  const bytes = await readCommands(connection);
  const commands = bytes.toString('latin1');
  const plain = settingsIn(await readPlainText(connection));
  // Commands have no recognisable end, but the blocks that they create do.
  if (plain.length !== settingsOf(commands).length) throw differs(connection);
  const saved = settingsIn(splitVersions(await readBoot(connection)).body);
  const isSaved = isSameSettings(saved, await readRunning(connection));
  const startup = typeof saved === 'string' ? '' : commandsOf(saved);
  return {
    content: { bytes },
    ...(await about(connection, commands)),
    startup: isSaved ? bytes : Buffer.from(startup, 'latin1'),
  };
}

async function about(connection: DeviceConnection, text: string) {
  const settings = isCommands(Buffer.from(text, 'latin1'))
    ? settingsOf(text)
    : settingsIn(splitVersions(text).body);
  const hostname = typeof settings === 'string' ? undefined : valueIn(settings, 'system host-name');
  const optional = new Optional(connection);
  const serial = await optional.ask(() => readSerial(connection));
  const changedBy = await optional.ask(() => readChangedBy(connection));
  const { unseen } = optional;
  return { identity: { serial, hostname }, changedBy, extent: extentOf(text), unseen };
}

function whyIncomplete(content: Content, asCommands: boolean): string | undefined {
  if (!('bytes' in content)) return 'the file is too large to be a configuration';
  const text = content.bytes.toString('latin1');
  return asCommands ? whyNoCommands(text) : whyCut(text);
}

function isCommands(content: Buffer): boolean {
  return content.subarray(0, 4).toString() === 'set ';
}

function differs({ device }: DeviceConnection): AnswerCut {
  const what =
    'two readings of the active configuration differ: one of them is incomplete, or another session is changing it';
  return new AnswerCut(device.name, what);
}
