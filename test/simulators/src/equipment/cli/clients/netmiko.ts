/**
 * An independent client for the tests of command lines that knows them: netmiko, a library of other people, unmodified.
 * It tells much by time, that is by nothing having come for a while; `delays` is how much of its usual patience it has, by a clock that
 * only runs while this process does (netmiko-client.py).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';
import { z } from 'zod';
import { peer } from '../../../peer.ts';
import type { CliDevice } from '../core.ts';

const delays = { fast_cli: true, global_delay_factor: 0.5 };

const Answer = z.union([
  z.object({ error: z.string() }),
  z.object({ beat: z.literal(true) }),
  z.object({ value: z.unknown() }),
]);
const Text = z.string().nullable();
const ExecResult = z.object({ status: z.number(), output: z.string() });

const account = { username: 'skolo', password: 'f1rst' };

/** A device, and a netmiko that is not connected to it yet. Both end with the test. */
export async function sit<Device extends CliDevice>(
  context: TestContext,
  start: (options: typeof account) => Promise<Device>,
) {
  const python = peer('netmiko');
  if (python === undefined) return context.skip('netmiko is not installed');
  const device = await start(account);
  context.onTestFinished(() => device.close());
  const netmiko = new Netmiko(python, device);
  context.onTestFinished(() => netmiko.close());
  const changes: string[] = [];
  device.board.on('change', ({ outlet, on }) => changes.push(`${outlet} ${on ? 'on' : 'off'}`));
  return { device, netmiko, changes, told: () => device.received.map(({ text }) => text) };
}

class Netmiko {
  private readonly device: CliDevice;
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;
  private readonly answers: AsyncIterator<string>;
  private complaints = '';

  /** @param python an interpreter that has netmiko */
  constructor(python: string, device: CliDevice) {
    this.device = device;
    const script = fileURLToPath(new URL('./netmiko-client.py', import.meta.url));
    const child = spawn(python, ['-W', 'ignore', script], { stdio: 'pipe' });
    this.child = child;
    this.ended = once(child, 'close');
    child.stdin.on('error', () => {});
    child.stderr.on('data', (data: Buffer) => {
      this.complaints += data.toString();
    });
    this.answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  }

  /**
   * @param type `ubiquiti_edgeswitch`, `cisco_ios_telnet`, `linux` …
   * @param login `password` where it is not the right one, `secret` for privileged mode
   * @returns the prompt without its mode
   */
  connect(type: string, login: { password?: string; secret?: string } = {}): Promise<string> {
    const { host, port: sshPort, telnetPort } = this.device;
    const port = type.endsWith('_telnet') ? telnetPort : sshPort;
    return this.call('connect', [], {
      device_type: type,
      host,
      port,
      ...account,
      ...login,
      ...delays,
    });
  }

  /** Any method of a connection. @throws Error What netmiko raised */
  async call(name: string, args: unknown[] = [], named: object = {}): Promise<string> {
    return Text.parse(await this.ask(name, args, named)) ?? '';
  }

  /** A command in a channel of its own. */
  async exec(command: string): Promise<z.infer<typeof ExecResult>> {
    return ExecResult.parse(await this.ask('exec', [command], {}));
  }

  async close(): Promise<void> {
    this.child.kill();
    await this.ended;
  }

  private async ask(name: string, args: unknown[], named: object): Promise<unknown> {
    this.child.stdin?.write(`${JSON.stringify([name, args, named])}\n`);
    for (;;) {
      const { value: line, done } = await this.answers.next();
      if (done) throw new Error(`no answer to ${name}: ${this.complaints}`);
      const answer = Answer.parse(JSON.parse(line));
      if ('error' in answer) throw new Error(answer.error);
      if (!('beat' in answer)) return answer.value;
      // The device answers meanwhile what it has received.
      for (let turn = 0; turn < 10; turn += 1) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      this.child.stdin?.write('\n');
    }
  }
}
