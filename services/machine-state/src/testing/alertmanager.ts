/** A real Alertmanager that sends no notifications. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { expect, onTestFinished } from 'vitest';

/** @returns its URL */
export async function startAlertmanager(program: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-alertmanager-'));
  await writeFile(
    join(dir, 'config.yml'),
    'route: { receiver: none }\nreceivers: [{ name: none }]\n',
  );
  const address = `127.0.0.1:${await freeTcpPort()}`;
  const flags = {
    'config.file': join(dir, 'config.yml'),
    'storage.path': dir,
    'web.listen-address': address,
    // Standalone: no port for peers.
    'cluster.listen-address': '',
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(program, args, { stdio: 'ignore' });
  onTestFinished(async () => {
    const ended = new Promise((resolve) => child.once('close', resolve));
    if (child.kill('SIGKILL')) await ended;
    await rm(dir, { recursive: true });
  });
  const url = `http://${address}`;
  const isReady = () =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await expect.poll(isReady).toBe(true);
  return url;
}
