/** Finds the person who runs the command, for `status`. root alone would name nobody: sudo's user, or the SSH key that signed in, does. */
import { run } from '@skolo/base/run';
import { z } from 'zod';

const Environment = z.object({
  /** Set by `skolo jumphost rollback`: the user and the workstation. */
  SKOLO_OPERATOR: z.string().optional(),
  SUDO_USER: z.string().optional(),
  USER: z.string().default('somebody'),
  /** `CLIENT PORT SERVER PORT`. */
  SSH_CONNECTION: z.string().optional(),
});

/** @returns such as `ann`, or `ann@laptop as root (ED25519 SHA256:… from 192.0.2.7)` */
export async function operator(
  env: NodeJS.ProcessEnv,
  journal: (pattern: string) => Promise<string> = signIns,
): Promise<string> {
  const { SKOLO_OPERATOR, SUDO_USER, USER, SSH_CONNECTION = '' } = Environment.parse(env);
  const [address, port] = SSH_CONNECTION.split(' ');
  let account = SUDO_USER ?? USER;
  if (SUDO_USER === undefined && address && port !== undefined) {
    const line = await journal(`from ${address.replaceAll('.', '\\.')} port ${port} `);
    const [, key = ''] = /(\S+ SHA256:\S+)\s*$/.exec(line) ?? [];
    account = `${USER} (${`${key} from ${address}`.trim()})`;
  }
  return SKOLO_OPERATOR === undefined ? account : `${SKOLO_OPERATOR} as ${account}`;
}

/** The last line of sshd about a sign-in; empty: the journal has none, or cannot be read. */
async function signIns(pattern: string): Promise<string> {
  const grep = `--grep=^Accepted \\S+ for \\S+ ${pattern}`;
  const args = ['--quiet', '--boot', '--output=cat', '--lines=1', '--unit=ssh.service', grep];
  return await run('journalctl', args, { timeout: 10_000 }).then(
    ({ stdout }) => stdout,
    () => '',
  );
}
