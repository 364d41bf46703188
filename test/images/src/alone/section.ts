/** A section of a page, and a person who types its commands. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Computer } from '@skolo/simulators';
import { expect } from 'vitest';
import { root } from '../paths.ts';

/** The blocks of a section, commands and files, in order. */
export class Section {
  private readonly blocks: string[];

  private constructor(blocks: string[]) {
    this.blocks = blocks;
  }

  /**
   * @param heading undefined: before the first one
   * @param own a reader's values instead of those on the page
   */
  static async open(
    heading: string | undefined,
    own: Readonly<Record<string, string>> = {},
    page = 'docs/adopt/alone.md',
  ): Promise<Section> {
    const [first = '', ...others] = (await readFile(join(root, page), 'utf8')).split(/^## /m);
    const isIt = (section: string) => section.startsWith(`${heading}\n`);
    let text = heading === undefined ? first : others.find(isIt);
    if (text === undefined) throw new Error(`${page} has no section ${heading}`);
    for (const [printed, value] of Object.entries(own)) {
      expect(text, `${heading} contains ${printed}`).toContain(printed);
      text = text.replaceAll(printed, value);
    }
    const blocks = [...text.matchAll(/^( *)```\w*\n(.*?)^ *```$/gms)];
    return new Section(
      blocks.map(([, indent = '', block = '']) => block.replaceAll(RegExp(`^${indent}`, 'gm'), '')),
    );
  }

  /** The next block, which contains these words. */
  next(words: string): string {
    const block = this.blocks.shift() ?? 'the end of the section';
    expect(block).toContain(words);
    return block;
  }

  /** The first of the remaining blocks that contains these words. */
  find(words: string): string {
    const block = this.blocks.find((each) => each.includes(words));
    if (block === undefined) throw new Error(`no block contains ${words}`);
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
