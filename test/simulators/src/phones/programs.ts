/**
 * Executables that answer as a function here says: a folder for the front of PATH, with a small script for each. What a
 * program is asked comes here over a port of 127.0.0.1, so that whoever has it can change its mind at any time.
 */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Received } from '../equipment/device.ts';

export interface ProgramAnswer {
  stdout?: string | Buffer;
  stderr?: string;
  /** 0 when absent. */
  status?: number;
  /** It says that much, and never ends by itself. */
  stays?: boolean;
  /** Files that it writes, by path, where it was started. */
  files?: Readonly<Record<string, Buffer>>;
}

export type FakeProgram = (args: readonly string[]) => ProgramAnswer | Promise<ProgramAnswer>;

export interface Programs {
  /** For the front of PATH. */
  readonly folder: string;
  /** PATH with the folder in front. */
  readonly path: string;
  /** What was run, oldest first: `ideviceinfo -u X`. */
  readonly received: Received[];
  /** How many run now. */
  running(): number;
  close(): Promise<void>;
}

/** Needs bash. */
export async function startPrograms(
  programs: Readonly<Record<string, FakeProgram>>,
): Promise<Programs> {
  const folder = await mkdtemp(join(tmpdir(), 'skolo-programs-'));
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    serve(socket).catch(() => socket.destroy());
  });

  async function serve(socket: Socket): Promise<void> {
    const [name = '', cwd = '', ...args] = await requestOf(socket);
    received.push({ at: Date.now(), text: [name, ...args].join(' ') });
    const answer = await (programs[name]?.(args) ?? { status: 127 });
    for (const [path, data] of Object.entries(answer.files ?? {})) {
      await writeFile(isAbsolute(path) ? path : join(cwd, path), data);
    }
    count += 1;
    const at = join(folder, '.answers', String(count));
    await mkdir(at, { recursive: true });
    await writeFile(join(at, 'stdout'), answer.stdout ?? '');
    await writeFile(join(at, 'stderr'), answer.stderr ?? '');
    await writeFile(join(at, 'status'), `${answer.status ?? 0}\n`);
    socket.write(`${at}\n`);
    if (!answer.stays) socket.end();
  }

  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  for (const name of Object.keys(programs)) {
    await writeFile(join(folder, name), script(name, port), { mode: 0o755 });
  }
  return {
    folder,
    path: [folder, process.env.PATH ?? ''].join(delimiter),
    received,
    running: () => sockets.size,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The count of words, and each of them, with a NUL after each. */
function requestOf(socket: Socket): Promise<string[]> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (data) => {
      text += data.toString();
      const [count = '', ...words] = text.split('\0');
      if (text.includes('\0') && words.length > Number(count)) {
        resolve(words.slice(0, Number(count)));
      }
    });
    socket.once('close', () => reject(new Error('it has left')));
  });
}

/** Ends with status 1 where nobody answers: its simulator is gone. */
function script(name: string, port: number): string {
  return `#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/${port} || exit 1
printf '%s\\0' $(($# + 2)) ${name} "$PWD" "$@" >&3
IFS= read -r at <&3 || exit 1
cat "$at/stdout"
cat "$at/stderr" >&2
read -r status <"$at/status"
rm -r "$at"
read -r _ <&3
exit "$status"
`;
}
