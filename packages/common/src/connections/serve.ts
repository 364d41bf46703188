import type { Server } from 'node:http';
import type { Closers } from '../process/closers.ts';
import type { Logger } from '../process/log.ts';
import { drainable } from './drain.ts';
import { type ListenOptions, listen } from './listen.ts';

/** Starts a server, closed by the closers. @returns the port @throws ListenError */
export async function serve(
  server: Server,
  options: ListenOptions & { log: Logger; closers: Closers },
): Promise<number> {
  const { log, closers, flag } = options;
  const { drain } = drainable(server);
  const port = await listen(server, options);
  closers.add(flag.slice(2), drain);
  // Usually because of too many open files; it accepts again when there are fewer.
  server.on('error', (error) =>
    log.error({ err: error, port }, 'server cannot accept connections'),
  );
  return port;
}
