/** A Unix shell with a handful of programs: what is behind the ssh of devices that run Linux. */

import { HungUp, type Terminal } from '../terminal.ts';
import type { Output, UnixBox } from './box.ts';
import { builtIns } from './shell-programs.ts';
import {
  type List,
  type Node,
  type Pipeline,
  parseShell,
  type Redirection,
  ShellSyntaxError,
  type Word,
} from './shell-syntax.ts';

const CTRL_D = '\x04';
const CTRL_Z = '\x1a';

let lastProcess = 1000;

/** Talks until `exit` or the end of what is typed; the answer is the last exit status. */
export async function unixShell(terminal: Terminal, box: UnixBox): Promise<number> {
  const { interactive } = terminal.screen;
  const functions = interactive ? box.functions : {};
  const shell = new Shell(terminal, { ...box, programs: { ...box.programs, ...functions } });
  const { prompt } = box;
  if (interactive) await terminal.greet(box.motd, prompt);
  try {
    while (!shell.over) {
      const line = await terminal.readLine(interactive ? prompt : '');
      if (line === CTRL_D) break;
      if (line.trim() === '' || line === CTRL_Z) continue;
      terminal.session.log(line.trim());
      await shell.run(...(await withHereDocument(terminal, line)));
    }
  } catch (error) {
    if (!(error instanceof HungUp)) throw error;
  }
  return shell.status;
}

/** A command, and the lines that follow it where it has `<< 'WORD'`, up to that word. */
async function withHereDocument(
  terminal: Terminal,
  line: string,
): Promise<[command: string, stdin?: string]> {
  const [redirection, , word] = /<< *(['"]?)([\w-]+)\1/.exec(line) ?? [];
  if (redirection === undefined) return [line];
  let text = '';
  for (;;) {
    const next = await terminal.readLine(terminal.screen.interactive ? '> ' : '');
    if (next === word) return [line.replace(redirection, ''), text];
    text += `${next}\n`;
  }
}

/** Carries out a command line; the answer is its exit status. */
export async function unixExec(terminal: Terminal, command: string, box: UnixBox): Promise<number> {
  const shell = new Shell(terminal, box);
  await shell.run(command);
  return shell.status;
}

class Shell {
  status = 0;
  over = false;
  private readonly env: Record<string, string> = {};
  private readonly terminal: Terminal;
  private readonly box: UnixBox;
  private readonly pid = ++lastProcess;

  constructor(terminal: Terminal, box: UnixBox) {
    this.terminal = terminal;
    this.box = box;
  }

  async run(line: string, stdin?: string): Promise<void> {
    let list: List;
    try {
      list = parseShell(line);
    } catch (error) {
      if (!(error instanceof ShellSyntaxError)) throw error;
      this.terminal.putError(`-sh: ${error.message}\n`);
      this.status = 2;
      return;
    }
    await this.runList(list, stdin, async ({ stdout = '', stderr = '' }) => {
      if (stderr !== '') this.terminal.putError(stderr);
      await this.terminal.answer(stdout);
    });
  }

  private async runList(
    list: List,
    stdin: string | undefined,
    print: (output: Output) => Promise<void>,
  ): Promise<void> {
    for (const { when, pipeline } of list) {
      if (this.over) return;
      if (when === 'success' && this.status !== 0) continue;
      if (when === 'failure' && this.status === 0) continue;
      const output = await this.runPipeline(pipeline, stdin);
      this.status = output.status ?? 0;
      await print(output);
    }
  }

  private async runPipeline(pipeline: Pipeline, stdin: string | undefined): Promise<Output> {
    let output: Output = {};
    let input = stdin;
    let errors = '';
    for (const node of pipeline) {
      output = await this.runNode(node, input);
      errors += output.stderr ?? '';
      input = output.stdout ?? '';
    }
    return { ...output, stderr: errors };
  }

  private async runNode(node: Node, stdin: string | undefined): Promise<Output> {
    const output =
      node.kind === 'group'
        ? await this.runGroup(node.list, stdin)
        : await this.runCommand(node.words, stdin);
    return this.redirect(output, node.redirections);
  }

  private async runGroup(list: List, stdin: string | undefined): Promise<Output> {
    const all = { stdout: '', stderr: '' };
    await this.runList(list, stdin, async ({ stdout = '', stderr = '' }) => {
      all.stdout += stdout;
      all.stderr += stderr;
    });
    return { ...all, status: this.status };
  }

  private async runCommand(words: Word[], stdin: string | undefined): Promise<Output> {
    const expanded = words.flatMap((word) => this.expand(word));
    const assignments: Record<string, string> = {};
    while (/^\w+=/.test(expanded[0] ?? '')) {
      const [name = '', ...value] = (expanded.shift() ?? '').split('=');
      assignments[name] = value.join('=');
    }
    const [name, ...args] = expanded;
    if (name === undefined) {
      Object.assign(this.env, assignments);
      return {};
    }
    if (name === 'exit' || name === 'logout') {
      this.over = true;
      const status = Number(args[0] ?? this.status);
      return { status: Number.isInteger(status) ? status : 2 };
    }
    if (name === 'sh' && args.length === 0 && stdin === undefined) {
      const { motd: _motd, functions: _functions, ...box } = this.box;
      const status = await unixShell(this.terminal, { ...box, motd: '', prompt: '$ ' });
      return { status };
    }
    if (name === 'export') return this.runCommand(words.slice(1), stdin);
    const program = this.box.programs[name] ?? builtIns[name];
    if (!program) return { stderr: `-sh: ${name}: not found\n`, status: 127 };
    const { terminal, box, pid: parent } = this;
    return program({ args, env: { ...this.env, ...assignments }, stdin, terminal, box, parent });
  }

  private expand(word: Word): string[] {
    let text = '';
    let pattern = '';
    for (const piece of word) {
      const value =
        piece.kind === 'text'
          ? piece.text
          : piece.name === '?'
            ? String(this.status)
            : (this.env[piece.name] ?? '');
      text += value;
      const literal = value.replace(/[.+^${}()|[\]\\*?]/g, '\\$&');
      const open = piece.kind === 'text' && !piece.quoted;
      pattern += open ? literal.replace(/\\\*/g, '[^/]*').replace(/\\\?/g, '[^/]') : literal;
    }
    if (!/\[\^\/\]/.test(pattern)) return [text];
    const matching = this.box.files.list().filter((path) => new RegExp(`^${pattern}$`).test(path));
    return matching.length > 0 ? matching.sort() : [text];
  }

  private redirect(output: Output, redirections: readonly Redirection[]): Output {
    const { files } = this.box;
    const targets: Record<1 | 2, string> = { 1: '', 2: '/dev/stderr' };
    const appended = new Set<string>();
    for (const { from, to, appends = false } of redirections) {
      targets[from] = typeof to === 'number' ? targets[to] : (this.expand(to)[0] ?? '/');
      if (appends) appended.add(targets[from]);
    }
    const before = (path: string) => (appended.has(path) ? (files.read(path) ?? '') : '');
    const result = { stdout: '', stderr: '', status: output.status ?? 0 };
    const texts = [
      [targets[1], output.stdout ?? ''],
      [targets[2], output.stderr ?? ''],
    ] as const;
    for (const [path, text] of texts) {
      if (path === '') result.stdout += text;
      else if (path === '/dev/stderr') result.stderr += text;
      else if (path !== '/dev/null' && !files.write(path, before(path) + text, this.terminal)) {
        result.stderr += `-sh: can't create ${path}: nonexistent directory\n`;
        result.status = 1;
      }
    }
    return result;
  }
}
