/** Whether a machine is there: at its ssh port, its URL, or by a ping. One look each; who waits looks again. */
import { execFile } from 'node:child_process';
import { withDeadline } from '@skolo/common';
import type { Machine, Rack, SeenBack } from '@skolo/rack';
import { lookTcp } from './look-tcp.ts';

export interface Look {
  up: boolean;
  /** For people: `ssh answers at 192.168.1.101:22`, `connection refused`. */
  text: string;
  /** Nobody listens there, and its own network stack says so. */
  isRefused?: boolean;
  /** Nothing was learned, since it could not be asked at all. */
  isUnknown?: boolean;
}

/** Looks once. Never throws; silence within `timeoutMs` is `up: false`. */
export type Probe = (timeoutMs: number, signal: AbortSignal) => Promise<Look>;

/** How a machine is seen, by its own entry, the setting of the daemon, or else its ssh port. Undefined: it has no address. */
export function probeOf(rack: Rack, machine: Machine): Probe | undefined {
  const { address, ports } = machine;
  const how: SeenBack = machine.seenBack ??
    rack.services['power-cycle-daemon'].seenBack ?? { ssh: ports.ssh ?? 22 };
  if ('http' in how) return (timeoutMs, signal) => lookHttp(how.http, timeoutMs, signal);
  if (address === undefined) return undefined;
  if ('ssh' in how) return (timeoutMs, signal) => lookSsh(address, how.ssh, timeoutMs, signal);
  return (timeoutMs, signal) => lookIcmp(address, timeoutMs, signal);
}

/** How long it may take until it is back, in seconds. */
export function backWithin(rack: Rack, machine: Machine): number {
  return machine.seenBack?.timeoutSeconds ?? rack.services['power-cycle-daemon'].seenBackSeconds;
}

/** RFC 4253, 4.2: a server begins with a line `SSH-2.0-…`, perhaps after others. A port that only accepts is not it. */
async function lookSsh(
  address: string,
  port: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Look> {
  const where = `${address}:${port}`;
  const look = await lookTcp({ address, port, banner: /(^|\n)SSH-/ }, timeoutMs, signal);
  switch (look.is) {
    case 'up':
      return { up: true, text: `ssh answers at ${where}` };
    case 'silent':
      return { up: false, text: `nothing at ${where} within ${timeoutMs} ms` };
    case 'failed':
      return { up: false, text: `nothing at ${where}: ${codeOf(look.error)}` };
    case 'closed':
      return { up: false, text: `nothing at ${where}: the connection was closed` };
    case 'aborted':
      return { up: false, text: 'no longer asked' };
  }
}

async function lookHttp(url: string, timeoutMs: number, signal: AbortSignal): Promise<Look> {
  const late = () => new Error(`not within ${timeoutMs} ms`);
  try {
    return await withDeadline({ ms: timeoutMs, late, signal }, async (limit) => {
      const response = await fetch(url, { signal: limit, redirect: 'manual' });
      await response.body?.cancel();
      return { up: response.status < 400, text: `${url} answers ${response.status}` };
    });
  } catch (error) {
    return { up: false, text: `${url} does not answer: ${codeOf(error)}` };
  }
}

/** By the system's ping, which has the right to send what we have not. */
export function lookIcmp(address: string, timeoutMs: number, signal: AbortSignal): Promise<Look> {
  const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1000)));
  const args = ['-n', '-c', '1', '-W', seconds, address];
  const unknown = (text: string): Look => ({ up: false, isUnknown: true, text });
  return new Promise<Look>((resolve) => {
    execFile('ping', args, { signal }, (error) => {
      if (error === null) resolve({ up: true, text: `${address} answers a ping` });
      else if (error.code === 'ENOENT') resolve(unknown('there is no ping program here'));
      // It ends with 1 where nothing came back, and with something else where it could not send: see ping(8).
      else if (error.code === 1) resolve({ up: false, text: `${address} does not answer a ping` });
      else resolve(unknown(`no ping can be sent to ${address}`));
    });
  }).catch((error: unknown) => unknown(`no ping can be started: ${codeOf(error)}`));
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause === undefined ? error.message : codeOf(error.cause);
}
