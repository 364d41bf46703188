/** Parses a request body: UTF-8, JSON, and nothing that only costs memory, such as deep nesting. */
import { isUtf8 } from 'node:buffer';
import { measureJson } from '@skolo/base';
import { type BodyShare, jsonErrorOffset, lineAndColumn } from '@skolo/common';
import { malformed } from './rejection.ts';

const mostDeep = 64;
/** Finding what is wrong is slower than finding that something is. */
const mostSearched = 256 * 1024;

/**
 * Returns the value, and the memory that `share` holds for it.
 *
 * @throws Rejection, HttpProblem
 */
export function parseJson(bytes: Buffer, share: Pick<BodyShare, 'hold'>) {
  const { memory, depth } = measureJson(bytes);
  if (depth > mostDeep) throw malformed(`the body is nested deeper than ${mostDeep} levels`);
  share.hold(memory);
  if (!isUtf8(bytes)) throw malformed('the body is not UTF-8; send JSON in UTF-8');
  replaceHalves(bytes);
  const text = withoutMark(bytes.toString('utf8'));
  try {
    return { value: JSON.parse(text) as unknown, memory };
  } catch {
    throw malformed(`the body is not JSON: ${whatIsWrong(text)}`);
  }
}

function whatIsWrong(text: string): string {
  if (text.trim() === '') return 'it is empty';
  if (text.length > mostSearched)
    return 'it contains a syntax error, possibly because it is incomplete';
  return `syntax error at ${lineAndColumn(text, jsonErrorOffset(text) ?? 0)}`;
}

/** The byte order mark of files from Windows. */
function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

const [backslash, letterU] = [0x5c, 0x75];
const pair = /^\\u[dD][89abAB]..\\u[dD][c-fC-F]/s;
const half = /^\\u[dD][89a-fA-F]../s;

/**
 * An escaped half of a surrogate pair is not a character. Replaced as in Go, so that an alert is the same alert at all endpoints. In place,
 * because a text of millions of escapes would become millions of pieces.
 */
function replaceHalves(bytes: Buffer): void {
  // Most bodies contain none, which is much faster to check.
  if (!bytes.includes('\\ud') && !bytes.includes('\\uD')) return;
  for (let at = 0; at < bytes.length; at += 1) {
    if (bytes[at] !== backslash) continue;
    const escapes = bytes[at + 1] === letterU ? bytes.toString('latin1', at, at + 12) : '';
    if (pair.test(escapes)) at += 11;
    else {
      if (half.test(escapes)) bytes.write('fffd', at + 2);
      at += 1;
    }
  }
}
