import { describe, expect, it } from 'vitest';
import { whyMessage } from './message-like.ts';

const why = 'nothing shows it';
const judge = (text: string, doubt: string | undefined = why) =>
  whyMessage({ doubt: async () => doubt }, { bytes: Buffer.from(text) });

describe('whyMessage', () => {
  it.each([
    ['a line', 'Please wait.'],
    ['four lines', 'a\nb\nc\nd\n'],
    ['four lines and empty ones', '\r\na\r\n\r\n\r\nb\r\n\r\nc\r\n \r\nd\r\n'],
    ['299 bytes', 'x'.repeat(299)],
    ['a JSON text that is no object', '"locked"'],
    ['a number', '42'],
    ['text in front of XML', 'Error: <config/> is locked'],
    ['text behind XML', '<config/> is locked'],
  ])('quotes %s', async (_what, text) => {
    expect(await judge(text)).toMatch(/^it looks like a message: ".+"; nothing shows it$/);
  });

  it.each([
    ['five lines', 'a\nb\nc\nd\ne\n'],
    ['300 bytes', 'x'.repeat(300)],
    ['an object', '{ "mtu": 1500 }\n'],
    ['a list', '[]'],
    ['XML', '<?xml version="1.0"?>\n<config>\n</config>\n'],
    ['an element', '<config><mtu>1500</mtu></config>'],
  ])('accepts %s', async (_what, text) => {
    expect(await judge(text)).toBeUndefined();
  });

  it('accepts any text that something shows to be a configuration', async () => {
    const shown = whyMessage({ doubt: async () => undefined }, { bytes: Buffer.from('a') });

    expect(await shown).toBeUndefined();
    expect(await whyMessage({}, { bytes: Buffer.from('a') })).toBeUndefined();
  });
});
