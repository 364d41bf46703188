/** The agent as its own process, with its log. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type AgentStatus, createClient, swarmingClientApi } from '@skolo/api';
import { request } from '@skolo/base/request';
import { z } from 'zod';
import { signerFor } from './metadata.ts';

const sources = fileURLToPath(new URL('../main.ts', import.meta.url));

const Line = z.looseObject({ level: z.string(), msg: z.string() });
type LogLine = z.output<typeof Line>;
const Listening = z.looseObject({ port: z.int(), hookPort: z.int(), metricsPort: z.int() });

export class AgentProcess {
  readonly child: ChildProcess;
  readonly lines: LogLine[] = [];
  /** Output that is not a log line. */
  readonly said: string[] = [];
  readonly machine: string;
  port = 0;
  hookPort = 0;
  metricsPort = 0;

  private constructor(child: ChildProcess, machine: string) {
    this.child = child;
    this.machine = machine;
  }

  /** Fulfilled when it listens. */
  static async start(
    machine: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    main = sources,
  ): Promise<AgentProcess> {
    const all = ['--machine', machine, '--host', '127.0.0.1', ...args];
    const child = spawn(process.execPath, [main, ...all], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const agent = new AgentProcess(child, machine);
    const { stdout, stderr } = child;
    createInterface({ input: stderr }).on('line', (line) => agent.said.push(line));
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code, signal) =>
        reject(new Error(`ended with ${code ?? signal}: ${agent.text()}`)),
      );
      createInterface({ input: stdout }).on('line', (text) => {
        const line = agent.read(text);
        if (line?.msg !== 'listening') return;
        Object.assign(agent, Listening.parse(line));
        resolve();
      });
    });
    return agent;
  }

  get pid(): number {
    return z.int().parse(this.child.pid);
  }

  /** Log lines with that message. */
  logged(msg: string): LogLine[] {
    return this.lines.filter((line) => line.msg === msg);
  }

  text(): string {
    return [...this.lines.map((line) => JSON.stringify(line)), ...this.said].join('\n');
  }

  client() {
    return createClient(swarmingClientApi, {
      baseUrl: `http://127.0.0.1:${this.port}`,
      signer: signerFor(this.machine),
    });
  }

  status(): Promise<AgentStatus> {
    return this.client().status();
  }

  /**
   * The first status that matches, by waiting for each change, which is cheaper than polling.
   *
   * @throws Error No status matched in time.
   */
  async until(isSo: (status: AgentStatus) => boolean): Promise<AgentStatus> {
    // As long as `expect.poll`, which benches do not have.
    const late = AbortSignal.timeout(900_000);
    let status = await this.status();
    while (!isSo(status)) {
      if (late.aborted) {
        // Multi-line output comes last: reports show the beginning.
        const { devices, ...rest } = status;
        throw new Error(`not so in time: ${JSON.stringify({ ...rest, devices })}`);
      }
      const { revision } = status;
      // Readings alone do not count as a change.
      status = await this.client().status({ query: { after: revision, waitSeconds: 1 } });
    }
    return status;
  }

  async isWell(): Promise<void> {
    await this.until(({ health }) => health?.verdict === 'ok');
  }

  async metrics(): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.metricsPort}/metrics`);
    return await response.text();
  }

  async ready(): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`http://127.0.0.1:${this.metricsPort}/readyz`);
    const body = z.looseObject({ degraded: z.array(z.looseObject({ what: z.string() })) });
    const { degraded, ...rest } = body.parse(await response.json());
    // A pause of this computer is no fault of the agent.
    const own = degraded.filter(({ what }) => what !== 'pauses');
    return { status: response.status, body: { ...rest, degraded: own } };
  }

  async hook(name: string, given?: object): Promise<unknown> {
    // Not with fetch: browsers are rejected, and it identifies itself as one.
    const { text } = await request(`http://127.0.0.1:${this.hookPort}/${name}`, {
      timeoutMs: 120_000,
      ...(given && {
        method: 'POST' as const,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(given),
      }),
    });
    return JSON.parse(text);
  }

  hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Its exit code, or the signal that ended it. */
  async end(signal: NodeJS.Signals): Promise<number | string | null> {
    if (!this.hasEnded()) {
      const ended = once(this.child, 'exit');
      this.child.kill(signal);
      await ended;
    }
    return this.child.exitCode ?? this.child.signalCode;
  }

  private read(text: string): LogLine | undefined {
    try {
      const line = Line.parse(JSON.parse(text));
      this.lines.push(line);
      return line;
    } catch {
      this.said.push(text);
      return undefined;
    }
  }
}
