/** Decides whether a machine or a piece of equipment is up: at its ssh port, its URL, its own port, or by a ping. One attempt each. */
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { errorCode, withDeadline } from '@skolo/base';
import type { Transport } from '@skolo/equipment/models';
import type { Equipment, Machine, Rack, SeenBack } from '@skolo/rack';

/**
 * What one attempt has shown. A connection that was accepted is alive, whatever follows: sshd closes connections at once while it limits
 * their number, or penalises an address (PerSourcePenalties, OpenSSH 9.8).
 *
 * - `up`: it responds as it should
 * - `closed`: it accepted a connection and closed it, or its response is an error
 * - `silent`: it accepted a connection, and nothing followed: it may hang
 * - `refused`: its network stack rejects connections to the port
 * - `unanswered`: nothing came back
 * - `unknown`: no request could be sent from here
 */
type LookState = 'up' | 'closed' | 'silent' | 'refused' | 'unanswered' | 'unknown';

export interface Look {
  is: LookState;
  /** For people: `SSH is responding at 192.168.1.101:22`, `connection refused`. */
  text: string;
}

/** Makes one attempt. Never throws. */
export type Probe = (timeoutMs: number, signal: AbortSignal) => Promise<Look>;

/** Whether this is evidence that it has no power, or does not run. */
export function isDown({ is }: Look): boolean {
  return is === 'refused' || is === 'unanswered';
}

/** How it was down, to follow "it". */
export function howDown({ is }: Look): string {
  return is === 'refused' ? 'refused connections' : 'did not respond';
}

/** Whether a program responded: only that is evidence that it runs, because a hung machine still accepts connections. */
export function runs({ is }: Look): boolean {
  return is === 'up' || is === 'closed';
}

/** How a machine is probed: by its own entry, the daemon's setting, or else its ssh port. Undefined: it has no address. */
export function probeOf(rack: Rack, machine: Machine): Probe | undefined {
  const { address, ports } = machine;
  const how: SeenBack = machine.seenBack ??
    rack.services['power-cycle-daemon'].seenBack ?? { ssh: ports.ssh ?? 22 };
  if ('http' in how) return (timeoutMs, signal) => lookHttp(how.http, timeoutMs, signal);
  if (address === undefined) return undefined;
  if (!('ssh' in how)) return (timeoutMs, signal) => lookIcmp(address, timeoutMs, signal);
  // RFC 4253, 4.2: a server begins with a line `SSH-2.0-…`, perhaps after others. A port that only accepts is not an ssh server.
  const target = { address, port: how.ssh, banner: /(^|\n)SSH-/, up: 'SSH is responding at' };
  return (timeoutMs, signal) => lookTcp(target, timeoutMs, signal);
}

/** How long it may take to come back, in seconds. */
export function backWithin(rack: Rack, machine: Machine): number {
  return machine.seenBack?.timeoutSeconds ?? rack.services['power-cycle-daemon'].seenBackSeconds;
}

/** Only devices reached over TCP; an unanswered datagram proves nothing. */
const tcpPorts: Partial<Record<Transport, number>> = { ssh: 22, telnet: 23, http: 80, mqtt: 1883 };

/** Whether a switch, router or PDU is up: by its transport's port. Nothing is sent to it. */
export function equipmentProbe(equipment: Equipment): Probe | undefined {
  const { address, transport, ports, options } = equipment;
  const usual = transport === 'http' && options.https === true ? 443 : tcpPorts[transport];
  // The address of an MQTT switch is that of its broker.
  if (address === undefined || usual === undefined || transport === 'mqtt') return undefined;
  const port = (transport in ports ? ports[transport as keyof typeof ports] : undefined) ?? usual;
  const target = { address, port, up: 'TCP connections are accepted at' };
  return (timeoutMs, signal) => lookTcp(target, timeoutMs, signal);
}

/**
 * Whether anything responds where a device should be. In doubt it does, because silence leads to a power cut.
 *
 * @throws The signal's reason
 */
export type Reach = (
  equipment: Equipment,
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<boolean>;

export const reach: Reach = async (equipment, timeoutMs, signal) => {
  const { address } = equipment;
  if (address === undefined) return true;
  const look = await equipmentProbe(equipment)?.(timeoutMs, signal);
  signal.throwIfAborted();
  // Its ssh server may be down although the device is not.
  if (look && ['up', 'closed', 'silent', 'refused'].includes(look.is)) return true;
  const ping = await lookIcmp(address, timeoutMs, signal);
  signal.throwIfAborted();
  return ping.is === 'up' || (look === undefined && ping.is === 'unknown');
};

interface TcpTarget {
  address: string;
  port: number;
  /** What the peer must send unprompted; absent: accepting the connection is enough. */
  banner?: RegExp;
  /** The text of success. */
  up: string;
}

function lookTcp(
  { address, port, banner, up }: TcpTarget,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Look> {
  const where = `${address}:${port}`;
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(unchecked);
    const socket = connect({ host: address, port });
    let isAccepted = false;
    let received = '';
    let last: NodeJS.Immediate | undefined;
    const end = (look: Look) => {
      clearTimeout(timer);
      clearImmediate(last);
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve(look);
    };
    const abort = () => end(unchecked);
    const late = () => {
      const is = isAccepted ? 'silent' : 'unanswered';
      end({ is, text: `no response at ${where} within ${timeoutMs} ms` });
    };
    const timer = setTimeout(() => {
      // What arrived while this process was paused is received first: it was in time.
      last = setImmediate(late);
    }, timeoutMs);
    signal.addEventListener('abort', abort);
    socket.on('connect', () => {
      isAccepted = true;
      if (banner === undefined) end({ is: 'up', text: `${up} ${where}` });
    });
    socket.on('data', (data) => {
      received = (received + data.toString('latin1')).slice(-4096);
      if (banner?.test(received)) end({ is: 'up', text: `${up} ${where}` });
    });
    socket.on('error', (error) => {
      const code = codeOf(error);
      const is = isAccepted ? 'closed' : withoutConnection(code);
      const what = is === 'refused' ? 'connections are refused' : 'no response';
      end({ is, text: `${what} at ${where}: ${code}` });
    });
    socket.on('close', () =>
      end({ is: 'closed', text: `${where} accepts connections, but closes them` }),
    );
  });
}

async function lookHttp(url: string, timeoutMs: number, signal: AbortSignal): Promise<Look> {
  const late = () => new Error(`timed out after ${timeoutMs} ms`);
  try {
    return await withDeadline({ ms: timeoutMs, late, signal }, async (limit) => {
      const response = await fetch(url, { signal: limit, redirect: 'manual' });
      await response.body?.cancel();
      const is = response.status < 400 ? 'up' : 'closed';
      return { is, text: `${url} responded with ${response.status}` };
    });
  } catch (error) {
    const { hostname, port, protocol } = new URL(url);
    const address = hostname.replace(/^\[|\]$/g, '');
    const usual = protocol === 'https:' ? 443 : 80;
    const target = { address, port: Number(port) || usual, up: 'TCP connections are accepted at' };
    // Whether it was connected, the error does not say.
    const { is } = await lookTcp(target, timeoutMs, signal);
    return { is: is === 'up' ? 'silent' : is, text: `${url} did not respond: ${codeOf(error)}` };
  }
}

const unchecked: Look = { is: 'unknown', text: 'no longer checked' };

/** Errors of this computer, such as a missing route or too many open files, are no evidence. */
function withoutConnection(code: string): LookState {
  if (code === 'ECONNREFUSED') return 'refused';
  // Only a connection can be reset: this one at once after it was accepted.
  if (code === 'ECONNRESET') return 'closed';
  return ['EHOSTUNREACH', 'EHOSTDOWN', 'ETIMEDOUT'].includes(code) ? 'unanswered' : 'unknown';
}

/** By the system's ping, which has the privileges to send what we cannot. */
function lookIcmp(address: string, timeoutMs: number, signal: AbortSignal): Promise<Look> {
  const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1000)));
  const args = ['-n', '-c', '1', '-W', seconds, address];
  const unknown = (text: string): Look => ({ is: 'unknown', text });
  return new Promise<Look>((resolve) => {
    execFile('ping', args, { signal }, (error) => {
      if (error === null) resolve({ is: 'up', text: `${address} responds to pings` });
      else if (error.code === 'ENOENT') resolve(unknown('no ping program is installed here'));
      // Exit status 1 means no reply; any other non-zero status means that it could not send: see ping(8).
      else if (error.code === 1)
        resolve({ is: 'unanswered', text: `${address} did not respond to a ping` });
      else resolve(unknown(`cannot send a ping to ${address}`));
    });
  }).catch((error: unknown) => unknown(`cannot start ping: ${codeOf(error)}`));
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return errorCode(error) ?? (error.cause === undefined ? error.message : codeOf(error.cause));
}
