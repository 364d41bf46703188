import { describe, expect, it } from 'vitest';
import { RackError } from '../issues/issues.ts';
import { badExamples } from '../testing/bad-examples.ts';
import { parseRack } from './load.ts';

function errorOf(yaml: string, file: string): unknown {
  try {
    return parseRack(yaml, { file });
  } catch (error) {
    return error;
  }
}

// An archive of text holds no UTF-16, so this one is made here.
const utf16 = {
  name: 'utf-16',
  yaml: Buffer.from('\uFEFFrack: bad\n', 'utf16le').toString(),
  messages: 'utf-16.yaml:1:1 is not UTF-8 text, but probably UTF-16; save it as UTF-8\n',
};

describe('errors in rack.yaml', () => {
  it.each([...badExamples, utf16])('$name', ({ name, yaml, messages }) => {
    const error = errorOf(yaml, `${name}.yaml`);

    if (!(error instanceof RackError)) throw new Error(`${name}.yaml should be rejected`);
    expect(`${error.message}\n`).toBe(messages);
    expect(error.code).toBe('RACK_INVALID');
  });
});
