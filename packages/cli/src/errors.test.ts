import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { CliError, failureOf, usageError } from './errors.ts';

function coded(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}

describe('failureOf', () => {
  it.each([
    { error: new CliError('rack.yaml: no such file'), exitCode: 1 },
    { error: usageError('unknown command'), exitCode: 2 },
    { error: coded('/etc/x: no such file; put it there', 'SECRET_MISSING'), exitCode: 78 },
    { error: coded('http://rack4: no response within 10 s', 'API_UNREACHABLE'), exitCode: 1 },
    { error: coded('[3-1] is reversed', 'RANGE_SYNTAX'), exitCode: 2 },
    {
      error: Object.assign(coded('EACCES: permission denied', 'EACCES'), { syscall: 'open' }),
      exitCode: 1,
    },
  ])('is one line, and $exitCode: $error.message', ({ error, exitCode }) => {
    expect(failureOf(error)).toEqual({ lines: [`skolo: ${error.message}`], exitCode });
  });

  it('names a file that could not be written, and reports no internal error', () => {
    const cause = Object.assign(coded('EACCES: permission denied, open', 'EACCES'), {
      syscall: 'open',
    });
    const error = Object.assign(
      new Error('derived/README.md: not written: this user may not write in that folder (EACCES)', {
        cause,
      }),
      { code: 'EACCES' },
    );

    expect(failureOf(error)).toEqual({ lines: [`skolo: ${error.message}`], exitCode: 1 });
  });

  it('begins with the file that the system cannot open', async () => {
    const error = await readFile('/nowhere/router.db').catch((thrown) => thrown);

    expect(failureOf(error).lines).toEqual([
      'skolo: /nowhere/router.db: no such file or directory',
    ]);
  });

  it('is every error of a rack.yaml, as its package writes it', () => {
    const error = coded('rack.yaml:1:1 rack: is missing\nrack.yaml:2:1 x: unknown', 'RACK_INVALID');

    expect(failureOf(error)).toEqual({
      lines: ['rack.yaml:1:1 rack: is missing', 'rack.yaml:2:1 x: unknown'],
      exitCode: 78,
    });
  });

  it.each([new TypeError('x is not\n  a function'), 'thrown text', undefined])(
    'says of %j that skolo is wrong, in one line and without a stack',
    (error) => {
      const { lines, exitCode } = failureOf(error);

      expect(exitCode).toBe(1);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^skolo: internal error: .*SKOLO_DEBUG=1 set$/);
    },
  );
});
