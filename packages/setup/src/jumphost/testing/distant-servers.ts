/** Servers on the internet: one hop behind this computer, so that packets that do not get far do not reach them. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { network, ours } from '@skolo/setup/k3s/testing';

const run = promisify(execFile);

/** Part of TEST-NET-3 (RFC 5737): each process of tests has four addresses. */
const third = Number(network.split('.').at(-1));
const addressOf = (at: number) => `203.0.113.${(third - 64) * 4 + at}`;
const router = addressOf(1);
export const distant = addressOf(2);

/** Passes connections on to this computer. */
const relay = (ports: readonly number[]) => `
const { connect, createServer } = require('node:net');
for (const port of ${JSON.stringify(ports)}) {
  createServer((client) => {
    const server = connect(port, '${ours}');
    client.pipe(server).pipe(client);
    for (const each of [client, server]) each.on('error', () => undefined);
  }).listen(port, () => console.log(port));
}`;

/** @param ports of servers of this computer, which can be reached at `distant` until `close` */
export async function startDistantServers(ports: readonly number[]) {
  const program = ['unshare', '--net', process.execPath, '-e', relay(ports)];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const link = `skolo-far-${third}`;
  const far = (...args: string[]) => run('nsenter', ['-t', `${child.pid}`, '-n', 'ip', ...args]);
  await run('ip', [
    'link',
    'add',
    link,
    'type',
    'veth',
    'peer',
    'name',
    'near',
    'netns',
    `${child.pid}`,
  ]);
  await run('ip', ['address', 'add', `${router}/30`, 'dev', link]);
  await run('ip', ['link', 'set', link, 'up']);
  await far('address', 'add', `${distant}/30`, 'dev', 'near');
  await far('link', 'set', 'near', 'up');
  await far('route', 'add', 'default', 'via', router);
  const { stdout } = await run('ip', ['-o', 'address', 'show', 'to', ours]);
  for (const each of [link, stdout.split(' ')[1]]) {
    await run('sh', ['-c', `echo 1 > /proc/sys/net/ipv4/conf/${each}/forwarding`]);
  }
  return {
    async close() {
      child.kill();
      await once(child, 'exit');
    },
  };
}
