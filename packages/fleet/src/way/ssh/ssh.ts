/** Options of the system's ssh, which uses the user's configuration, agent and known_hosts. */
import { shellWord } from '@skolo/base';
import type { Way } from '../../racks/clusters.ts';

interface MasterOptions {
  control: string;
  /** ssh may ask for a passphrase or a host key. */
  mayAsk: boolean;
  /** Arguments of ssh that use an open connection. */
  through?: readonly string[] | undefined;
}

/** Options of the connection that all others share. It forwards nothing until requested. */
export function masterArguments(way: Way, { control, mayAsk, through }: MasterOptions): string[] {
  const { host, address, signIn, server } = way;
  return [
    '-N',
    '-n',
    ...options({
      ControlMaster: 'yes',
      ControlPath: control,
      ControlPersist: 'no',
      // A local port in the user's configuration may be in use.
      ClearAllForwardings: 'yes',
      ForwardAgent: 'no',
      ForwardX11: 'no',
      RemoteCommand: 'none',
      RequestTTY: 'no',
      BatchMode: mayAsk || signIn?.hasPassword ? 'no' : 'yes',
      ...(signIn?.acceptsNewKeys && { StrictHostKeyChecking: 'accept-new' }),
      // Without a terminal, it would run the program that prints the password.
      ...(signIn?.hasPassword && {
        ...(!signIn.acceptsNewKeys && { StrictHostKeyChecking: 'yes' }),
        NumberOfPasswordPrompts: '1',
      }),
      ...(through && { ProxyCommand: proxyThrough(through, server) }),
      ...(address !== undefined && placeOf(host, address)),
      ConnectTimeout: '10',
      // A dead connection ends after 15 s, and then the next one starts.
      ServerAliveInterval: '5',
      ServerAliveCountMax: '3',
      StreamLocalBindMask: '0177',
      LogLevel: 'ERROR',
      // It prints a line to standard output when it is connected.
      PermitLocalCommand: 'yes',
      LocalCommand: 'echo connected',
    }),
    ...destination(way),
  ];
}

/**
 * Arguments for a client of that connection, which never opens a connection itself. It ignores the user's configuration,
 * whose forwards it would also request.
 */
export function clientArguments({ host }: Way, control: string): string[] {
  const given = {
    ControlMaster: 'no',
    ControlPath: control,
    ProxyCommand: 'false',
    LogLevel: 'ERROR',
  };
  return ['-F', 'none', ...options(given), host];
}

function options(values: Record<string, string>): string[] {
  return Object.entries(values).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

function destination({ host, user, jump }: Way): string[] {
  return [...(jump ? ['-J', jump] : []), ...(user ? ['-l', user] : []), host];
}

/** Arguments for a connection to a machine, through a client of the connection to its jumphost. */
export function machineArguments(
  { name, address, user }: { name: string; address?: string; user?: string },
  through: readonly string[],
  hasTerminal: boolean,
): string[] {
  return [
    hasTerminal ? '-t' : '-T',
    ...options({
      ProxyCommand: proxyThrough(through),
      ...placeOf(name, address ?? name),
      ControlPath: 'none',
      BatchMode: hasTerminal ? 'no' : 'yes',
      ConnectTimeout: '10',
      ServerAliveInterval: '5',
      ServerAliveCountMax: '3',
      LogLevel: 'ERROR',
    }),
    ...destination({ host: name, ...(user !== undefined && { user }) }),
  ];
}

/** @param server a command to connect to, instead of the port of the host */
function proxyThrough(client: readonly string[], server?: string): string {
  const words = client.map(literal);
  return server === undefined
    ? ['ssh', '-W', '[%h]:%p', ...words].join(' ')
    : ['ssh', '-T', ...words, literal(server)].join(' ');
}

/** Addresses are given to other machines, names are not. */
function placeOf(name: string, address: string) {
  return { HostName: address, HostKeyAlias: name };
}

/** For the shell that runs a ProxyCommand, after ssh has replaced %-sequences. */
function literal(word: string): string {
  return shellWord(word.replaceAll('%', '%%'));
}

/** `ops@jumphost-rack4 through router-rack4`: for people. */
export function wayName({ host, user, jump }: Way): string {
  return `${user === undefined ? '' : `${user}@`}${host}${jump === undefined ? '' : ` through ${jump}`}`;
}
