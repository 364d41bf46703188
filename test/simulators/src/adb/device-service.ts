/** The services of a phone's adbd for a connection: shells, with and without the shell protocol, and the reboot. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SimulatedAndroid } from './android.ts';
import { type Answer, runShell } from './shell.ts';
import { type Client, fail, okay, packet, shellStream } from './wire.ts';

/** Serves one request to its end. If the phone leaves meanwhile, the connection ends. */
export async function serveDevice(
  client: Client,
  phone: SimulatedAndroid,
  request: string,
): Promise<void> {
  phone.received.push({ at: Date.now(), text: request });
  const stop = phone.onGone(() => client.finish());
  client.socket.once('close', stop);
  if (phone.faults.has('hangs')) return;

  if (request === 'reconnect') return client.finish(okay('done'));
  const [, kind = '', options = '', command] =
    /^(shell|exec|reboot|remount|root|unroot|sync)((?:,[^:]*)?):(.*)$/s.exec(request) ?? [];
  if (command === undefined) return client.finish(fail(`unknown service ${request}`));
  if (kind === 'reboot') return reboot(client, phone);
  if (kind === 'shell' || kind === 'exec') {
    const hasProtocol = options.split(',').includes('v2');
    if (hasProtocol && !phone.record.features.includes('shell_v2'))
      return client.finish(fail('closed'));
    if (!(await client.send(okay()))) return;
    // Nobody types here: an interactive shell ends immediately.
    const answer = runShell(phone, command === '' ? 'true' : command);
    return respond(client, phone, { answer, hasProtocol, isTerminal: kind === 'shell' });
  }
  client.finish(fail('closed'));
}

async function reboot(client: Client, phone: SimulatedAndroid): Promise<void> {
  await client.send(okay());
  // It leaves the bus, which ends the connection.
  phone.reboot();
}

interface Response {
  answer: Answer;
  hasProtocol: boolean;
  isTerminal: boolean;
}

async function respond(client: Client, phone: SimulatedAndroid, response: Response): Promise<void> {
  const { faults } = phone;
  if (faults.has('slow')) await sleep(phone.slowMs);
  const { stdout, stderr, status } = distort(phone, response);
  const frame = (stream: number, data: Buffer) =>
    !response.hasProtocol ? data : data.length > 0 ? packet(stream, data) : Buffer.alloc(0);
  const half = ['hangs-mid-way', 'disappears-mid-way', 'drops-mid-way'] as const;
  if (half.some((fault) => faults.has(fault))) {
    await client.send(frame(shellStream.stdout, stdout.subarray(0, stdout.length >> 1)));
    if (faults.has('drops-mid-way')) return client.finish();
    if (faults.delete('disappears-mid-way')) phone.unplug();
    return;
  }
  await client.send(frame(shellStream.stdout, stdout));
  if (faults.has('huge-output')) await sendMuch(client, phone.hugeBytes, frame);
  await client.send(frame(shellStream.stderr, stderr));
  client.finish(response.hasProtocol ? packet(shellStream.exit, Buffer.from([status])) : undefined);
}

function distort(phone: SimulatedAndroid, { answer, isTerminal }: Response): Answer {
  const { faults, record } = phone;
  if (faults.has('empty-answers')) {
    return { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), status: 0 };
  }
  if (faults.has('garbage')) {
    return { stdout: randomBytes(1500), stderr: randomBytes(20), status: 0 };
  }
  const isOld = record.hasTerminalOutput === true && isTerminal;
  return faults.has('crlf') || isOld
    ? { ...answer, stdout: withReturns(answer.stdout), stderr: withReturns(answer.stderr) }
    : answer;
}

function withReturns(data: Buffer): Buffer {
  return Buffer.from(data.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
}

/** Meaningless lines, in pieces as adbd sends them. */
async function sendMuch(
  client: Client,
  bytes: number,
  frame: (stream: number, data: Buffer) => Buffer,
): Promise<void> {
  const piece = frame(shellStream.stdout, Buffer.from(`${'x'.repeat(127)}\n`.repeat(512)));
  for (let sent = 0; sent < bytes; sent += piece.length) {
    if (!(await client.send(piece))) return;
  }
}
