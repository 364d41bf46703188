/** Sessions without a connection: they report what would be sent to a device, in the form of a transcript, and each response is empty. */
import type { Credentials } from '@skolo/base/secrets';
import type { Dialect } from '../cli/dialect.ts';
import type { CliSession, ExecSession } from '../session.ts';
import type { Recorded } from '../stream/transcript.ts';

const nothing = Buffer.alloc(0);

export function dryCli(
  { username = '' }: Pick<Credentials, 'username'>,
  transport: 'ssh' | 'telnet',
  { through, privilege, setUp, signOut }: Dialect,
  deps: Recorded,
): CliSession {
  const say = (...lines: readonly string[]) => {
    for (const line of lines) deps.onTranscript?.('us', `${line}\n`);
  };
  if (transport === 'telnet') say(username, '<secret>');
  if (through !== undefined) say(through.command);
  if (privilege !== undefined) {
    say(`${privilege.command}  (only if its prompt is not privileged)`);
    say('<secret>  (only if it requests a password)');
  }
  say(...setUp);
  const read = async (command: string) => {
    say(command);
    return nothing;
  };
  return {
    run: async (command) => (await read(command)).toString(),
    runBytes: read,
    read,
    isOpen: () => true,
    close: async () => say(...signOut),
  };
}

export function dryExec({ onTranscript }: Recorded): ExecSession {
  const say = (line: string) => onTranscript?.('us', `${line}\n`);
  return {
    async exec(command) {
      say(command);
      return { stdout: '', stderr: '', status: 0 };
    },
    async execBytes(command, { to }) {
      say(command);
      to?.end();
      return { stdout: nothing, stderr: '', status: 0, size: 0 };
    },
    async download(path) {
      say(`scp -f ${path}`);
      return nothing;
    },
    async upload(path) {
      say(`scp -t ${path}`);
    },
    isOpen: () => true,
    close: async () => undefined,
  };
}
