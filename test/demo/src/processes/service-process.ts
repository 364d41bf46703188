import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Computer } from '../agent-computer.ts';
import { cannotListen, listeningPort } from '../output/log-lines.ts';
import type { Guard } from './guard.ts';
import { signalGroup } from './process-group.ts';

interface ServiceProcessOptions {
  name: string;
  /** The service's main.ts and its flags. */
  args: string[];
  cwd: string;
  guard: Guard;
  /** What it runs on, if that may lose its power. */
  computer?: Computer | undefined;
  /** A line of the service's output. */
  onLine(line: string): void;
  /** What happened to the process, for people. */
  print(text: string): void;
  /** Seconds that it may take to end, from the current rack.yaml. */
  stopWithin(): Promise<number>;
}

/** A service ended before it ever served. */
export class EndedAtOnce extends Error {
  readonly code = 'ENDED_AT_ONCE';
  readonly exitCode: number;
  /** Another process had its port at that moment. */
  readonly hadNoPort: boolean;

  constructor(message: string, exitCode: number, hadNoPort = false) {
    super(message);
    this.exitCode = exitCode;
    this.hadNoPort = hadNoPort;
  }
}

/** Seconds until the next start: 1, 2, 4 … 30. One that ran for longer than this starts at 1 again. */
const longestPause = 30;
/** Megabytes that a start allocates before the first collection: it saves a tenth of the processor time of a start. */
const youngGeneration = ['--min-semi-space-size=16'];
/** Additional time to close everything. */
const graceMs = 2000;

/** A service as its own process, restarted when it ends by itself. */
export class ServiceProcess {
  private readonly options: ServiceProcessOptions;
  private child: ChildProcess | undefined;
  private stopping = false;
  private failures = 0;
  private hadNoPort = false;
  private next: NodeJS.Timeout | undefined;
  private onListening: ((port: number) => void) | undefined;
  private onEndedAtOnce: ((error: EndedAtOnce) => void) | undefined;

  constructor(options: ServiceProcessOptions) {
    this.options = options;
  }

  /** @returns its port, once it serves. @throws EndedAtOnce */
  start(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.onListening = resolve;
      this.onEndedAtOnce = reject;
      this.launch().catch(reject);
    });
  }

  /** SIGTERM, and SIGKILL for whatever remains when its time is over. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.next);
    const { child } = this;
    if (child?.pid === undefined || hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const withinMs = (await this.options.stopWithin()) * 1000 + graceMs;
    const timer = setTimeout(() => {
      this.options.print(`${this.options.name} did not end within ${withinMs / 1000} s: killed`);
      this.kill();
    }, withinMs);
    await ended;
    clearTimeout(timer);
  }

  /** Immediately, with everything that it started. */
  kill(): void {
    if (this.child?.pid !== undefined && !hasEnded(this.child))
      signalGroup(this.child.pid, 'SIGKILL');
  }

  private async launch() {
    const { args, cwd, guard, computer, onLine, stopWithin } = this.options;
    await computer?.whenUp();
    const stopWithinMs = (await stopWithin()) * 1000 + graceMs;
    if (this.stopping) return;
    const startedAt = performance.now();
    const child = spawn(process.execPath, [...youngGeneration, ...args], {
      cwd,
      ...(computer && { env: computer.env() }),
      stdio: ['ignore', 'pipe', 'pipe'],
      // In its own group, so that a Ctrl-C reaches it once, through the demo.
      detached: true,
    });
    this.child = child;
    this.follow(child.stdout, (line) => {
      onLine(line);
      this.hadNoPort ||= cannotListen(line);
      const port = listeningPort(line);
      if (port !== undefined) this.onListening?.(port);
      if (port !== undefined) this.onEndedAtOnce = undefined;
    });
    this.follow(child.stderr, onLine);
    await once(child, 'spawn');
    const { pid } = child;
    if (pid === undefined) return;
    guard.watch(pid, stopWithinMs);
    let hasPower = true;
    const forget = computer?.onDown(() => {
      hasPower = false;
      this.kill();
    });
    child.once('exit', () => {
      forget?.();
      guard.forget(pid);
      signalGroup(pid, 'SIGKILL');
      if (hasPower) void this.ended(child, performance.now() - startedAt);
      else this.lostPower();
    });
  }

  private lostPower() {
    if (this.stopping) return;
    const { name, print } = this.options;
    print(`${name} ended: its machine has lost its power; it starts when that has booted`);
    this.launchAgain();
  }

  private launchAgain() {
    this.launch().catch((error: Error) => {
      this.options.print(`${this.options.name} cannot be started: ${error.message}`);
    });
  }

  private follow(stream: Readable, onLine: (line: string) => void) {
    createInterface({ input: stream }).on('line', onLine);
  }

  private async ended(child: ChildProcess, ranForMs: number) {
    // Its last lines come before ours, but a process that it left behind may keep the pipe open.
    const drained = once(child, 'close');
    await Promise.race([drained, sleep(500, undefined, { ref: false })]);
    if (this.stopping) return;
    const { name, print } = this.options;
    const { text, code } = howItEnded(child);
    if (this.onEndedAtOnce) {
      const message = `${name} ended before it served (${text})`;
      this.onEndedAtOnce(new EndedAtOnce(message, code, this.hadNoPort));
      return;
    }
    this.failures = ranForMs > longestPause * 1000 ? 1 : this.failures + 1;
    const pause = Math.min(longestPause, 2 ** (this.failures - 1));
    print(`${name} ended (${text}); starting it again in ${pause} s`);
    this.next = setTimeout(() => this.launchAgain(), pause * 1000);
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** As in a shell: 128 and more if a signal ended it. Never 0, because it was not supposed to end. */
function howItEnded({ exitCode, signalCode }: ChildProcess): { text: string; code: number } {
  if (signalCode !== null) {
    return { text: signalCode, code: 128 + constants.signals[signalCode] };
  }
  return { text: `exit code ${exitCode}`, code: exitCode || 1 };
}
