/** A page of docs/alone, and a person who types its commands. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Computer } from '@skolo/simulators';
import { expect } from 'vitest';
import { root } from '../paths.ts';

/** The blocks of a page, commands and files, in order. */
export class Page {
  private readonly blocks: string[];

  private constructor(blocks: string[]) {
    this.blocks = blocks;
  }

  /** @param own a reader's values instead of those on the page */
  static async open(name: string, own: Readonly<Record<string, string>> = {}): Promise<Page> {
    let text = await readFile(join(root, 'docs/alone', name), 'utf8');
    for (const [printed, value] of Object.entries(own)) {
      expect(text, `${name} contains ${printed}`).toContain(printed);
      text = text.replaceAll(printed, value);
    }
    const blocks = [...text.matchAll(/^( *)```\w*\n(.*?)^ *```$/gms)];
    return new Page(
      blocks.map(([, indent = '', block = '']) => block.replaceAll(RegExp(`^${indent}`, 'gm'), '')),
    );
  }

  /** The next block, which contains these words. */
  next(words: string): string {
    const block = this.blocks.shift() ?? 'the end of the page';
    expect(block).toContain(words);
    return block;
  }

  /** @throws There are more blocks. */
  end(): void {
    expect(this.blocks).toEqual([]);
  }
}

/** A root shell of a computer. It ends with the first command that fails. */
export class Shell {
  private readonly bash: ChildProcessWithoutNullStreams;
  private readonly ended: Promise<unknown>;
  private output = '';

  private constructor(bash: ChildProcessWithoutNullStreams) {
    this.bash = bash;
    this.ended = once(bash, 'close');
    for (const stream of [bash.stdout, bash.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        bash.emit('printed');
      });
    }
  }

  /** In this directory, which is empty. */
  static async open(computer: Computer, directory: string): Promise<Shell> {
    const shell = new Shell(await computer.start('bash', '--norc', '-e'));
    await shell.type(`exec 2>&1; mkdir ${directory}; cd ${directory}`);
    return shell;
  }

  /** @returns what the commands print */
  async type(commands: string): Promise<string> {
    this.output = '';
    this.bash.stdin.write(`${commands}\nprintf '\\nprinted %s\\n' everything\n`);
    const end = '\nprinted everything\n';
    while (!this.output.endsWith(end)) {
      const isEnded = await Promise.race([
        once(this.bash, 'printed').then(() => false),
        this.ended,
      ]);
      if (isEnded !== false) throw new Error(`a command failed:\n${commands}\n${this.output}`);
    }
    return this.output.slice(0, -end.length);
  }

  close(): void {
    this.bash.stdin.end();
  }
}
