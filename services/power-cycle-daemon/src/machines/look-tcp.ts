import { connect } from 'node:net';

/** What was seen of a TCP port. */
export type TcpLook =
  | { is: 'up' | 'silent' | 'closed' | 'aborted' }
  | { is: 'failed'; error: NodeJS.ErrnoException };

export interface TcpPort {
  address: string;
  port: number;
  /** What it must say by itself; absent: that it takes connections is enough. */
  banner?: RegExp;
}

/** Looks once, and says nothing to it. Never throws; `silent` when `timeoutMs` are over. */
export function lookTcp(
  { address, port, banner }: TcpPort,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<TcpLook> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    let received = '';
    const end = (look: TcpLook) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve(look);
    };
    const abort = () => end({ is: 'aborted' });
    const timer = setTimeout(() => end({ is: 'silent' }), timeoutMs);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    socket.on('connect', () => {
      if (banner === undefined) end({ is: 'up' });
    });
    socket.on('data', (data) => {
      received = (received + data.toString('latin1')).slice(-4096);
      if (banner?.test(received)) end({ is: 'up' });
    });
    socket.on('error', (error) => end({ is: 'failed', error }));
    socket.on('close', () => end({ is: 'closed' }));
  });
}
