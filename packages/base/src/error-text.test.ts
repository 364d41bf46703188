import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorText, isDiskFull, loggedError, stripSecrets } from './error-text.ts';
import { runs } from './testing/index.ts';

describe('stripSecrets', () => {
  it.each([
    ['GET https://ann:pw@host:8443/a/b?key=1#x failed', 'GET https://host:8443/a/b failed'],
    ['mqtt://user:p@ss@broker', 'mqtt://broker'],
    ['https://host/a@b?c', 'https://host/a@b'],
    ['"https://host?token=1"', '"https://host"'],
    ['Authorization: Bearer abc.def-1_2~+/=', 'Authorization: Bearer <secret>'],
    ['got eyJhbGciOi.eyJpc3Mi.sig-nature', 'got <secret>'],
    ['got ya29.a0Af-x_y.z', 'got <secret>'],
    ['-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----', '<secret>'],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIE cut', '<secret>'],
    ['switch-1: no response within 5 s', 'switch-1: no response within 5 s'],
  ])('%s', (text, stripped) => {
    expect(stripSecrets(text)).toBe(stripped);
  });

  it('leaves neither password nor query of any URL', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9%:!$&*+,;=~._-]{8,20}$/);
    fc.assert(
      fc.property(word, word, (password, query) => {
        const text = `cannot reach https://u:${password}@example.com/path?q=${query}, giving up`;

        expect(stripSecrets(text)).not.toContain(password);
        expect(stripSecrets(text)).not.toContain(query);
      }),
      runs(500),
    );
  });
});

describe('loggedError', () => {
  it('takes the known fields and no others', () => {
    const error = Object.assign(new TypeError('https://h/p?secret=1', { cause: 'why' }), {
      code: 'EX',
      config: { headers: { authorization: 'Bearer x' } },
    });

    const { stack, ...logged } = loggedError(error);

    expect(logged).toEqual({
      type: 'TypeError',
      message: 'https://h/p',
      code: 'EX',
      cause: { type: 'string', message: 'why' },
    });
    expect(stack).not.toContain('secret');
  });

  it('ends when an error is its own cause', () => {
    const error = new Error('round');
    error.cause = error;

    expect(JSON.stringify(loggedError(error))).toContain('round');
  });

  it('shows what an AggregateError is made of', () => {
    const error = new AggregateError([new Error('IPv6'), new Error('IPv4')], 'both failed');

    expect(loggedError(error).errors?.map((e) => e.message)).toEqual(['IPv6', 'IPv4']);
  });
});

describe('isDiskFull', () => {
  const withCode = (code: string) => Object.assign(new Error(code), { code });

  it.each([
    ['ENOSPC', withCode('ENOSPC'), true],
    ['EDQUOT', withCode('EDQUOT'), true],
    ['SQLITE_FULL', Object.assign(new Error('full'), { errcode: 13 }), true],
    [
      'the cause of the cause',
      new Error('a', { cause: new Error('b', { cause: withCode('EDQUOT') }) }),
      true,
    ],
    ['another code', withCode('EROFS'), false],
    ['a text', new Error('the disk is full'), false],
    ['nothing', undefined, false],
  ])('recognises %s', (_, error, isFull) => {
    expect(isDiskFull(error)).toBe(isFull);
  });

  it('ends when an error is its own cause', () => {
    const error = new Error('a');
    error.cause = error;

    expect(isDiskFull(error)).toBe(false);
  });
});

describe('errorText', () => {
  it('is one line, whatever was thrown', () => {
    expect(errorText(new Error('first\n  second'))).toBe('first; second');
    expect(errorText(new RangeError())).toBe('RangeError');
    expect(errorText('text')).toBe('text');
  });
});
