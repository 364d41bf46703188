import { describe, expect, it } from 'vitest';
import { CliError, exitCodes } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { askKeepers } from './key-keepers.ts';

function said() {
  const lines: string[] = [];
  const io: Pick<Io, 'err' | 'exitCode'> = {
    err: (line) => lines.push(line),
    exitCode: exitCodes.done,
  };
  return { io, lines };
}

async function answer(keeper: string): Promise<string> {
  if (keeper.startsWith('down')) throw new CliError(`${keeper}: connection refused`);
  return `keys of ${keeper}`;
}

describe('services that keep host keys', () => {
  it('are all asked', async () => {
    const { io, lines } = said();

    expect(await askKeepers(io, ['a', 'b'], answer)).toEqual(['keys of a', 'keys of b']);
    expect({ lines, exitCode: io.exitCode }).toEqual({ lines: [], exitCode: 0 });
  });

  it('do not hide each other when one is down', async () => {
    const { io, lines } = said();

    expect(await askKeepers(io, ['down-1', 'b'], answer)).toEqual(['keys of b']);
    expect({ lines, exitCode: io.exitCode }).toEqual({
      lines: ['skolo: down-1: connection refused'],
      exitCode: 3,
    });
  });

  it('fail when all are down', async () => {
    await expect(askKeepers(said().io, ['down-1', 'down-2'], answer)).rejects.toThrow('down-1');
  });
});
