import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allPagers } from '../testing/dialects.ts';
import { answerBytes, EchoSearch, withoutPreamble } from './answer.ts';
import { promptPatterns } from './prompt.ts';
import { decodeBytes } from './terminal-text.ts';

const command = 'show running-config interface 0/14';
const host = 'switch#';
const prompts = promptPatterns({ prompt: /^(?<base>switch)#$/, prompts: () => host }, host);
const noise = [/^\*.*%[A-Z]+-\d-[A-Z]+: /];

function answerOf(said: string, isPaged = false): string | undefined {
  const end = new EchoSearch(command).add(said);
  if (end === undefined) return undefined;
  const rules = { dialect: { pagers: allPagers, noise }, prompts, command, isPaged };
  return decodeBytes(answerBytes(said.slice(end), rules));
}

describe('the echo of a command', () => {
  it.each([
    ['as it was typed', `${command}\r\n`],
    ['wrapped at the edge of the screen', `show running-con\r\nfig interface 0/14\r\n`],
    ['wrapped as bash does it', `show running-con \rfig interface 0/14\r\n`],
    ['with corrections', `shwo\b\bow running-config interface 0/14\r\n`],
    ['scrolled as IOS does it', `show running-c\b\b\b\b\b\b\b\b$-config interface 0/14\r\n`],
    ['drawn again with its prompt', `s\r${host} show\r\x1b[K${host} ${command}\r\n`],
    ['after a late prompt', `\r\n${host}${command}\r\n`],
    ['scrolled up as ProCurve does it', `${command}\x1b[24;0H\x1bE\x1b[24;1H\x1b[2K\x1b[24;1H`],
    [
      'scrolled up as its console does it',
      `${command}\x1b[1;0H\x1b[1M\x1b[24;1H\x1b[1L\x1b[24;1H\x1b[2K`,
    ],
    ['after a log message', `\r\n*Mar 1: %LINK-3-UPDOWN: up\r\n${host}${command}\r\n`],
  ])('is recognised %s', (_how, echo) => {
    expect(answerOf(`${echo}text\r\n${host}`)).toBe('text');
  });

  it('is recognised however it was cut into packets', () => {
    const echo = `${host} ${command}\x1b[24;60H\x1b[1;0H\x1b[1M\x1b[24;1H\x1b[1L\x1b[2Ktext\r\n`;
    const whole = new EchoSearch(command).add(echo);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (lengths) => {
        const search = new EchoSearch(command);
        let found: number | undefined;
        let at = 0;
        for (let turn = 0; found === undefined && at < echo.length; turn += 1) {
          const length = lengths[turn % lengths.length] ?? 1;
          found = search.add(echo.slice(at, at + length));
          at += length;
        }

        expect(found).toBe(whole);
      }),
      runs(500),
    );
  });

  it.each([
    ['before it is complete', 'show running-config interface 0/1'],
    ['before its line has ended', command],
    ['in something else', `show version\r\ntext\r\n${host}`],
  ])('is not seen %s', (_when, said) => {
    expect(answerOf(said)).toBeUndefined();
  });
});

describe('an answer', () => {
  it.each([
    ['nothing', '', ''],
    ['empty lines, which stay', '\r\na\r\n\r\nb\r\n\r\n', '\na\n\nb\n'],
    ['a last line without its end', 'a\r\nb', 'a\nb'],
    ['log messages', `a\r\n*Mar 1: %SYS-5-CONFIG: by ann\r\nb\r\n`, 'a\nb'],
    ['the echo again, typed too early', `${host}${command}\r\na\r\n`, 'a'],
    ['a line that looks like a pager', 'a\r\n--More--\r\nb\r\n', 'a\n--More--\nb'],
    ['a byte that is no UTF-8', 'descr \xfc\r\n', 'descr ü'],
    ['UTF-8', 'descr \xc3\xbc\r\n', 'descr ü'],
  ])('may hold %s', (_what, said, answer) => {
    expect(answerOf(`${command}\r\n${said}${host}`)).toBe(answer);
  });

  it('is without a pager that was answered and left standing', () => {
    expect(answerOf(`${command}\r\na\r\n--More--\r\nb\r\n${host}`, true)).toBe('a\nb');
  });

  it('ends where log messages came behind the prompt', () => {
    const said = `${command}\r\na\r\n${host}\r\n*Mar 1: %LINK-3-UPDOWN: up\r\n`;

    expect(answerOf(said)).toBe('a');
  });

  it('is what was said, whatever it is, between echo and prompt', () => {
    const line = fc
      .string({ unit: fc.constantFrom(...'abc #>:().-"ü\t') })
      .filter((text) => !text.trimEnd().endsWith(host) && text.trim() !== '');
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\r\n`).join('')).toString('latin1');

        expect(answerOf(`${command}\r\n${bytes}${host}`)).toBe(lines.join('\n'));
      }),
      runs(500),
    );
  });

  it('does not show where a pager stopped, nor how it was wiped', () => {
    const wipes = [
      '\r        \r',
      '\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b',
      '\r\x1b[K',
      '\x1b[2K\r',
    ];
    const cut = fc.record({ page: fc.nat(30), wipe: fc.constantFrom(...wipes) });
    const lines = Array.from({ length: 30 }, (_, index) => `${' '.repeat(index % 3)}line ${index}`);
    fc.assert(
      fc.property(fc.array(cut, { maxLength: 5 }), (cuts) => {
        const said = lines.map((line, index) => {
          const stop = cuts.find(({ page }) => page === index);
          return `${stop ? `--More--${stop.wipe}` : ''}${line}\r\n`;
        });

        const answer = answerOf(`${command}\r\n${said.join('')}${host}`, cuts.length > 0);

        expect(answer).toBe(lines.join('\n'));
      }),
      runs(500),
    );
  });
});

it.each([
  [
    ['Building configuration...', '', 'hostname a', ''],
    ['hostname a', ''],
  ],
  [['Building configuration...', 'hostname a'], ['hostname a']],
  [['Building configuration...', 'Current configuration : 9 bytes', 'hostname a'], ['hostname a']],
  [
    ['', 'hostname a'],
    ['', 'hostname a'],
  ],
])('the header of an answer is removed, and no more: %j', (lines, expected) => {
  const preamble = [/^Building configuration/, /^Current configuration/];

  expect(withoutPreamble(lines, { preamble })).toEqual(expected);
});
