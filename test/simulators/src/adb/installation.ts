/**
 * Debian's adb with a server in its own process: started by the first client that finds none, ended by `host:kill` or a signal, restarted
 * by the next client. The phones survive that, like real ones.
 *
 * A directory for the front of PATH contains an `adb` that passes everything to the real one, and starts our server where the real one
 * would start its own. That server only forwards to {@link SimulatedAdbServer}. It runs as `adb …/server.mjs -L tcp:PORT fork-server server
 * --reply-fd 3`, in its own session, and ends when its creator does.
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freeTcpPort } from '../free-port.ts';
import { peer } from '../peer.ts';
import type { AndroidOptions } from './android.ts';
import { SimulatedAdbServer } from './server.ts';

export interface AdbInstallation {
  /** With its phones. Clients must not use its own port. */
  readonly server: SimulatedAdbServer;
  /** For the front of PATH. */
  readonly folder: string;
  readonly port: number;
  /** PATH with the directory in front, and ANDROID_ADB_SERVER_PORT. */
  readonly env: { PATH: string; ANDROID_ADB_SERVER_PORT: string };
  /** The pid of the running server, if any. */
  pid(): number | undefined;
  close(): Promise<void>;
}

/** Undefined if adb is not installed. No server runs yet. */
export async function startAdbInstallation({
  phones = [],
}: {
  phones?: readonly AndroidOptions[];
} = {}): Promise<AdbInstallation | undefined> {
  const adb = peer('adb');
  if (adb === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'skolo-adb-'));
  const port = await freeTcpPort();
  let running: { pid: number; socket: Socket } | undefined;

  const server = new SimulatedAdbServer({ phones, onKill: () => running?.socket.destroy() });
  server.starts = 0;
  await server.open();
  // Each server process has one connection to this one, for as long as it lives.
  const lives = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (pid) => {
      running = { pid: Number(pid.toString()), socket };
      server.restart();
      socket.write('go');
    });
    socket.once('close', () => {
      if (running?.socket === socket) running = undefined;
    });
  });
  const control = join(folder, 'control');
  await once(lives.listen(control), 'listening');

  const script = join(folder, 'server.mjs');
  await writeFile(script, serverScript({ control, port, behind: server.port }));
  await writeFile(join(folder, 'adb'), clientScript({ adb, script, port }), { mode: 0o755 });
  return {
    server,
    folder,
    port,
    env: {
      PATH: [folder, process.env.PATH ?? ''].join(delimiter),
      ANDROID_ADB_SERVER_PORT: String(port),
    },
    pid: () => running?.pid,
    async close() {
      const closed = once(lives, 'close');
      lives.close();
      running?.socket.destroy();
      await closed;
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function serverScript(of: { control: string; port: number; behind: number }): string {
  return `import { connect, createServer } from 'node:net';
import { closeSync, writeSync } from 'node:fs';
const end = () => process.exit(0);
const control = connect(${JSON.stringify(of.control)}).on('error', end).on('close', end);
const server = createServer((socket) => {
  const behind = connect(${of.behind}, '127.0.0.1');
  for (const [from, to] of [[socket, behind], [behind, socket]]) {
    from.setNoDelay().on('error', () => to.destroy()).on('close', () => to.destroySoon()).pipe(to);
  }
});
server.on('error', end).listen(${of.port}, '127.0.0.1', () => {
  control.write(String(process.pid));
  control.once('data', () => {
    if (!process.argv.includes('--reply-fd')) return;
    writeSync(3, 'OK\\n');
    closeSync(3);
  });
});
`;
}

function clientScript({
  adb,
  script,
  port,
}: {
  adb: string;
  script: string;
  port: number;
}): string {
  return `#!/bin/bash
# Debian's adb, but for its server.
port=\${ANDROID_ADB_SERVER_PORT:-5037}
[ "$1" = -P ] && port=$2 && shift 2
if [ "$port" != ${port} ]; then exec '${adb}' -P "$port" "$@"; fi
serve=('${process.execPath}' '${script}' -L "tcp:$port")
case " $* " in
*' server '*) exec -a adb "\${serve[@]}" fork-server server ;;
*' kill-server '*|*' version '*|*' help '*) ;;
*)
  if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo "* daemon not running; starting now at tcp:$port" >&2
    setsid --fork bash -c 'exec -a adb "$@"' bash "\${serve[@]}" fork-server server --reply-fd 3 3>&1 </dev/null >/dev/null 2>&1 | read -r _
    echo '* daemon started successfully' >&2
  fi ;;
esac
# With an address it never starts a server by itself.
exec '${adb}' -L tcp:127.0.0.1:$port "$@"
`;
}
