import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprintOf } from './fingerprint.ts';

/** The definition, with numbers of any size. */
function byDefinition(labels: Record<string, string>): string {
  const names = Object.keys(labels).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  let hash = 0xcbf29ce484222325n;
  for (const name of names) {
    for (const part of [name, labels[name] ?? '']) {
      for (const byte of [...Buffer.from(part), 0xff]) {
        hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffff_ffff_ffff_ffffn;
      }
    }
  }
  return hash.toString(16).padStart(16, '0');
}

describe('fingerprintOf', () => {
  it('is FNV-1a over the sorted labels, whatever they are', () => {
    const labels = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(labels, (each) => {
        expect(fingerprintOf(each)).toBe(byDefinition(each));
      }),
      runs(500),
    );
  });

  it('sorts by UTF-8, in which names beyond U+FFFF come last', () => {
    const labels = { '\u{1f525}': 'a', '\uff21': 'b' };

    expect(fingerprintOf(labels)).toBe(byDefinition(labels));
  });

  it('is what Alertmanager 0.34 gives label names in UTF-8', () => {
    const names = { alertname: 'u', 'a.b': '1', 'grüße 🙂': '2', 'with "quotes"': '3' };
    const labels = Object.fromEntries([...Object.entries(names), ['__proto__', 'x']]);

    expect(fingerprintOf(labels)).toBe('41fc13e4d929ffe6');
  });

  it('leaves labels out that only name the replica', () => {
    const one = { alertname: 'Down', replica: 'a' };

    expect(fingerprintOf(one, ['replica'])).toBe(fingerprintOf({ alertname: 'Down' }));
  });

  it('takes labels of any length', () => {
    const labels = { a: 'ü'.repeat(100_000) };

    expect(fingerprintOf(labels)).toBe(byDefinition(labels));
  });
});
