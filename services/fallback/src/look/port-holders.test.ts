import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lacks } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { portHolders } from './port-holders.ts';

const program = `const server = require('node:net').createServer();
server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;

/** A Node program that listens on a port, with these arguments. */
async function start(...args: string[]) {
  const child = spawn(process.execPath, ['-e', program, ...args], { argv0: 'node' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [port] = await once(child.stdout, 'data');
  return { port: Number(port), pid: child.pid };
}

describe.skipIf(lacks('ip'))('who listens on a port', () => {
  it('names a Node program by its script, on one line, and its process, without other arguments', async () => {
    const script = `/opt/${'x'.repeat(500)}`;
    const { port, pid } = await start('\u001b[31m\n/x', '--key=/hunter2', script);

    const [holder = '', ...more] = await portHolders(port);

    expect(more).toEqual([]);
    expect(holder).toContain('node /opt/xxx');
    expect(holder).toMatch(new RegExp(`^\\P{C}{1,120} \\(process ${pid}\\) on port ${port}$`, 'u'));
  });

  it('leaves out the service itself, and knows nobody on a free port', async () => {
    const { port } = await start('/opt/own.js');
    const isOwn = (cmdline: string) => cmdline.split('\0').includes('/opt/own.js');

    expect(await portHolders(port, isOwn)).toEqual([]);
    expect(await portHolders(1)).toEqual([]);
  });
});
