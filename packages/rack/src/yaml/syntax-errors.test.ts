import { isLong } from '@skolo/base/durable/fault-injection';
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Composer, type ErrorCode, Parser } from 'yaml';
import { RackError } from '../issues/issues.ts';
import { badExamples } from '../testing/bad-examples.ts';
import { yamlErrors } from './syntax-errors.ts';
import { readYaml } from './yaml.ts';

/** What the parser itself says. */
function parserErrorsOf(text: string) {
  const [document] = new Composer({ uniqueKeys: false, prettyErrors: false }).compose(
    [...new Parser().parse(text)],
    true,
    text.length,
  );
  return [...(document?.errors ?? []), ...(document?.warnings ?? [])];
}

/** Codes of the parser that a rack.yaml never gets from it, and which are therefore given here by hand. */
const byHand: readonly (readonly [code: ErrorCode, text: string, message: string])[] = [
  ['DUPLICATE_KEY', 'a: 1\na: 2', 'duplicate key; remove one'],
  [
    'IMPOSSIBLE',
    'a: 1\na: 2',
    'this is not valid YAML; put the value in quotes, or write the entry again',
  ],
  ['MULTIPLE_DOCS', 'a: 1\n---', 'a second document starts here; the file must contain only one'],
  ['NON_STRING_KEY', 'a: 1\n1: 2', 'this key is not text; put it in quotes'],
  [
    'RESOURCE_EXHAUSTION',
    'a: 1\n[[',
    'brackets are nested too deeply here; close some of them first',
  ],
];

/** A statement of each code is needed to compile. */
const codes: Readonly<Record<ErrorCode, true>> = {
  ALIAS_PROPS: true,
  BAD_ALIAS: true,
  BAD_COLLECTION_TYPE: true,
  BAD_DIRECTIVE: true,
  BAD_DQ_ESCAPE: true,
  BAD_INDENT: true,
  BAD_PROP_ORDER: true,
  BAD_SCALAR_START: true,
  BLOCK_AS_IMPLICIT_KEY: true,
  BLOCK_IN_FLOW: true,
  DUPLICATE_KEY: true,
  IMPOSSIBLE: true,
  KEY_OVER_1024_CHARS: true,
  MISSING_CHAR: true,
  MULTILINE_IMPLICIT_KEY: true,
  MULTIPLE_ANCHORS: true,
  MULTIPLE_DOCS: true,
  MULTIPLE_TAGS: true,
  NON_STRING_KEY: true,
  RESOURCE_EXHAUSTION: true,
  TAB_AS_INDENT: true,
  TAG_RESOLVE_FAILED: true,
  UNEXPECTED_TOKEN: true,
};

describe('yamlErrors', () => {
  it('has an example in bad.txtar for every code of the parser', () => {
    const inExamples = badExamples.flatMap(({ yaml }) =>
      parserErrorsOf(yaml).map(({ code }) => code),
    );

    const known = new Set([...inExamples, ...byHand.map(([code]) => code)]);

    expect([...known].sort()).toEqual(Object.keys(codes).sort());
  });

  it.each(byHand)('%s', (code, text, message) => {
    const offset = text.indexOf('\n') + 1;

    expect(yamlErrors(text, [{ code, pos: [offset, offset + 1] }])).toEqual([
      { line: 2, column: 1, message },
    ]);
  });

  it('never repeats what the parser says, nor text of the file', () => {
    const signs = [...'{}[],:-?&*!|>%@`"\'#\\ \n\t', ': ', '- ', '  ', 'hunter2', 'k: '];
    const mutilated = fc
      .array(fc.constantFrom(...signs), { minLength: 1, maxLength: 30 })
      .map((parts) => `rack: x\nlogins:\n  a: { password: hunter2 }\n${parts.join('')}`);

    fc.assert(
      fc.property(mutilated, (text) => {
        const { issues } = rejection(text) ?? { issues: [] };
        const theirs = parserErrorsOf(text).map(({ message }) => message);
        for (const { line, column, message } of issues) {
          const length = text.split('\n')[line - 1]?.length;
          expect(column).toBeLessThanOrEqual((length ?? -1) + 1);
          expect(theirs).not.toContain(message);
          expect(message).not.toContain('hunter2');
          expect(message).not.toContain('cannot be read as YAML');
        }
      }),
      runs(500),
    );
  });

  it('names the first errors of a file with very many', () => {
    const count = isLong ? 50_000 : 5_000;
    const found = rejection(`k: v\n${'- a\n'.repeat(count)}`)?.issues ?? [];

    expect(found.map(({ line }) => line)).toEqual(Array.from({ length: 20 }, (_, i) => i + 2));
  });
});

function rejection(text: string): RackError | undefined {
  try {
    readYaml(text, 'rack.yaml');
    return undefined;
  } catch (error) {
    if (error instanceof RackError) return error;
    throw error;
  }
}
