/**
 * A server of k3s as `verify` and `bench` see it: kubectl before a real API server with fake nodes, and `kubectl exec` that runs
 * its script for real, by busybox (and GNU wget) in a network where every pod, service and node answers.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { type Host, openHost } from '@skolo/setup/engine';
import { type ControlPlane, lacks, peer, startControlPlane } from '@skolo/simulators';

const run = promisify(execFile);

/** Why there can be none here; undefined where there can. */
export function whyNoPodNetwork(): string | undefined {
  if (!existsSync('/usr/bin/wget')) return 'wget is not installed';
  return lacks('root', 'busybox', 'ip', 'kubectl', 'control-plane');
}

export interface PodNetwork {
  server: Host;
  /** A computer in that network, with the addresses of all nodes. */
  node: Host;
  plane: ControlPlane;
  close(): Promise<void>;
}

/** Answers every question with an address. */
const dns = `const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (question, { address, port }) => {
  const end = question.indexOf(0, 12) + 5;
  const head = Buffer.from([question[0], question[1], 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 43, 0, 1]);
  socket.send(Buffer.concat([head, question.subarray(12, end), answer]), port, address);
});
socket.bind(53, '127.0.0.53', () => console.log('ready'));`;

/** Programs and pages of pods, and a name server. */
async function writeFiles(folder: string): Promise<void> {
  for (const each of ['bin', 'www', 'data']) await mkdir(join(folder, each));
  await run('busybox', ['--install', '-s', join(folder, 'bin')]);
  // wget of Debian's busybox crashes: it is static, and glibc is not.
  await rm(join(folder, 'bin/wget'));
  await symlink('/usr/bin/wget', join(folder, 'bin/wget'));
  await writeFile(join(folder, 'www/index.html'), 'skolo\n');
  await writeFile(join(folder, 'resolv.conf'), 'nameserver 127.0.0.53\n');
  await writeFile(join(folder, 'dns.cjs'), dns);
}

/** kubectl, and commands in pods: those run in the network of the test. */
function k3sScript(folder: string, command: string, pid: number | undefined): string {
  return `#!/bin/sh
shift
all=$*
case " $all " in *' exec '*) ;; *) exec ${command} "$@" ;; esac
enter='nsenter --net --mount --target ${pid}'
for each in $(${command} get pods,services -n skolo-verify -o jsonpath='{.items[*].status.podIP} {.items[*].spec.clusterIP}'); do
  $enter ip address replace "$each/32" dev lo
done
for script; do :; done
export PATH='${folder}/bin'
exec env -i "PATH=$PATH" /usr/bin/$enter sh -c "$(echo "$script" | sed 's#/data/#${folder}/data/#g')"
`;
}

export async function startPodNetwork(nodes: readonly string[]): Promise<PodNetwork> {
  const folder = await mkdtemp(join(tmpdir(), 'skolo-pods-'));
  let network: ChildProcess | undefined;
  let plane: ControlPlane | undefined;
  async function close() {
    if (network?.pid !== undefined) {
      const ended = once(network, 'close');
      process.kill(-network.pid, 'SIGKILL');
      await ended;
    }
    await plane?.close();
    await rm(folder, { recursive: true, force: true });
  }
  try {
    await writeFiles(folder);
    network = spawn(
      'unshare',
      [
        ...['--net', '--mount', 'sh', '-ec'],
        `ip link set lo up
mount --bind '${folder}/resolv.conf' /etc/resolv.conf
for port in 80 8080; do busybox httpd -f -p "$port" -h '${folder}/www' & done
exec '${process.execPath}' '${folder}/dns.cjs'`,
      ],
      // Ends as one group.
      { stdio: ['ignore', 'pipe', 'inherit'], detached: true },
    );
    if (network.stdout === null) throw new Error('no pipe');
    await once(createInterface({ input: network.stdout }), 'line');
    plane = await startControlPlane(peer('control-plane') ?? '', peer('kubectl') ?? '', {
      nodes: nodes.map((name, at) => ({
        name,
        ...(at === 0 && { labels: { 'node-role.kubernetes.io/control-plane': 'true' } }),
      })),
    });
    const command = `'${peer('kubectl')}' --kubeconfig '${plane.kubeconfig}'`;
    await mkdir(join(folder, 'server'));
    await writeFile(join(folder, 'server/k3s'), k3sScript(folder, command, network.pid), {
      mode: 0o755,
    });
    const env = { ...process.env, PATH: `${folder}/server:${process.env.PATH}`, HOME: folder };
    const { signal } = new AbortController();
    const server = await openHost({
      name: nodes[0] ?? 'server',
      start: async (text) => spawn('sh', ['-c', text], { env }),
      signal,
    });
    const enter = ['--net', '--target', `${network.pid}`, 'sh', '-c'];
    const node = await openHost({
      name: 'node',
      start: async (text) => spawn('nsenter', [...enter, text], { env }),
      signal,
    });
    const addresses = await server.need(
      `k3s kubectl get nodes -o jsonpath='{.items[*].status.addresses[0].address}'`,
    );
    await node.need(`for each in ${addresses}; do ip address replace "$each/32" dev lo; done`);
    return { server, node, plane, close };
  } catch (error) {
    await close();
    throw error;
  }
}
