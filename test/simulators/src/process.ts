/** Programs of others that a test starts in a folder of its own, and ends by their id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

/** PATH in a computer or a node of a test: the folders of the test's own PATH are not there. */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin';

/** As long as `expect.poll` of tests. */
export const patienceMs = 900_000;

export class Process {
  private readonly child: ChildProcess;
  private said = '';

  /** Its standard input ends when we do, however that happens. */
  constructor(program: string, args: readonly string[], env = process.env) {
    this.child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (data: Buffer) => {
        this.said = `${this.said}${data}`.slice(-2000);
      });
    }
    this.child.on('error', (error) => {
      this.said += error.message;
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The last that it printed. */
  get output(): string {
    return this.said;
  }

  /** Asks again and again until it says yes. @throws Error The program has ended, or takes too long */
  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + patienceMs;
    while (!(await isSo())) {
      this.mustRun();
      if (performance.now() > deadline) {
        throw new Error(`${this.child.spawnfile}: ${what} takes too long: ${this.said}`);
      }
      await pause(50);
    }
  }

  /** @throws Error It has ended */
  mustRun(): void {
    if (this.hasEnded()) throw new Error(`${this.child.spawnfile} has ended: ${this.said}`);
  }

  /** Resolves when it ends, with the last that it printed. */
  async untilEnd(): Promise<string> {
    if (!this.hasEnded()) await once(this.child, 'exit');
    return this.said;
  }

  /** For one that ends with its standard input. */
  async leave(): Promise<void> {
    if (this.hasEnded()) return;
    const ended = once(this.child, 'exit');
    this.child.stdin?.end();
    await ended;
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.hasEnded()) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
  }

  /** Stops it as it is, or lets it go on. */
  pause(isPaused: boolean): void {
    this.child.kill(isPaused ? 'SIGSTOP' : 'SIGCONT');
  }

  private hasEnded(): boolean {
    const { pid, exitCode, signalCode } = this.child;
    return pid === undefined || exitCode !== null || signalCode !== null;
  }
}

/** For `until`: whether the command succeeds. */
export function succeeds(command: Promise<unknown>): Promise<boolean> {
  return command.then(
    () => true,
    () => false,
  );
}
