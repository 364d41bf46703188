import type { Role } from '@skolo/rack';
import { InvalidArgumentError, Option } from 'commander';
import { spanMs } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { timestamp } from '../../output/time.ts';
import { tokenPath } from '../../rack-file.ts';

const roles = ['view', 'operate', 'admin'] as const satisfies readonly Role[];

interface Options {
  role: Role;
  /** Days. */
  expires: number;
  file?: string;
}

/** `skolo token new`: prints only the token to standard output, for a file. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Makes a token and prints it once; the file keeps only its hash. Services accept it immediately. A name stands for a person or a program and has one token.',
    )
    .summary('make a token')
    .argument('<name>', 'name of the person or program')
    .addOption(
      new Option('--role <role>', 'permissions; each role includes those before it')
        .choices(roles)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--expires <time>', 'lifetime: 12h, 90d, 52w').argParser(days).default(90, '90d'),
    )
    .option('--file <file>', 'file of tokens, instead of the one in rack.yaml')
    .uses('rack')
    .example('(umask 077; skolo token new ann --role operate --expires 30d > ~/.skolo-token)');

  command.action(async (name: string, { role, expires, file }: Options) => {
    const path = await tokenPath(command, file);
    const { newToken } = await import('@skolo/common');
    const now = command.io.now();
    const token = await newToken(path, { name, role, expiresInDays: expires, now });
    command.io.out(token);
    const end = timestamp(new Date(now + expires * 86_400_000));
    command.io.err(`token ${name}: role ${role}, until ${end}; hash stored in ${path}`);
  });
}

const mostDays = 3650;

function days(text: string): number {
  const found = (spanMs(text, 'hdw') ?? 0) / 86_400_000;
  if (found > 0 && found <= mostDays) return found;
  throw new InvalidArgumentError(
    `expected a number and h, d or w, such as 90d; at most ${mostDays}d`,
  );
}
