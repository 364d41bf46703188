import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lineAt } from './error-context.ts';

const line = fc.tuple(fc.constantFrom('', ' ', '\t  '), fc.constantFrom('', 'a', 'a: b '));

it('the line at a place is the one that contains it, whose end included', () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.constantFrom('\n', '\r\n'), (lines, end) => {
      const text = lines.map((parts) => parts.join('')).join(end);
      let start = 0;
      for (const [margin, content] of lines) {
        const stop = start + margin.length + content.length;
        for (let offset = start; offset <= stop; offset += 1) {
          expect(lineAt(text, offset)).toEqual({ start, margin, content });
        }
        start = stop + end.length;
      }
    }),
    runs(500),
  );
});
