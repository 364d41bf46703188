/** sshd: keys alone. */
import { shellWord } from '@skolo/base';
import type { Guard, Trial } from '../engine/guarded-change.ts';
import { guardedStep } from '../engine/guarded-step.ts';
import type { Step } from '../engine/step.ts';
import type { FileContent } from '../host/host.ts';

/** As \`sshd -T\` prints them. */
export const sshSettings = {
  permitrootlogin: 'prohibit-password',
  passwordauthentication: 'no',
  kbdinteractiveauthentication: 'no',
  allowtcpforwarding: 'yes',
  // A desk that is gone frees what it has within a minute.
  clientaliveinterval: '15',
  clientalivecountmax: '4',
  // skolo run goes to many machines through one connection.
  maxsessions: '100',
};

/** sshd reads it before its own settings, and the first value of a key counts. */
export const sshFile: FileContent = {
  path: '/etc/ssh/sshd_config.d/10-skolo.conf',
  content: `# Written by \`skolo jumphost prepare\`. An edit is undone by the next run.\n${Object.entries(
    sshSettings,
  )
    .map(([key, value]) => `${key} ${value}\n`)
    .join('')}`,
};

/** What skolo writes is tried with what others have written: sshd reads all of it at once. */
export const sshTrial: Trial = {
  server: `exec sh -c ${shellWord(`[ "$(id -u)" = 0 ] || set -- sudo -n
exec "$@" sh -c 'mkdir -p /run/sshd; [ ! -r /etc/default/ssh ] || . /etc/default/ssh; exec /usr/sbin/sshd -i $SSHD_OPTS'`)}`,
  suspects: `grep -sHniE '^[[:space:]]*((allow|deny)(users|groups)|authenticationmethods|authorizedkeys|((pubkey\\w+|permitroot\\w+)[[:space:]]+no)|match)' /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf`,
};

/** Keys alone, connections that end when a desk is gone, and room for many sessions. */
export function sshStep(guard: Guard): Step {
  return guardedStep(
    {
      name: 'ssh',
      about: 'sshd accepts keys alone, and ends connections of desks that are gone',
      files: async () => [sshFile],
      trial: sshTrial,
      activate: 'mkdir -p /run/sshd && sshd -t && systemctl reload ssh.service',
    },
    guard,
  );
}
