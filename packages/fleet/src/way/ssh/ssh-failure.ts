/** Explains why ssh failed, and what to do. */

import { FleetError } from '../../errors.ts';
import type { Way } from '../../racks/clusters.ts';
import { wayName } from './ssh.ts';

interface Known {
  pattern: RegExp;
  /** `what; what to do` */
  explain(way: Way, said: string): string;
}

/** In this order, because one output may match more than one pattern. */
const known: readonly Known[] = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    explain: ({ host }) =>
      `the SSH host key has changed; if ${host} was replaced, remove the old key with ssh-keygen -R ${host}; otherwise, find out which computer is responding at this address`,
  },
  {
    pattern: /Host key verification failed|No \w+ host key is known/,
    explain: (way) =>
      `the SSH host key is unknown; run ${sshCommand(way)} once, compare the fingerprint, and accept it`,
  },
  {
    pattern: /Permission denied|Too many authentication failures/,
    explain: (way, said) => {
      const user = /(\S+)@\S+: Permission denied/.exec(said)?.[1] ?? way.user;
      const whose = user === undefined ? '' : ` for the user ${user}`;
      return way.signIn?.hasPassword
        ? `SSH sign-in failed with your keys and with the password${whose}; find out the password, and try ${sshCommand(way)}`
        : `SSH accepts none of your keys${whose}; load a key with ssh-add, or specify another user, and try ${sshCommand(way)}`;
    },
  },
  {
    pattern: /Could not resolve hostname/,
    explain: () => 'no such host name; check your VPN and DNS',
  },
  {
    pattern: /Connection refused/,
    explain: () => 'connection refused; sshd is not running, or a firewall rejects the connection',
  },
  {
    pattern: /timed out|Stdio forwarding request failed|No route to host|Network is unreachable/,
    explain: ({ host }, said) =>
      `${/No route|unreachable/.exec(said) ? 'no route' : 'no response'}; check your network and VPN, and that ${host} is powered on`,
  },
];

/** Explains a failed connection from ssh's output. */
export function sshFailure(way: Way, said: string): FleetError {
  const found = known.find(({ pattern }) => pattern.test(said));
  const last = said.trim().split('\n').at(-1)?.trim() || 'ssh exited without a message';
  const why = found?.explain(way, said) ?? `${last}; try ${sshCommand(way)}`;
  return new FleetError(`${wayName(way)}: ${why}`);
}

const machineFailures: readonly (readonly [RegExp, string])[] = [
  [/Stdio forwarding request failed/, 'the jumphost cannot connect to the SSH port'],
  [/REMOTE HOST IDENTIFICATION HAS CHANGED/, 'the SSH host key has changed'],
  [/Host key verification failed|No \w+ host key is known/, 'the SSH host key is unknown'],
  [
    /Permission denied|Too many authentication failures/,
    'the machine does not accept any of your SSH keys',
  ],
];

/** Why ssh could not connect through the jumphost to a machine, from its output; undefined if the output is unknown. */
export function machineFailure(said: string): string | undefined {
  return machineFailures.find(([pattern]) => pattern.test(said))?.[1];
}

function sshCommand({ host, user, jump }: Way): string {
  return `ssh ${jump === undefined ? '' : `-J ${jump} `}${user === undefined ? '' : `${user}@`}${host}`;
}

/** Combines failures of several hosts: the first one, followed by the others. */
export function noWay(rack: string, failures: readonly FleetError[]): FleetError {
  const [first, ...others] = failures;
  const all = [first, ...others].map((error) => error?.message ?? '').join('. ');
  return new FleetError(`${rack}: ${all}`, { cause: first });
}
