import type { Content, Identity } from '@skolo/equipment/models/backup';
import { describe, expect, it } from 'vitest';
import { judgeContent, judgeIdentity, judgeSize, pin } from './judge.ts';

const ending = {
  format: 'text',
  incomplete: (content: Content) =>
    'bytes' in content && content.bytes.toString().endsWith('end\n') ? undefined : 'no "end"',
} as const;
const content = (text: string) => judgeContent(ending, { bytes: Buffer.from(text) });
const tar = (bytes: string) =>
  judgeContent({ format: 'tar', incomplete: () => undefined }, { bytes: Buffer.from(bytes) });
const identity = (seen: Identity, pinned?: Identity, serial?: string, unseen?: string) =>
  judgeIdentity(seen, { name: 'switch-1', model: 'nxos', serial, pinned, unseen });
const size = (now: number, previous: number) =>
  judgeSize('switch-1', now, { previous, shrinkPercent: 50 });

describe('a reading', () => {
  it.each([
    ['a configuration', content('hostname a\nend\n'), undefined],
    ['nothing', content(''), /^incomplete: it returned nothing/],
    ['white space', content(' \r\n'), /^incomplete: it returned nothing/],
    ['an end that is missing', content('hostname a\n'), /^incomplete: no "end"/],
    [
      'an error of IOS',
      content('% Authorization failed\n'),
      /^rejected: .*% Authorization failed$/,
    ],
    ['an error of a shell', content('\nsh: show: not found\nend\n'), /^rejected: .*sh: show: not/],
    ['an error text of many', content(`${'line\n'.repeat(10)}% Error\nend\n`), undefined],
    ['bytes that are no text', tar('% Error'), undefined],
    ['a first reading', identity({ serial: 'F1', hostname: 'a' }), undefined],
    ['the serial number of rack.yaml', identity({ serial: 'F1' }, undefined, 'F1'), undefined],
    [
      'another than in rack.yaml',
      identity({ serial: 'F2' }, undefined, 'F1'),
      /F2, but rack.yaml specifies F1/,
    ],
    [
      'a new name, the same serial number',
      identity({ serial: 'F1', hostname: 'b' }, { serial: 'F1', hostname: 'a' }),
      undefined,
    ],
    [
      'another serial number',
      identity({ serial: 'F2' }, { serial: 'F1' }),
      /F2, not F1.*replaced, run/,
    ],
    [
      'another host name',
      identity({ hostname: 'b' }, { hostname: 'a' }),
      /^wrong-device: .*b, not a.*renamed, run: skolo equipment forget switch-1$/,
    ],
    [
      'a stack with another master',
      identity({ serial: 'F2', members: ['F2', 'F1'] }, { serial: 'F1' }, 'F1'),
      undefined,
    ],
    [
      'a stack whose master failed',
      identity({ serial: 'F2' }, { serial: 'F1', members: ['F1', 'F2'] }),
      undefined,
    ],
    [
      'another stack',
      identity({ serial: 'F3', members: ['F3', 'F4'] }, { serial: 'F1', members: ['F1', 'F2'] }),
      /F3, not F1/,
    ],
    [
      'no serial number, but one in rack.yaml',
      identity({ hostname: 'a' }, undefined, 'F1', 'asks "Password:"'),
      /^incomplete: the serial number F1 of rack.yaml could not be verified.* seen: asks "Password:"/,
    ],
    [
      'no serial number from a model that shows none',
      identity({}, undefined, 'F1'),
      /the answers of model nxos did not contain one; .*remove `serial`/,
    ],
    [
      'no serial number, but the same name',
      identity({ hostname: 'a' }, { serial: 'F1', hostname: 'a' }, undefined, 'no prompt'),
      undefined,
    ],
    [
      'no serial number, and another name',
      identity({ hostname: 'b' }, { serial: 'F1', hostname: 'a' }, undefined, 'no prompt'),
      /^wrong-device: .*host name b, not a/,
    ],
    [
      'no serial number, and no name any more',
      identity({}, { serial: 'F1', hostname: 'a' }, undefined, 'no prompt'),
      /^incomplete: neither the serial number F1 nor the host name a was seen: no prompt/,
    ],
    [
      'no serial number, and a name where there was none',
      identity({ hostname: 'b' }, { serial: 'F1' }, undefined, 'no prompt'),
      /^wrong-device: .*host name b, not none, as before/,
    ],
    [
      'no serial number, where there was only one',
      identity({}, { serial: 'F1' }, undefined, 'no prompt'),
      undefined,
    ],
    ['no name any more', identity({}, { hostname: 'a' }), undefined],
    ['half of the bytes', size(50, 100), undefined],
    [
      'less than half',
      size(49, 100),
      /^suspiciously-small: .*49 bytes.*100 bytes; .*skolo backup run switch-1/,
    ],
    ['more than nothing', size(1, 0), undefined],
  ])('is judged: %s', async (_what, judged, expected) => {
    const rejection = await judged;
    const said = rejection && `${rejection.failure}: ${rejection.what}`;

    if (expected === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(expected);
  });

  it('pins what it shows, and keeps what it does not show', () => {
    expect(pin({ hostname: 'b' }, { serial: 'F1', hostname: 'a' })).toEqual({
      serial: 'F1',
      hostname: 'b',
    });
    const stack = { serial: 'F1', members: ['F1', 'F2'], hostname: 'a' };
    expect(pin({ hostname: 'a' }, stack)).toEqual(stack);
    expect(pin({ serial: 'F2', hostname: 'a' }, stack)).toEqual({ serial: 'F2', hostname: 'a' });
    expect(pin({}, undefined)).toBeUndefined();
  });
});
