/** Opens a port for a server, and says what to do if it is in use or not permitted. */
import { once } from 'node:events';
import type { Server } from 'node:net';
import { errorCode, NamedError } from '@skolo/base';

export interface ListenOptions {
  port: number;
  /** Absent: `::`, which includes IPv4, or `0.0.0.0` on a computer without IPv6. */
  host?: string | undefined;
  /** The flag that sets the port, for the error: `--port`. */
  flag: string;
  /** The flag that sets the host; default: `--host`. */
  hostFlag?: string;
}

/** The service cannot listen on its port. The message says what to do. */
export class ListenError extends NamedError {
  /** Of the system: `EADDRINUSE`, `EACCES`, … */
  readonly code: string;

  constructor(message: string, code: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/**
 * Starts listening.
 *
 * @returns the port, for a requested port 0
 * @throws ListenError
 */
export async function listen(server: Server, options: ListenOptions): Promise<number> {
  try {
    await tryHosts(
      server,
      options.port,
      options.host === undefined ? ['::', '0.0.0.0'] : [options.host],
    );
  } catch (error) {
    const code = errorCode(error) ?? String(error);
    throw new ListenError(explainListenError(code, options), code, error);
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
  return address.port;
}

async function tryHosts(server: Server, port: number, hosts: string[]) {
  for (const [index, host] of hosts.entries()) {
    try {
      server.listen({ port, host });
      await once(server, 'listening');
      return;
    } catch (error) {
      const isLast = index === hosts.length - 1;
      if (isLast || !withoutIpv6.has(errorCode(error) ?? '')) throw error;
    }
  }
}

const withoutIpv6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL', 'EPROTONOSUPPORT']);

export function explainListenError(code: string, options: ListenOptions): string {
  const { port, host, flag, hostFlag = '--host' } = options;
  const where = `cannot listen on port ${port}${host === undefined ? '' : ` on ${host}`}`;
  const noName = `the name does not resolve to an address; specify an IP address with ${hostFlag}`;
  const reasons: Record<string, string> = {
    EADDRINUSE: `the port is in use; run ss -ltnp sport = :${port} to find the program that uses it, or set another port with ${flag}`,
    EACCES: `ports below 1024 require root or the capability CAP_NET_BIND_SERVICE (AmbientCapabilities= in a systemd unit); alternatively, set a higher port with ${flag}`,
    EADDRNOTAVAIL: `this computer does not have this address; fix ${hostFlag}, or omit it to listen on all addresses`,
    ENOTFOUND: noName,
    EAI_AGAIN: noName,
  };
  return `${where}: ${reasons[code] ?? code}`;
}
