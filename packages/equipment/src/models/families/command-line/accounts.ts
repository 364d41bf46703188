/** Passwords that are statements of a configuration, on devices with a configuration mode. */

import type { Secret } from '@skolo/base/secrets';
import {
  type CliSession,
  DeviceRejected,
  type Dialect,
  escapePattern,
} from '@skolo/equipment/transports';
import type { AccountPart, Accounts } from '../../contract/accounts.ts';
import { openCliOf } from './session.ts';

interface CliAccounts {
  dialect: Dialect;
  /** Enters and leaves the configuration mode. */
  enter?: string;
  leave?: string;
  /** By part: the statement with a new value. */
  statements: Readonly<Partial<Record<AccountPart, Statement>>>;
  /** Commands that save, and the answer of the last one that confirms it. */
  save: { commands: readonly string[]; done: RegExp };
}

/** A configuration statement. Repeats the user's attributes in it, such as the level. */
interface Statement {
  /** Pattern of the active one, matched from its first character. Absent if users are kept elsewhere. */
  find(user: string): string;
  /** One line. @param groups of the pattern */
  write(value: string, groups: Readonly<Record<string, string | undefined>>): string;
}

/** Replaces the text after the group `start` with a plain-text value. */
export function plainBehind(value: string, { start }: Parameters<Statement['write']>[1]): string {
  return `${start} 0 ${value}`;
}

/** No characters with a special meaning at a command line, such as blanks, quotes, `?` or `!`. */
const safe = /^[A-Za-z0-9][\w.,:;=+@%/-]*$/;

/** A value as it is typed. @throws DeviceRejected */
export function typed(device: string, value: Secret): string {
  if (safe.test(value.reveal())) return value.reveal();
  const why = 'the new value contains characters that the command line may interpret';
  throw new DeviceRejected(device, why);
}

/** @param what the configuration has: `no password for ann` */
export function managedElsewhere(device: string, what: string): DeviceRejected {
  const hint = 'check whether an authentication server manages it';
  return new DeviceRejected(device, `the configuration has ${what}; ${hint}`);
}

export function cliAccounts({
  dialect,
  enter = 'configure terminal',
  leave = 'end',
  statements,
  save,
}: CliAccounts): Accounts {
  const parts = Object.keys(statements).filter(
    (key) => key === 'password' || key === 'enablePassword',
  );
  return {
    parts,
    async open(device, access, signal) {
      const { name } = device;
      const { username = '' } = await access.credentials();
      const session = await openCliOf(device, access, dialect, signal);
      const run = (command: string) => session.run(command, { signal, timeoutMs: 120_000 });
      return {
        async set(values) {
          const shown = (
            await session.read('show running-config', { signal, timeoutMs: 60_000 })
          ).toString();
          const lines = parts.flatMap((part) => {
            const value = values[part];
            return value === undefined ? [] : [lineFor(part, value, shown)];
          });
          await inMode(session, run, lines);
        },
        async save() {
          let answer = '';
          for (const command of save.commands) answer = await run(command);
          if (!save.done.test(answer))
            throw new DeviceRejected(name, 'did not confirm that it saved the change');
        },
        close: () => session.close(),
      };

      function lineFor(part: AccountPart, value: Secret, shown: string): string {
        const statement = statements[part];
        const pattern = statement && new RegExp(statement.find(escapePattern(username)), 'm');
        const match = pattern?.exec(shown);
        if (statement && match) return statement.write(typed(name, value), match.groups ?? {});
        const what = part === 'password' ? `no password for ${username}` : 'no enable password';
        throw managedElsewhere(name, what);
      }
    },
  };

  async function inMode(
    session: CliSession,
    run: (command: string) => Promise<string>,
    lines: readonly string[],
  ): Promise<void> {
    await run(enter);
    try {
      for (const line of lines) await run(line);
    } finally {
      if (session.isOpen()) await run(leave);
    }
  }
}
