/** Debian's adb, for tests. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, type TestContext } from 'vitest';
import { peer } from '../peer.ts';

interface AdbResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

export type Adb = (...args: string[]) => Promise<AdbResult>;

/** The real client, connected to that server. Skips the test if it is not installed. */
export function realAdb(context: TestContext, { port }: { port: number }): Adb {
  const path = peer('adb');
  if (path === undefined) return context.skip('adb is not installed');
  const home = mkdtempSync(join(tmpdir(), 'skolo-adb-home-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return (...args) => runAdb(path, args, { ANDROID_ADB_SERVER_PORT: String(port), HOME: home });
}

export async function runAdb(
  path: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<AdbResult> {
  const child = spawn(path, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    said.stdout += text;
  });
  child.stderr.setEncoding('latin1').on('data', (text: string) => {
    said.stderr += text;
  });
  await once(child, 'close');
  return { status: child.exitCode, ...said };
}

/** Runs it until a condition holds, then ends it: for commands that never end. */
export async function endedWhen(
  context: TestContext,
  { port }: { port: number },
  args: readonly string[],
  isSo: (stdout: string) => boolean | Promise<boolean>,
): Promise<string> {
  const path = peer('adb');
  if (path === undefined) return context.skip('adb is not installed');
  const child = spawn(path, args, {
    env: { ...process.env, ANDROID_ADB_SERVER_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let stdout = '';
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    stdout += text;
  });
  const closed = once(child, 'close');
  try {
    await context.expect.poll(() => isSo(stdout)).toBe(true);
  } finally {
    child.kill('SIGKILL');
    await closed;
  }
  return stdout;
}
