import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

interface Line extends Record<string, unknown> {
  msg?: string;
}

/** Runs a program of this folder until the test ends. */
export function startChild(
  program: 'example-service' | 'fixture-service' | 'start-and-stop',
  args: string[],
  env: Record<string, string> = {},
) {
  const file = fileURLToPath(new URL(`${program}.ts`, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], {
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'close').then(([code, signal]) => code ?? signal);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });

  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });

  function lines(): Line[] {
    return stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }
  async function line(message: string): Promise<Line> {
    for (;;) {
      const found = lines().find(({ msg }) => msg === message);
      if (found) return found;
      const ended = await Promise.race([once(child.stdout, 'data').then(() => false), exited]);
      if (ended !== false) throw new Error(`no line ${message}: ${stdout}${stderr}`);
    }
  }
  return {
    process: child,
    stdout: () => stdout,
    stderr: () => stderr,
    /** The lines of its log so far. */
    lines,
    /** The first line with that message, perhaps still to come. */
    line,
    /** Its ports, once it listens. */
    async ports() {
      const { port, metricsPort } = await line('listening');
      return { port: Number(port), metricsPort: Number(metricsPort) };
    },
    exit: () => exited,
  };
}

export type Child = ReturnType<typeof startChild>;
