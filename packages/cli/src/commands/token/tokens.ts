/** `skolo token new`, `list` and `revoke`: tokens in a rack's token file, and how long one may be valid. */

import { errorText } from '@skolo/base';
import { Secret } from '@skolo/base/secrets';
import type { TokenInfo } from '@skolo/common';
import type { Role } from '@skolo/rack';
import { InvalidArgumentError, Option } from 'commander';
import { roles, spanMs } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { type Column, printTable } from '../../output/table.ts';
import { duration, timestamp } from '../../output/time.ts';
import { interruptible } from '../../reach/racks.ts';
import { tokenPath } from '../../workstation/rack-file.ts';
import { openSecrets } from '../secrets/open-secrets.ts';

interface NewOptions {
  role: Role;
  /** Days. */
  expires: number;
  busy?: string[];
  endsOnIt?: true;
  file?: string;
}

/** `skolo token new`: prints only the token to standard output, for a file. */
export function create(command: SkoloCommand): void {
  command
    .description(
      'Creates a token and prints it once; only its hash is saved in the token file. Create a separate token for each person and each program. By default, the token file is the one specified in rack.yaml, and services accept the token immediately. With --on, the token file is in the secret store, and services accept the token after you run skolo secrets apply.',
    )
    .summary('create a token')
    .argument('<holder>', 'name of the person or program')
    .addOption(
      new Option(
        '--role <role>',
        'role; each role includes the permissions of the roles listed before it',
      )
        .choices(roles)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--expires <time>', 'lifetime: 12h, 90d, 52w').argParser(days).default(90, '90d'),
    )
    .option(
      '--busy <names...>',
      'allow it to say that jobs run on these machines or phones, for CI runners; quote ranges',
    )
    .option('--ends-on-it', 'allow it to end holds of incidents that are over, for machine-state')
    .option('--file <file>', 'token file, instead of the one in rack.yaml')
    .uses('rack')
    .example("skolo token new ci --role view --busy 'rpi-[001-010]' > ci-token")
    .example(
      '(umask 077; skolo token new ann --role operate --expires 30d --on rack4 > ~/.skolo-token)',
    );

  command.action(async (name: string, { role, expires, busy, endsOnIt, file }: NewOptions) => {
    const { newToken } = await import('@skolo/common');
    const now = command.io.now();
    let token = '';
    const where = await withTokenFile(command, file, async (path) => {
      token = await newToken(path, {
        name,
        role,
        expiresInDays: expires,
        now,
        ...(busy && { busy }),
        ...(endsOnIt && { endsOnIt }),
      });
    });
    command.io.out(token);
    const end = timestamp(new Date(now + expires * 86_400_000));
    command.io.err(`token ${name}: role ${role}, valid until ${end}; hash stored in ${where}`);
  });
}

const mostDays = 3650;

function days(text: string): number {
  const found = (spanMs(text, 'hdw') ?? 0) / 86_400_000;
  if (found > 0 && found <= mostDays) return found;
  throw new InvalidArgumentError(
    `expected a number followed by h, d or w, such as 90d, and at most ${mostDays}d`,
  );
}

/** `skolo token list`: lists names, roles and expiry of tokens. */
export function list(command: SkoloCommand): void {
  command
    .description(
      "Lists the name, role and expiry of each of the rack's tokens, but never the tokens themselves.",
    )
    .summary('list tokens')
    .option('--file <file>', 'token file, instead of the one in rack.yaml')
    .option('--json', 'print JSON')
    .uses('rack')
    .example('skolo token list --rack racks/rack4/rack.yaml');

  command.action(async ({ file, json }: { file?: string; json?: true }) => {
    const { listTokens } = await import('@skolo/common');
    let tokens: TokenInfo[] = [];
    await withTokenFile(command, file, async (path) => {
      tokens = await listTokens(path);
    });
    const now = command.io.now();
    if (json) printJson(command.io, { tokens: tokens.map((token) => asJson(token, now)) });
    else printTable(command.io, columns, tokens);
  });
}

const columns: Column<TokenInfo>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'ROLE', cell: ({ role }) => role },
  { title: 'MAY ALSO', cell: ({ rights }) => rightsText(rights) },
  { title: 'CREATED', cell: ({ created }) => timestamp(created) },
  { title: 'EXPIRES', cell: ({ expires }) => timestamp(expires) },
  {
    title: 'LEFT',
    cell: (token, now) =>
      isExpired(token, now) ? 'expired' : duration((token.expires.getTime() - now) / 1000),
    style: (token, now) => (isExpired(token, now) ? 'red' : undefined),
  },
];

function rightsText({ busy, endsOnIt }: TokenInfo['rights']): string {
  return [busy && `say busy on ${busy.join(', ')}`, endsOnIt && 'end on-it']
    .filter(Boolean)
    .join('; ');
}

function isExpired({ expires }: TokenInfo, now: number): boolean {
  return expires.getTime() <= now;
}

function asJson(token: TokenInfo, now: number) {
  const { name, role, created, expires, rights } = token;
  return {
    name,
    role,
    ...rights,
    created: created.toISOString(),
    expires: expires.toISOString(),
    expired: isExpired(token, now),
  };
}

/** `skolo token revoke`: removes a token. */
export function revoke(command: SkoloCommand): void {
  command
    .description(
      'Removes a token from the token file, so that services reject it. With --on, this takes effect when you run skolo secrets apply.',
    )
    .summary('revoke a token')
    .argument('<holder>', 'name of the person or program')
    .option('--file <file>', 'token file, instead of the one in rack.yaml')
    .uses('rack')
    .example('skolo token revoke ann');

  command.action(async (name: string, { file }: { file?: string }) => {
    const { revokeToken } = await import('@skolo/common');
    const where = await withTokenFile(command, file, (path) => revokeToken(path, name));
    command.io.err(`token ${name}: revoked in ${where}`);
  });
}

/**
 * Calls `use` with the path of the file. With `--on RACK`, and without `--file`, that is the value from the store, in a file in memory.
 * Changes that `use` makes are stored.
 *
 * @returns where the file is kept, for people
 */
async function withTokenFile(
  command: SkoloCommand,
  file: string | undefined,
  use: (path: string) => Promise<void>,
): Promise<string> {
  const { on } = command.globals();
  if (on === undefined || file !== undefined) {
    const path = await tokenPath(command, file);
    await use(path);
    return path;
  }
  const { secrets, store } = await openSecrets(command, on);
  const secret = secrets.find(({ kind }) => kind === 'token-file');
  if (secret === undefined) {
    throw new CliError(
      `${on}: rack.yaml has no token file; add \`access: { tokens: { file: secrets/tokens.yaml } }\``,
      exitCodes.badConfiguration,
    );
  }
  const { withPrivateFile } = await import('@skolo/fleet/secrets');
  return await interruptible(command, async (signal) => {
    const previous = (await store.read(secret.place, signal)) ?? new Secret('');
    const value = await withPrivateFile(command.io.env, secret.name, previous, (path) =>
      use(path).catch((cause: unknown) => {
        // The path in memory means nothing to people.
        const message = errorText(cause).replaceAll(path, secret.place);
        throw new CliError(message, exitCodes.failed, { cause });
      }),
    );
    signal.throwIfAborted();
    if (value.reveal() === previous.reveal()) return store.title;
    await store.write(secret.place, value);
    return `${store.title}; run skolo secrets apply ${on} to copy the token file to the rack`;
  });
}
