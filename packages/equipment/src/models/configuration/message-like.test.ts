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
    ['a word in pointed brackets', '<busy>'],
    ['a sentence in pointed brackets', '<The configuration is locked by ann. Try again later.>'],
    ['tags that do not agree', '<config><mtu>1500</mtu>\n<!-- locked -->'],
    ['a tag that is a sentence', '<locked by="ann" again>Wait.</locked>'],
    ['a page', '<html><body>Session expired</body></html>'],
    ['a page of a type', '<!DOCTYPE html>\n<HTML lang="en">\n<p>Wait</p></HTML>\n'],
    ['a part of a page', '<h1>503 Service Unavailable</h1>'],
    ['nothing but comments', '<!-->'.repeat(59)],
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
    ['an element behind a comment', '<!-- locked -->\n<rpc:data id="1">\n</rpc:data>\n'],
    ['an empty element', "<config version='2'/>"],
  ])('accepts %s', async (_what, text) => {
    expect(await judge(text)).toBeUndefined();
  });

  it.each(['', ' \r\n', '\ufeff', '\u00a0\n', '\u200b', '\0'])('rejects %j', async (text) => {
    expect(await judge(text)).toBe('it looks like a message: ""; nothing shows it');
  });

  it('accepts any text that something shows to be a configuration', async () => {
    const shown = whyMessage({ doubt: async () => undefined }, { bytes: Buffer.from('a') });

    expect(await shown).toBeUndefined();
    expect(await whyMessage({}, { bytes: Buffer.from('a') })).toBeUndefined();
  });
});
