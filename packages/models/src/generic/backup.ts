/**
 * A device that no model knows, described in rack.yaml: prompt, pager, commands, what its end looks like.
 *
 * Tried with: simulated switches of several families, each described in a few lines.
 * rack.yaml: `switch-9: { model: generic, address: 192.168.1.29, login: switches, prompt: '^[\w-]+[>#] ?$',
 * pagingOff: [terminal length 0], enable: enable, commands: [show running-config], complete: { end: '^end$' } }`
 * Oddities: the answers of all commands, one after another, are the configuration; each must have an answer. With `complete:
 * twice` lines that change by themselves have to be in `volatile`.
 */

import type { DeviceConnection } from '@skolo/equipment';
import { DeviceRefused, type Dialect } from '@skolo/equipment';
import { models } from '@skolo/models';
import { z } from 'zod';
import type { BackupModel, Content, Reading, RestoreAbout, RestoreStep } from '../backup.ts';
import type { Device } from '../device.ts';
import { lastLine, linesOf, plainText, quoted } from '../families/text-reading.ts';
import { genericDialect } from './dialect.ts';

const Expression = z.string().transform((source) => new RegExp(source));
const Described = z.object({
  prompt: Expression,
  pagingOff: z.array(z.string()),
  enable: z.string().optional(),
  commands: z.array(z.string()),
  complete: z.union([z.object({ end: Expression }), z.literal('twice')]),
  volatile: z.array(Expression),
  secret: z.array(Expression),
  refused: z.array(Expression),
  logout: z.string(),
});
type Described = z.output<typeof Described>;

export function backup({ options }: Device): BackupModel {
  // rack.yaml gives what it gives; the rest are the defaults of its schema.
  const described = z
    .object(models.get('generic')?.options ?? {})
    .pipe(Described)
    .parse(options);
  const { complete, volatile, secret } = described;
  const dialect = dialectOf(described);
  return {
    name: 'generic',
    format: 'text',
    read: (connection) => read(connection, described, dialect),
    proof: complete === 'twice' ? 'twice' : 'mark',
    incomplete: (content) => incomplete(content, complete),
    messages: dialect.noise,
    volatile,
    secrets: secret,
    restore: { comment: '#', steps },
  };
}

function dialectOf({ prompt, pagingOff, enable, refused, logout }: Described): Dialect {
  return genericDialect({
    prompt,
    pagingOff,
    refused,
    logout,
    ...(enable !== undefined && { enable }),
  });
}

async function read(
  connection: DeviceConnection,
  { commands }: Described,
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

function incomplete(content: Content, complete: Described['complete']): string | undefined {
  const text = plainText(content);
  if (text.trim() === '') return 'it is empty';
  if (complete === 'twice') return undefined;
  const last = lastLine(text);
  return complete.end.test(last)
    ? undefined
    : `its last line is ${quoted(last)}, not what ${complete.end} matches`;
}

function steps(content: Buffer, { device: { name } }: RestoreAbout): RestoreStep[] {
  return [
    {
      title: `How ${name} takes it back is not known here: what its commands answered is below, to be typed where it is told to be configured`,
      where: 'device',
      lines: linesOf(content),
    },
  ];
}
