import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { etagOf, render } from './render.ts';
import { dictionary, directory, find, list, number, text, values } from './tree.ts';

const disks = list(
  directory({ 'device-name': text('boot'), index: number('0') }),
  directory({ 'device-name': text('data'), index: number('1') }),
);
const tree = directory({
  zone: text('projects/1/zones/z'),
  id: number('18446744073709551615'),
  attributes: dictionary({ 'ssh-keys': text('a:b'), Upper: text('') }),
  disks,
  empty: list(),
  tags: values(['bot', 'rack4'], 'json'),
  scopes: values(['s1', 's2']),
  token: { kind: 'token' },
  'guest-attributes': { kind: 'closed', status: 403, message: 'disabled' },
});
const plain = { recursive: false, alt: undefined };

describe('a directory', () => {
  it('is listed in the order of its names, one a line, sub-directories with a slash', () => {
    expect(render(tree, plain)).toEqual({
      contentType: 'application/text',
      body: 'attributes/\ndisks/\nempty/\nguest-attributes/\nid\nscopes\ntags\ntoken\nzone\n',
    });
  });

  it('is JSON under recursion: camelCase but for chosen keys, numbers bare, no token', () => {
    expect(render(tree, { recursive: true, alt: undefined })).toEqual({
      contentType: 'application/json',
      body:
        '{"attributes":{"Upper":"","ssh-keys":"a:b"},' +
        '"disks":[{"deviceName":"boot","index":0},{"deviceName":"data","index":1}],"empty":[],' +
        '"guestAttributes":{},"id":18446744073709551615,"scopes":["s1","s2"],' +
        '"tags":["bot","rack4"],"zone":"projects/1/zones/z"}',
    });
  });

  it('is one line a leaf under recursion with alt=text, list items repeating their path', () => {
    expect(render(tree, { recursive: true, alt: 'text' })).toEqual({
      contentType: 'application/text',
      body:
        'attributes/Upper \nattributes/ssh-keys a:b\n' +
        'disks/0/device-name boot\ndisks/0/index 0\ndisks/1/device-name data\ndisks/1/index 1\n' +
        'id 18446744073709551615\nscopes s1\nscopes s2\ntags bot\ntags rack4\n' +
        'zone projects/1/zones/z\n',
    });
  });
});

describe('a leaf', () => {
  it.each([
    ['text', text('a\nb'), undefined, 'application/text', 'a\nb'],
    ['text as JSON', text('a"b'), 'json', 'application/json', '"a\\"b"'],
    ['a number', number('42'), undefined, 'application/text', '42'],
    ['a number as JSON', number('42'), 'json', 'application/json', '42'],
    ['values', values(['a', 'b']), undefined, 'application/text', 'a\nb\n'],
    ['values as JSON', values(['a', 'b']), 'json', 'application/json', '["a","b"]'],
    ['no values', values([]), undefined, 'application/text', ''],
    ['values that are usually JSON', values(['a'], 'json'), undefined, 'application/json', '["a"]'],
    ['these as text', values(['a'], 'json'), 'text', 'application/text', 'a\n'],
    ['an unknown alt, which is ignored', text('a'), 'xml', 'application/text', 'a'],
  ] as const)('%s', (_, leaf, alt, contentType, body) => {
    expect(render(leaf, { recursive: false, alt })).toEqual({ contentType, body });
  });

  it('stays what it is under recursion', () => {
    expect(render(text('a'), { recursive: true, alt: undefined }).body).toBe('a');
  });
});

it.each([
  [['disks', '1', 'device-name'], text('data')],
  [['disks', '2'], undefined],
  [['disks', 'x'], undefined],
  [['disks', '00'], undefined],
  [['disks', '-1'], undefined],
  [['zone', 'deeper'], undefined],
  [['constructor'], undefined],
  [['guest-attributes', 'ns', 'key'], { kind: 'closed', status: 403, message: 'disabled' }],
])('find %j', (path, node) => {
  expect(find(tree, path)).toEqual(node);
});

it('gives an ETag of 16 hexadecimal digits that follows the content', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      expect(etagOf(a)).toMatch(/^[0-9a-f]{16}$/);
      expect(etagOf(a) === etagOf(b)).toBe(a === b);
    }),
    runs(500),
  );
});

it('shows attributes as valid JSON whatever people write into them', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string()), (attributes) => {
      const node = dictionary(
        Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, text(value)])),
      );
      expect(JSON.parse(render(node, { recursive: true, alt: undefined }).body)).toEqual({
        ...attributes,
      });
    }),
    runs(500),
  );
});
