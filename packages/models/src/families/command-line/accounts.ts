/** Passwords that are statements of a configuration, on devices with a configuration mode. */
import {
  type CliSession,
  DeviceRejected,
  type Dialect,
  escapePattern,
  openCli,
  targetOf,
} from '@skolo/equipment';
import type { Secret } from '@skolo/secrets';
import type { AccountPart, Accounts } from '../../contract/accounts.ts';

interface CliAccounts {
  dialect: Dialect;
  /** Prints what is in force. */
  running: string;
  enter: string;
  leave: string;
  /** By part: the statement with a new value. */
  statements: Readonly<Partial<Record<AccountPart, Statement>>>;
  /** Saves, and the answer to the last of them that confirms it. */
  save: { commands: readonly string[]; done: RegExp };
}

/** A statement of the configuration. Attributes of the user in it, such as its level, are repeated. */
interface Statement {
  /** Pattern of the one that is in force, from its first sign on. Devices whose users are kept elsewhere have none. */
  find(user: string): string;
  /** One line. @param groups of the pattern */
  write(value: string, groups: Readonly<Record<string, string | undefined>>): string;
}

/** In the place of what is behind the group `start`, a value in the clear. */
export function plainBehind(value: string, { start }: Parameters<Statement['write']>[1]): string {
  return `${start} 0 ${value}`;
}

/** No sign that a command line reads in its own way, such as a blank, a quote, `?` or `!`. */
const safe = /^[A-Za-z0-9][\w.,:;=+@%/-]*$/;

/** A value as it is typed. @throws DeviceRejected */
export function typed(device: string, value: Secret): string {
  if (safe.test(value.reveal())) return value.reveal();
  const why = 'the new value contains characters that its command line may interpret';
  throw new DeviceRejected(device, why);
}

export function cliAccounts({ dialect, running, enter, leave, ...about }: CliAccounts): Accounts {
  const { statements, save } = about;
  const parts = Object.keys(statements).filter(
    (key) => key === 'password' || key === 'enablePassword',
  );
  return {
    parts,
    async open(device, access, signal) {
      const transport = device.transport === 'telnet' ? 'telnet' : 'ssh';
      const target = await targetOf(device, access, transport);
      const { name } = device;
      const { username = '' } = target.credentials;
      const session = await openCli(target, transport, dialect, access, signal);
      const run = (command: string) => session.run(command, { signal, timeoutMs: 120_000 });
      return {
        async set(values) {
          const shown = (await session.read(running, { signal, timeoutMs: 60_000 })).toString();
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
        throw new DeviceRejected(
          name,
          `its configuration has ${what}; check whether a server manages it`,
        );
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
