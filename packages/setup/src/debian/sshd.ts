/** Settings of sshd (key authentication only), and the trial of each change before it is active. */
import { script, shellWord } from '@skolo/base';
import {
  type Guard,
  guardedStep,
  type Host,
  linesOf,
  type Step,
  type TextFile,
  type Trial,
  whyNoSession,
  writtenHead,
} from '@skolo/setup/engine';

/** As \`sshd -T\` prints them. */
const sshSettings = {
  permitrootlogin: 'prohibit-password',
  passwordauthentication: 'no',
  kbdinteractiveauthentication: 'no',
  allowtcpforwarding: 'yes',
  // Sessions of an unreachable workstation end within a minute.
  clientaliveinterval: '15',
  clientalivecountmax: '4',
  // skolo run reaches many machines through one connection.
  maxsessions: '100',
};

/** Whether root may sign in with a key. */
type RootLogin = 'no' | 'prohibit-password';

export const sshPath = '/etc/ssh/sshd_config.d/10-skolo.conf';

/** sshd reads it before its own settings, and the first value of a key applies. */
export function sshFile(rootLogin: RootLogin): TextFile {
  const settings = Object.entries({ ...sshSettings, permitrootlogin: rootLogin });
  return {
    path: sshPath,
    content: `${writtenHead}${settings.map(([key, value]) => `${key} ${value}\n`).join('')}`,
    mode: 0o644,
  };
}

/**
 * Arguments: the addresses of the client and the server, the port, and the client's name. In its namespace it has both addresses,
 * so that sshd, PAM and hosts.deny decide as they will for the next real connection.
 */
const apart = script(new URL('./trial-sshd-apart.sh', import.meta.url));

const asRoot = script(new URL('./trial-sshd.sh', import.meta.url));

/** A command that serves SSH on its standard streams. @param connection the words of SSH_CONNECTION */
function trialServer(connection: string): string {
  return `exec sh -c ${shellWord(`[ "$(id -u)" = 0 ] && sudo= || sudo='sudo -n'
exec $sudo bash -c ${shellWord(asRoot)} sshd ${shellWord(apart)} ${connection}`)}`;
}

/**
 * A second sshd reads all files, ours and others', before the running one does. `Match`, `AllowUsers`, DNS names and
 * hosts.deny depend on the connection, so it accepts a TCP connection with the addresses and the port of yours.
 */
const sshTrial: Trial = {
  server: trialServer('$SSH_CONNECTION'),
  suspects: `grep -sHniE '^[[:space:]]*((allow|deny)(users|groups)|authenticationmethods|authorizedkeys|chrootdirectory|forcecommand|((pubkey\\w+|permitroot\\w+)[[:space:]]+no)|match)' /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf
grep -sHniE '^[[:space:]]*(sshd|all)[[:space:]]*:' /etc/hosts.deny
ls /etc/nologin /run/nologin 2>/dev/null || true`,
  // sshd writes its PID when it has read its files, also after SIGHUP.
  unloaded: `find /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf -newercm /run/sshd.pid 2>/dev/null || true`,
  setAside: `mv "$each" "$each.set-aside"
[ "$each" != /etc/ssh/sshd_config ] || cp /usr/share/openssh/sshd_config "$each"`,
};

/**
 * Opens a session with an sshd that reads the files on disk, as it will after the next boot.
 *
 * @param connection addresses and ports of client and server, as in SSH_CONNECTION; default: yours
 * @returns a line, as `withLines` reads it, if it rejects you
 */
export async function signInRejected(
  host: Host,
  guard: Guard,
  connection = '$SSH_CONNECTION',
): Promise<string[]> {
  const began = (await host.need('date +%s')).trim();
  const why = await whyNoSession(guard, trialServer(connection));
  if (why === undefined) return [];
  const log = await host.run(
    `journalctl -q -o cat -t sshd -t sshd-session --since=@${began} | grep -iE 'refused|denied|not allowed|bad |fatal|unable|error' | sort -u`,
  );
  const suspects = linesOf((await host.run(sshTrial.suspects)).stdout).join(', ');
  const from = connection.startsWith('$') ? '' : ` from ${connection.split(' ')[0]}`;
  return [
    `by hand: an sshd that reads the current files rejects your sign-in${from} (${[why, ...linesOf(log.stdout)].join('; ')}), so you may be locked out when sshd next starts; fix ${suspects || 'the files in /etc/ssh, /etc/pam.d/sshd or the account'}`,
  ];
}

/**
 * Key authentication only, connections that end when a workstation is unreachable, and many sessions. The change is
 * undone unless a new session can be opened with a key.
 *
 * @param options.verify a script that prints a line for each setting that another file overrides
 * @param options.rootLogin the computer's setting; a jumphost accepts root's key
 */
export function sshStep(
  guard: Guard,
  {
    verify = '',
    rootLogin = async () => 'prohibit-password',
  }: { verify?: string; rootLogin?(host: Host): Promise<RootLogin> } = {},
): Step {
  return guardedStep(
    {
      name: 'ssh',
      about:
        'sshd accepts only key authentication, and closes connections to unreachable workstations',
      files: async (host) => [sshFile(await rootLogin(host))],
      trial: sshTrial,
      verify,
      activate: 'mkdir -p /run/sshd && sshd -t && systemctl reload ssh.service',
    },
    guard,
  );
}
