/** Passwords that are statements of a configuration, on devices with a configuration mode. */
import { type CliSession, DeviceRefused, type Dialect, openCli, targetOf } from '@skolo/equipment';
import type { Secret } from '@skolo/secrets';
import type { AccountPart, Accounts } from '../accounts.ts';

export interface CliAccounts {
  dialect: Dialect;
  /** Prints what is in force. */
  running: string;
  enter: string;
  leave: string;
  /** By part: the statement with a new value. */
  statements: Readonly<Partial<Record<AccountPart, Statement>>>;
  /** Saves, and the answer to the last of them that proves it. */
  save: { commands: readonly string[]; done: RegExp };
}

/**
 * @param shown what is in force. Attributes of the user, such as its level, are repeated from there.
 * @returns one line; undefined where the device has no such statement, as its users are kept elsewhere
 */
type Statement = (shown: string, user: string, value: string) => string | undefined;

/** No sign that a command line reads in its own way, such as a blank, a quote, `?` or `!`. */
const safe = /^[A-Za-z0-9][\w.,:;=+@%/-]*$/;

/** A value as it is typed. @throws DeviceRefused */
export function typed(device: string, value: Secret): string {
  if (safe.test(value.reveal())) return value.reveal();
  const why = 'the new value has signs that its command line may read in another way';
  throw new DeviceRefused(device, why);
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
            throw new DeviceRefused(name, 'does not say that it has saved');
        },
        close: () => session.close(),
      };

      function lineFor(part: AccountPart, value: Secret, shown: string): string {
        const line = statements[part]?.(shown, username, typed(name, value));
        if (line !== undefined) return line;
        const what = part === 'password' ? `no password of ${username}` : 'no enable password';
        throw new DeviceRefused(name, `its configuration has ${what}; is that kept on a server?`);
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

/** The first statement in a configuration, from its first sign on, with its groups. */
export function found(
  shown: string,
  pattern: RegExp,
): Record<string, string | undefined> | undefined {
  return new RegExp(pattern, `${pattern.flags}m`).exec(shown)?.groups;
}
