import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasMessages, withoutMessages } from './messages.ts';

const rules = { messages: [/^\*\w+: %[A-Z]+-\d-[A-Z]+: /], volatile: [/^! Time: /] };
const log = '*Mar1: %LINK-3-UPDOWN: Interface up';
const other = '*Mar2: %SYS-5-CONFIG: by ann';
const configuration = ['hostname sw', 'interface GigabitEthernet1/0/0', '!', '', 'end', ''];
const text = configuration.join('\n');

const agreed = (one: string, two: string) => withoutMessages(one, two, rules);

describe('two readings of a configuration', () => {
  it.each([
    ['a message between lines', text.replace('!\n', `${log}\n!\n`), 1],
    ['a message in a line', text.replace('bitEth', `bitEth\n${log}\n`), 1],
    [
      'a message in a line, without a line end in front',
      text.replace('bitEth', `bitEth${log}\n`),
      1,
    ],
    ['several messages in a line', text.replace('bitEth', `bitEth\n${log}\n${other}\n`), 2],
    ['a message at the end of a line', text.replace('!\n', `!\n${log}\n\n`), 1],
    ['a message behind a line, without a line end', text.replace('!\n', `!${log}\n`), 1],
    ['a message in front of everything', `${log}\n${text}`, 1],
    ['a message behind everything', `${text}${log}\n`, 1],
  ])('agree where one has %s, and nothing is taken from the other', async (_what, mixed, cut) => {
    expect(await agreed(mixed, text)).toEqual({ text, cut: 0 });
    expect(await agreed(text, mixed)).toEqual({ text, cut: 0 });
    expect((await agreed(mixed, text.replace('end', `end\n${other}\n${other}`)))?.text).toBe(text);
    expect(cut).toBeGreaterThan(0);
  });

  it('agree on a line that looks like a message, where both have it', async () => {
    const banner = text.replace('!\n', `banner motd ^C\n${log}\n^C\n!\n`);
    const mixed = banner.replace('hostname', `${other}\nhostname`);

    expect(await agreed(banner, banner)).toEqual({ text: banner, cut: 0 });
    expect(await agreed(mixed, banner)).toEqual({ text: banner, cut: 0 });
    expect((await agreed(mixed, banner.replace(log, `${other}\n${log}`)))?.text).toBe(banner);
    expect((await agreed(banner.replace(log, `${log}\n${other}`), banner))?.text).toBe(banner);
  });

  it('agree where a line changes by itself', async () => {
    const [one, two] = ['! Time: 1\n', '! Time: 2\n'].map((time) => `${time}${text}`);

    expect((await agreed(`${one}${log}\n`, two ?? ''))?.text).toBe(two);
    expect((await agreed(`${one}${log}\n`, text))?.text).toBe(text);
  });

  it.each([
    ['another line', text.replace('sw', 'switch')],
    ['a line less', text.replace('!\n', '')],
    ['a part of a line less', text.replace('bitEth', `bit\n${log}\n`)],
    ['half of it', text.slice(0, 30)],
    ['a line cut by what is no message', text.replace('bitEth', 'bit\nnothing known\nEth')],
  ])('do not agree where one has %s', async (_what, mixed) => {
    expect(await agreed(mixed, text)).toBeUndefined();
    expect(await agreed(text, mixed)).toBeUndefined();
  });

  it('agree on the configuration, wherever messages come', async () => {
    const line = fc.stringMatching(/^[a-z /]{1,20}$/);
    const place = fc.record({
      at: fc.nat(400),
      isInLine: fc.boolean(),
      log: fc.constantFrom(log, other),
    });
    const mix = (whole: string, places: { at: number; isInLine: boolean; log: string }[]) => {
      const startOf = (at: number) => whole.lastIndexOf('\n', at - 1) + 1;
      const byPlace = new Map(
        places.map((each) => {
          const at = each.at % whole.length;
          return [each.isInLine ? at : startOf(at), each.log];
        }),
      );
      return [...byPlace]
        .sort(([a], [b]) => b - a)
        .reduce((mixed, [at, message]) => {
          const front = startOf(at) === at ? '' : '\n';
          return `${mixed.slice(0, at)}${front}${message}\n${mixed.slice(at)}`;
        }, whole);
    };
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(line, { minLength: 1 }),
        fc.array(place, { maxLength: 4 }),
        async (lines, places) => {
          const whole = `${lines.join('\n')}\n`;
          const mixed = mix(whole, places);

          expect(await agreed(mixed, whole)).toEqual({ text: whole, cut: 0 });
          expect(await agreed(whole, mixed)).toEqual({ text: whole, cut: 0 });
        },
      ),
      runs(300),
    );
  });

  it('are soon compared, however they are made', async () => {
    const long = `${`${log}\n`.repeat(20_000)}x\n`;

    expect(await agreed(long, 'x\n')).toEqual({ text: 'x\n', cut: 0 });
    expect(await agreed(long, `${`${other}\n`.repeat(20_000)}y\n`)).toBeUndefined();
  });
});

describe('a reading', () => {
  it('seems to have messages by the looks of its lines', () => {
    expect(hasMessages(Buffer.from(`a\n${log}\n`), rules.messages)).toBe(true);
    expect(hasMessages(Buffer.from(`a\n${log}\r\n`), rules.messages)).toBe(true);
    expect(hasMessages(Buffer.from(`a ${log}\n`), rules.messages)).toBe(false);
    expect(hasMessages(Buffer.from(log), [])).toBe(false);
  });
});
