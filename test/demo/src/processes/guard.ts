import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process to end when the demo is gone; without the time, one that has ended. */
export interface Watched {
  pid: number;
  /** How long it may take after SIGTERM, before SIGKILL. */
  stopWithinMs?: number;
}

/** Ensures that no service is left running, even if the demo is killed; see guard-main.ts. */
export class Guard {
  private readonly watched = new Map<number, number>();
  private readonly onStarted: (pid: number) => Promise<void>;
  private child: ChildProcess | undefined;

  /** `onStarted` is called with the guard's process, and again if it had to be restarted. */
  constructor(onStarted: (pid: number) => Promise<void> = async () => undefined) {
    this.onStarted = onStarted;
  }

  async start(): Promise<void> {
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('guard-main.ts', import.meta.url))],
      {
        stdio: ['pipe', 'ignore', 'ignore'],
        // Not in the demo's process group: killing that must not kill the guard.
        detached: true,
      },
    );
    this.child = child;
    child.stdin.on('error', () => undefined);
    child.once('exit', () => {
      if (this.child === child) setTimeout(() => this.startAgain(), 1000).unref();
    });
    await once(child, 'spawn');
    for (const [pid, stopWithinMs] of this.watched) this.send({ pid, stopWithinMs });
    if (child.pid !== undefined) await this.onStarted(child.pid);
  }

  watch(pid: number, stopWithinMs: number): void {
    this.watched.set(pid, stopWithinMs);
    this.send({ pid, stopWithinMs });
  }

  forget(pid: number): void {
    this.watched.delete(pid);
    this.send({ pid });
  }

  /** It ends everything that is still watched. */
  async close(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.stdin?.end();
    await once(child, 'exit');
  }

  /** Another process ended it. Everything continues without it, but the demo itself must not be killed then. */
  private startAgain() {
    if (this.child) this.start().catch(() => undefined);
  }

  private send(what: Watched) {
    this.child?.stdin?.write(`${JSON.stringify(what)}\n`);
  }
}
