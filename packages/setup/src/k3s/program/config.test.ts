import { describe, expect, it } from 'vitest';
import { mergeConfig } from './config.ts';

const wanted = { 'node-name': 'jumphost-rack4', 'tls-san': ['jumphost-rack4', '192.168.1.8'] };

describe('mergeConfig', () => {
  it('writes a new file', () => {
    const { text, differs } = mergeConfig('rack4', '', wanted);

    expect(text).toBe('node-name: jumphost-rack4\ntls-san:\n  - jumphost-rack4\n  - 192.168.1.8\n');
    expect(differs).toHaveLength(2);
  });

  it("keeps a person's keys, comments and entries of lists", () => {
    const before = `# Ours.
resolv-conf: /etc/resolv-pods.conf
tls-san: [rack4.example.com]
`;

    const { text } = mergeConfig('rack4', before, wanted);

    expect(text).toContain('# Ours.\nresolv-conf: /etc/resolv-pods.conf\n');
    expect(text).toContain('rack4.example.com');
    expect(mergeConfig('rack4', text, wanted).differs).toEqual([]);
  });

  it.each(['- a list', 'a: [', 'text'])('rejects %j', (text) => {
    expect(() => mergeConfig('rack4', text, wanted)).toThrow(
      'is not a valid YAML map; fix this file',
    );
  });
});
