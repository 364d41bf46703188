import { describe, expect, it } from 'vitest';
import { decodeBytes, shownLine, shownLines } from './terminal-text.ts';

describe('what a terminal shows', () => {
  it.each([
    ['takes characters out', '\r', '\x1b[P'],
    ['wipes what is in front of it', '', '\x1b[1K'],
    ['wipes all and moves', '', '\x1b[4096G\x1b[2K'],
  ])('is told at once of a line without end that %s', (_what, back, sequence) => {
    const line = `${'a'.repeat(1 << 20)}${back}${sequence.repeat(1 << 18)}`;

    expect(shownLine(line).text).not.toContain('\x1b');
  });

  it.each([
    ['plain lines', 'a\r\nb\nc', ['a', 'b', 'c']],
    ['returns around the end of a line', 'a\r\r\nb\n\rc', ['a', 'b', 'c']],
    ['NUL and bells', 'a\0b\x07c', ['abc']],
    ['a correction', 'shwo\b\b\bhow', ['show']],
    ['colours', '\x1b[1;31mred\x1b[0m \x1b[mplain', ['red plain']],
    ['a title and bracketed paste', '\x1b]0;host: ~\x07\x1b[?2004hhost# ', ['host# ']],
    ['a character set', '\x1b(Btext', ['text']],
    ['an escape sequence that is not finished', 'text\x1b[1', ['text']],
    ['a pager wiped with blanks', '--More--\r        \r  next\r\nz', ['  next', 'z']],
    [
      'a pager wiped with backspaces',
      ' --More-- \b\b\b\b\b\b\b\b\b\b          \b\b\b\b\b\b\b\b\b\b next',
      [' next'],
    ],
    ['a pager wiped by erasing the line', ':\r\x1b[K next\n(END)\r\x1b[2K', [' next', '']],
    ['blanks at the end of a line that was not wiped', 'key  \r\n', ['key  ', '']],
    ['a cursor that moves', 'abc\x1b[2Dx\x1b[1Cy', ['axcy']],
    ['a line placed by its position', '\x1b[24;1H\x1b[2K\x1b[24;1Hhost# ', ['host# ']],
    ['characters taken out', 'show\x1b[4D\x1b[1Phow', ['how']],
    ['lines ended as VT100 may', 'a\x1bEb', ['a', 'b']],
    ['tabs', 'a\tb', ['a\tb']],
  ])('is right for %s', (_what, raw, lines) => {
    expect(shownLines(raw)).toEqual(lines);
  });

  it.each([
    ['--More--', true],
    ['--More--\r', false],
    ['--More--\b\b', false],
    ['', true],
    ['\r', true],
  ])('knows whether the cursor is behind %j', (raw, isCursorAtEnd) => {
    expect(shownLine(raw).isCursorAtEnd).toBe(isCursorAtEnd);
  });

  it('is soon done with a configuration of many MiB', () => {
    const raw = 'set interfaces ethernet eth0 address 192.0.2.1/24\r\n'.repeat(200_000);

    expect(shownLines(raw)).toHaveLength(200_001);
  });
});

describe('bytes as text', () => {
  it.each([
    ['UTF-8', Buffer.from('Zürich ☃'), 'Zürich ☃'],
    ['anything else, byte by byte', Buffer.from([0x5a, 0xfc, 0xff]), 'Züÿ'],
    ['a byte order mark, which stays', Buffer.from('\ufeffx'), '\ufeffx'],
  ])('are %s', (_what, bytes, text) => {
    expect(decodeBytes(bytes.toString('latin1'))).toBe(text);
  });
});
