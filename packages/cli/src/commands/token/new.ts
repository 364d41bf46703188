import type { Role } from '@skolo/rack';
import { InvalidArgumentError, Option } from 'commander';
import { spanMs } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { timestamp } from '../../output/time.ts';
import { tokenPath } from '../../rack-file.ts';

const roles = ['view', 'operate', 'admin'] as const satisfies readonly Role[];

interface Options {
  role: Role;
  /** Days. */
  expires: number;
  file?: string;
}

/** `skolo token new`: the token alone goes to standard output, so that it can go straight into a file. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'Makes a token and prints it, this once: only its hash is kept. Services know it at once. Names are those of people or programs; each name has one token.',
    )
    .summary('make a token and print it, once')
    .argument('<name>', 'whose it is')
    .addOption(
      new Option('--role <role>', 'what it allows: each role includes those before it')
        .choices(roles)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--expires <time>', 'how long it is good for: 12h, 90d, 52w')
        .argParser(days)
        .default(90, '90d'),
    )
    .option('--file <file>', 'the file of tokens, instead of the one that rack.yaml names')
    .uses('rack')
    .example('(umask 077; skolo token new ann --role operate --expires 30d > ~/.skolo-token)');

  command.action(async (name: string, { role, expires, file }: Options) => {
    const path = await tokenPath(command, file);
    const { newToken } = await import('@skolo/common');
    const now = io.now();
    const token = await newToken(path, { name, role, expiresInDays: expires, now });
    io.out(token);
    const end = timestamp(new Date(now + expires * 86_400_000));
    io.err(`token ${name}: role ${role}, until ${end}; kept in ${path}, as a hash only`);
  });
}

const mostDays = 3650;

function days(text: string): number {
  const found = (spanMs(text, 'hdw') ?? 0) / 86_400_000;
  if (found > 0 && found <= mostDays) return found;
  throw new InvalidArgumentError(`Give a number and h, d or w, such as 90d; at most ${mostDays}d`);
}
