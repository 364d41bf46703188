/** A phone's shell: mksh with toybox, limited to what is used over adb. */
import type { Output } from '../equipment/cli/unix/box.ts';
import {
  type Node,
  parseShell,
  ShellSyntaxError,
  type Word,
} from '../equipment/cli/unix/shell-syntax.ts';
import type { AndroidProgram, SimulatedAndroid } from './android.ts';
import { dumpsys, getprop } from './dumps.ts';

/** Four by four pixels. */
export const screenshot = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAEElEQVR42mMwTpsJRwzEcQDrIxMhKmJgcwAAAABJRU5ErkJggg==',
  'base64',
);

/** Bytes, not text, because of screenshots. */
export interface Answer {
  stdout: Buffer;
  stderr: Buffer;
  status: number;
}

export function runShell(phone: SimulatedAndroid, line: string): Answer {
  const all: Answer = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), status: 0 };
  const add = (stream: 'stdout' | 'stderr', text: string) => {
    all[stream] = Buffer.concat([all[stream], Buffer.from(text, 'latin1')]);
  };
  try {
    for (const { when, pipeline } of parseShell(line)) {
      if (when === 'success' && all.status !== 0) continue;
      if (when === 'failure' && all.status === 0) continue;
      const exit = exitOf(pipeline, all.status);
      if (exit !== undefined) return { ...all, status: exit };
      let stdin: string | undefined;
      for (const node of pipeline) {
        const output = runNode(phone, node, stdin, all.status);
        stdin = output.stdout ?? '';
        add('stderr', output.stderr ?? '');
        all.status = output.status ?? 0;
      }
      add('stdout', stdin ?? '');
    }
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error;
    add('stderr', `/system/bin/sh: ${error.message}\n`);
    all.status = 1;
  }
  return all;
}

function runNode(
  phone: SimulatedAndroid,
  node: Node,
  stdin: string | undefined,
  status: number,
): Output {
  if (node.kind === 'group') throw new ShellSyntaxError("syntax error: unexpected '('");
  const words = node.words.map((word) => textOf(word, status));
  while (/^\w+=/.test(words[0] ?? '') || words[0] === 'export' || words[0] === 'exec')
    words.shift();
  const output = runProgram(phone, words, stdin);
  const errorsTo = node.redirections.find(({ from }) => from === 2)?.to;
  const outputTo = node.redirections.find(({ from }) => from === 1)?.to;
  return {
    stdout: `${outputTo === undefined ? (output.stdout ?? '') : ''}${errorsTo === 1 ? (output.stderr ?? '') : ''}`,
    stderr: errorsTo === undefined ? (output.stderr ?? '') : '',
    status: output.status ?? 0,
  };
}

/** Undefined: it is not `exit`. */
function exitOf([node]: readonly Node[], status: number): number | undefined {
  if (node?.kind !== 'command') return undefined;
  const [name, code] = node.words.map((word) => textOf(word, status));
  return name === 'exit' ? Number(code ?? status) : undefined;
}

function textOf(word: Word, status: number): string {
  return word
    .map((piece) => {
      if (piece.kind === 'text') return piece.text;
      return piece.name === '?' ? String(status) : '';
    })
    .join('');
}

function runProgram(
  phone: SimulatedAndroid,
  [name, ...args]: readonly string[],
  stdin: string | undefined,
): Output {
  if (name === undefined) return {};
  const program = phone.programs.get(name) ?? programsOf(phone, stdin)[name];
  if (program) return program(args);
  // Until Android 10 it only said "not found".
  return { stderr: `/system/bin/sh: ${name}: inaccessible or not found\n`, status: 127 };
}

function programsOf(
  phone: SimulatedAndroid,
  stdin: string | undefined,
): Record<string, AndroidProgram> {
  return {
    getprop: (args) => getprop(phone, args),
    dumpsys: (args) => dumpsys(phone, args),
    cat: (args) => cat(phone, args, stdin),
    echo: (args) => ({ stdout: `${args.join(' ')}\n` }),
    true: () => ({}),
    false: () => ({ status: 1 }),
    screencap: () => ({ stdout: screenshot.toString('latin1') }),
    logcat: (args) => ({ stdout: lastLines(phone.log, args) }),
    reboot: () => {
      phone.reboot();
      return {};
    },
    svc: ([what, action]) => {
      if (what === 'power' && action === 'reboot') phone.reboot();
      return {};
    },
    id: () => ({ stdout: 'uid=2000(shell) gid=2000(shell) groups=2000(shell),1007(log)\n' }),
    grep: ([pattern = '']) => {
      const lines = (stdin ?? '').split('\n').filter((line) => line.includes(pattern));
      return {
        stdout: lines.map((line) => `${line}\n`).join(''),
        status: lines.length > 0 ? 0 : 1,
      };
    },
  };
}

/** `-t N`: only the last ones. */
function lastLines(log: string, args: readonly string[]): string {
  const count = Number(args[args.indexOf('-t') + 1]);
  if (!args.includes('-t') || !Number.isInteger(count)) return log;
  return log
    .split('\n')
    .slice(-count - 1)
    .join('\n');
}

function cat(phone: SimulatedAndroid, paths: readonly string[], stdin: string | undefined): Output {
  if (paths.length === 0) return { stdout: stdin ?? '' };
  const output = { stdout: '', stderr: '', status: 0 };
  for (const path of paths) {
    if (path === '/proc/uptime') {
      const seconds = phone.uptimeSeconds();
      output.stdout += `${seconds.toFixed(2)} ${(seconds * 6.9).toFixed(2)}\n`;
    } else {
      output.stderr += `cat: ${path}: No such file or directory\n`;
      output.status = 1;
    }
  }
  return output;
}
