import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** An attacker in a process of its own, so that it uses another core, until the end of the test. What it prints is read by the caller. */
export function startAttacker(program: URL, how: object) {
  const child = spawn(process.execPath, [fileURLToPath(program), JSON.stringify(how)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return child;
}
