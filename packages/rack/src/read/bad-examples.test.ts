import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RackError } from '../issues/issues.ts';
import { parseRack } from './load.ts';

// One error a file, and beside it all that is said about it. Two more files are one more test.
const folder = new URL('../../testdata/bad/', import.meta.url);
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.slice(0, -'.yaml'.length));

function errorOf(name: string): unknown {
  try {
    return parseRack(readFileSync(new URL(`${name}.yaml`, folder), 'utf8'), {
      file: `${name}.yaml`,
    });
  } catch (error) {
    return error;
  }
}

describe('errors in rack.yaml', () => {
  it.each(names)('%s', (name) => {
    const error = errorOf(name);

    if (!(error instanceof RackError)) throw new Error(`${name}.yaml should be rejected`);
    expect(`${error.message}\n`).toBe(readFileSync(new URL(`${name}.txt`, folder), 'utf8'));
    expect(error.code).toBe('RACK_INVALID');
  });

  it('has a text for each example, and an example for each text', () => {
    const texts = readdirSync(folder).filter((file) => file.endsWith('.txt'));

    expect(texts.map((file) => file.slice(0, -'.txt'.length))).toEqual(names);
  });
});
