import { describe, expect, it } from 'vitest';
import { YamlText } from './yaml-text.ts';

const path = ['services', 'metadata-server', 'url'] as const;

function set(text: string, value: string): string {
  const yaml = new YamlText(text);
  yaml.set(path, value);
  return yaml.text;
}

describe('set', () => {
  it('changes nothing but the value', () => {
    const text = `a:   1     # aligned
services:
  metadata-server:   # what comes now
      url:   http://127.0.0.1:8080      # where
      "quoted" : [ 1,2 ]
`;

    const changed = set(text, 'http://127.0.0.1:40000');

    expect(changed).toBe(text.replace(':8080', ':40000'));
    expect(set(changed, 'http://127.0.0.1:40000')).toBe(changed);
  });

  it('works in a file with an error elsewhere', () => {
    const text = 'machines: [a\nservices: { metadata-server: { url: "http://old" } }\n';

    expect(set(text, 'http://new')).toBe(text.replace('"http://old"', 'http://new'));
  });

  it.each([
    ['an empty place', 'services:\n  metadata-server:\n    url: # none yet\n'],
    ['no key', '# mine\nservices:\n  metadata-server:\n    stopWithin: 5 # why\n'],
    ['no section', '# mine\nrack: demo\n'],
    ['an empty section', 'services:\n'],
    ['no text', ''],
  ])('adds the key where there is %s', (_, text) => {
    const changed = set(text, 'http://new');

    expect(set(changed, 'http://new')).toBe(changed);
    expect(changed).toContain('url: http://new');
    for (const comment of text.match(/#.*/g) ?? []) expect(changed).toContain(comment);
  });

  it.each([
    ['a section that is no map', 'services: none\n'],
    ['a list', '- a\n'],
    ['broken text without the key', 'services: [\n'],
  ])('leaves %s alone', (_, text) => {
    expect(set(text, 'http://new')).toBe(text);
  });
});

describe('delete', () => {
  it('keeps the rest', () => {
    const text = 'a:\n  b: 1 # one\n  c: 2\nd: 3\n';
    const yaml = new YamlText(text);

    yaml.delete(['a', 'x']);
    expect(yaml.text).toBe(text);
    yaml.delete(['a', 'c']);
    yaml.set(['d'], 4);

    expect(yaml.text).toBe('a:\n  b: 1 # one\nd: 4\n');
  });
});
