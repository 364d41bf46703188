import { describe, expect, it } from 'vitest';
import { CliError, exitCodes } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { askServices } from './host-keys.ts';

function printed() {
  const lines: string[] = [];
  const io: Pick<Io, 'err' | 'exitCode'> = {
    err: (line) => lines.push(line),
    exitCode: exitCodes.done,
  };
  return { io, lines };
}

async function answer(service: string): Promise<string> {
  if (service.startsWith('down')) throw new CliError(`${service}: connection refused`);
  return `keys of ${service}`;
}

describe('services that keep host keys', () => {
  it('are all asked', async () => {
    const { io, lines } = printed();

    expect(await askServices(io, ['a', 'b'], answer)).toEqual(['keys of a', 'keys of b']);
    expect({ lines, exitCode: io.exitCode }).toEqual({ lines: [], exitCode: 0 });
  });

  it('do not hide each other when one is down', async () => {
    const { io, lines } = printed();

    expect(await askServices(io, ['down-1', 'b'], answer)).toEqual(['keys of b']);
    expect({ lines, exitCode: io.exitCode }).toEqual({
      lines: ['skolo: down-1: connection refused'],
      exitCode: 3,
    });
  });

  it('fail when all are down', async () => {
    await expect(askServices(printed().io, ['down-1', 'down-2'], answer)).rejects.toThrow('down-1');
  });
});
