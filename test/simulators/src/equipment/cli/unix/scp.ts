/**
 * The device's side of scp: `scp -f PATH` gives a file, `scp -t PATH` takes one. Client and device talk in lines that say
 * mode, size and name, then bytes, each answered with a zero byte; a byte of 1 begins words of rejection.
 *
 * Source: scp.c of OpenSSH, "How the SCP protocol works" (Pechanec, 2007).
 */
import { posix } from 'node:path';
import { HungUp } from '../terminal.ts';
import { decodeText, encodeText } from '../text-bytes.ts';
import type { Call, Output, UnixBox } from './box.ts';

/** What it needs of a shell. */
type ScpCall = Pick<Call, 'args' | 'terminal'> & { box: Pick<UnixBox, 'files'> };

export async function scp(call: ScpCall): Promise<Output> {
  const options = call.args.filter((arg) => arg.startsWith('-')).join('');
  const path = call.args.find((arg) => !arg.startsWith('-')) ?? '.';
  try {
    if (options.includes('t')) return await take(call, path);
    if (options.includes('f')) return await give(call, path);
  } catch (error) {
    // The client has what it wanted, or has given up.
    if (error instanceof HungUp && !call.terminal.isDropped) return {};
    throw error;
  }
  return { stderr: 'usage: scp [-346BCpqrv] source ... target\n', status: 1 };
}

async function give({ box, terminal }: ScpCall, path: string): Promise<Output> {
  const text = box.files.read(path);
  await terminal.readBytes(1);
  if (text === undefined) {
    terminal.put(`\x01scp: ${path}: No such file or directory\n`);
    return { status: 1 };
  }
  terminal.put(`C0644 ${encodeText(text).length} ${posix.basename(path)}\n`);
  await terminal.readBytes(1);
  const isConfiguration = box.files.isConfiguration?.(path) ?? false;
  await terminal.answer(isConfiguration ? terminal.session.configuration(text) : text);
  // The client still waits for the rest.
  if (terminal.session.faults.has('cut-short') && isConfiguration) return { status: 1 };
  terminal.put('\0');
  await terminal.readBytes(1);
  return {};
}

async function take({ box, terminal }: ScpCall, path: string): Promise<Output> {
  terminal.put('\0');
  for (;;) {
    const line = await readLine(terminal);
    const [, size = '', name = ''] = /^C[0-7]+ (\d+) (.+)$/.exec(line) ?? [];
    if (line.startsWith('T')) terminal.put('\0');
    if (size === '') continue;
    terminal.put('\0');
    const content = await terminal.readBytes(Number(size));
    await terminal.readBytes(1);
    const target = box.files.list().some((file) => file.startsWith(`${path}/`))
      ? posix.join(path, name)
      : path;
    const bytes = Buffer.from(content, 'latin1');
    if (box.files.write(target, decodeText(bytes), terminal)) terminal.put('\0');
    else terminal.put(`\x01scp: ${target}: Permission denied\n`);
  }
}

async function readLine(terminal: Call['terminal']): Promise<string> {
  let line = '';
  for (;;) {
    const byte = await terminal.readBytes(1);
    if (byte === '\n') return line;
    line += byte;
  }
}
