import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { memoryFolder } from './memory-folder.mjs';

describe('a folder in memory', () => {
  it('is there for one program, and is gone with it', (context) => {
    const inMemory = memoryFolder();
    if (!inMemory) return context.skip('not root on Linux, or not with memory to spare');
    const { command, folder, remove } = inMemory;
    const [program = '', ...args] = command;
    const script = 'stat --file-system --format %T "$1"; touch "$1/file"; ls "$1"; exit 3';

    let printed = '';
    try {
      execFileSync(program, [...args, 'sh', '-c', script, 'sh', folder], { encoding: 'utf8' });
    } catch (error) {
      const { status, stdout } = /** @type {{ status: number, stdout: string }} */ (error);
      expect(status).toBe(3);
      printed = stdout;
    }

    expect(printed).toBe('tmpfs\nfile\n');
    expect(readdirSync(folder)).toEqual([]);
    remove();
    expect(existsSync(folder)).toBe(false);
  });
});
