import { describe, expect, it } from 'vitest';
import { deleteValue, setValue } from './yaml-text.ts';

const path = ['services', 'metadata-server', 'url'] as const;

describe('setValue', () => {
  it('changes nothing but the value', () => {
    const text = `a:   1     # aligned
services:
  metadata-server:   # what comes now
      url:   http://127.0.0.1:8080      # where
      "quoted" : [ 1,2 ]
`;

    const changed = setValue(text, path, 'http://127.0.0.1:40000');

    expect(changed).toBe(text.replace(':8080', ':40000'));
    expect(setValue(changed, path, 'http://127.0.0.1:40000')).toBe(changed);
  });

  it('works in a file with a mistake elsewhere', () => {
    const text = 'machines: [a\nservices: { metadata-server: { url: "http://old" } }\n';

    expect(setValue(text, path, 'http://new')).toBe(text.replace('"http://old"', 'http://new'));
  });

  it.each([
    ['an empty place', 'services:\n  metadata-server:\n    url: # none yet\n'],
    ['no key', '# mine\nservices:\n  metadata-server:\n    stopWithin: 5 # why\n'],
    ['no section', '# mine\nrack: demo\n'],
    ['an empty section', 'services:\n'],
    ['no text', ''],
  ])('adds the key where there is %s', (_, text) => {
    const changed = setValue(text, path, 'http://new');

    expect(setValue(changed, path, 'http://new')).toBe(changed);
    expect(changed).toContain('url: http://new');
    for (const comment of text.match(/#.*/g) ?? []) expect(changed).toContain(comment);
  });

  it.each([
    ['a section that is no map', 'services: none\n'],
    ['a list', '- a\n'],
    ['broken text without the key', 'services: [\n'],
  ])('leaves %s alone', (_, text) => {
    expect(setValue(text, path, 'http://new')).toBe(text);
  });
});

describe('deleteValue', () => {
  it('keeps the rest', () => {
    const text = 'a:\n  b: 1 # one\n  c: 2\nd: 3\n';

    expect(deleteValue(text, ['a', 'c'])).toBe('a:\n  b: 1 # one\nd: 3\n');
    expect(deleteValue(text, ['a', 'x'])).toBe(text);
  });
});
