/** sshd with key authentication only. */
import { shellWord } from '@skolo/base';
import { writtenHead } from '../engine/files.ts';
import type { Guard, Trial } from '../engine/guarded-change.ts';
import { guardedStep } from '../engine/guarded-step.ts';
import type { Step } from '../engine/step.ts';
import type { Host, TextFile } from '../host/host.ts';

/** As \`sshd -T\` prints them. */
export const sshSettings = {
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

/** Our file is tested together with others, because sshd reads all of them. */
const sshTrial: Trial = {
  server: `exec sh -c ${shellWord(`[ "$(id -u)" = 0 ] || set -- sudo -n
exec "$@" sh -c 'mkdir -p /run/sshd; [ ! -r /etc/default/ssh ] || . /etc/default/ssh; exec /usr/sbin/sshd -i $SSHD_OPTS'`)}`,
  suspects: `grep -sHniE '^[[:space:]]*((allow|deny)(users|groups)|authenticationmethods|authorizedkeys|((pubkey\\w+|permitroot\\w+)[[:space:]]+no)|match)' /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf`,
};

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
