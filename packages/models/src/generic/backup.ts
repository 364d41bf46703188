/**
 * A device that no model knows, described in rack.yaml: prompt, pager, commands, what its end looks like.
 *
 * Tried with: simulated switches of several families, each described in a few lines.
 * rack.yaml: `switch-9: { model: generic, address: 192.168.1.29, login: switches, prompt: '^[\w-]+[>#] ?$',
 * pagingOff: [terminal length 0], enable: enable, commands: [show running-config], complete: { end: '^end$' } }`
 * Oddities: the answers of all commands, one after another, are the configuration; each must have an answer. With `complete:
 * twice` lines that change by themselves have to be in `volatile`.
 */

import { type DeviceConnection, DeviceRefused, type Dialect } from '@skolo/equipment';
import { z } from 'zod';
import type {
  BackupModel,
  Content,
  Reading,
  RestoreAbout,
  RestoreStep,
} from '../contract/backup.ts';
import type { Device } from '../contract/device.ts';
import { lastLine, linesOf, plainText, quoted } from '../families/command-line/text-reading.ts';
import { genericDialect } from './dialect.ts';
import { generic as facts } from './facts.ts';

export function backup({ options }: Device): BackupModel {
  const described = z.object(facts.options).parse(options);
  const { commands, complete } = described;
  const dialect = genericDialect(described);
  const end = complete === 'twice' ? undefined : new RegExp(complete.end);
  return {
    format: 'text',
    read: (connection) => read(connection, commands, dialect),
    proof: end === undefined ? 'twice' : 'mark',
    incomplete: (content) => incomplete(content, end),
    messages: dialect.noise,
    volatile: expressions(described.volatile),
    secrets: expressions(described.secret),
    restore: { comment: '#', steps },
  };
}

function expressions(sources: readonly string[]): RegExp[] {
  return sources.map((source) => new RegExp(source));
}

async function read(
  connection: DeviceConnection,
  commands: readonly string[],
  dialect: Dialect,
): Promise<Reading> {
  const cli = await connection.cli(dialect);
  const answers: Buffer[] = [];
  for (const command of commands) {
    const answer = await cli.read(command);
    if (answer.toString('latin1').trim() === '') {
      throw new DeviceRefused(connection.device.name, `has no answer to ${quoted(command)}`);
    }
    answers.push(answer);
  }
  return { content: { bytes: Buffer.concat(answers) }, identity: {} };
}

function incomplete(content: Content, end: RegExp | undefined): string | undefined {
  const text = plainText(content);
  if (text.trim() === '') return 'it is empty';
  const last = lastLine(text);
  if (end === undefined || end.test(last)) return undefined;
  return `its last line is ${quoted(last)}, not what ${end} matches`;
}

function steps(content: Buffer, { device: { name } }: RestoreAbout): RestoreStep[] {
  return [
    {
      title: `No model describes how ${name} is restored. Type what is needed of these answers of its commands in its configuration mode`,
      where: 'device',
      lines: linesOf(content),
    },
  ];
}
