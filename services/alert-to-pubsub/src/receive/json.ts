/** Parses a request body: UTF-8, JSON, and nothing that only costs memory, such as deep nesting. */
import { isUtf8 } from 'node:buffer';
import { jsonErrorOffset, lineAndColumn } from '@skolo/common';
import { malformed, Rejection } from './rejection.ts';

const mostDeep = 64;
/** Far more than any message within the byte limit contains, unless it is meant to fill the memory: `[[],[],[],…` */
const mostContainers = 1_000_000;
const mostParts = 5_000_000;
/** Names in one object. */
const mostNames = 10_000;
/** Finding what is wrong is slower than finding that something is. */
const mostSearched = 256 * 1024;

/** @throws Rejection */
export function parseJson(bytes: Buffer): unknown {
  rejectBombs(bytes);
  if (!isUtf8(bytes)) throw malformed('the body is not UTF-8; send JSON in UTF-8');
  const text = wellFormed(withoutMark(bytes.toString('utf8')));
  try {
    return JSON.parse(text);
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

/** An escaped half of a surrogate pair is not a character. Replaced as in Go, so that an alert is the same alert at all endpoints. */
function wellFormed(text: string): string {
  // Most bodies contain no backslash at all, which is much faster to check.
  if (!text.includes('\\') || !/\\u[dD][89a-fA-F]/.test(text)) return text;
  return text.replace(/\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u[dD][89a-fA-F]..|\\./gs, (found) =>
    found.length === 6 ? '\\ufffd' : found,
  );
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/** `JSON.parse` would accept them, and the process would run out of memory. */
function rejectBombs(bytes: Buffer) {
  const { length } = bytes;
  const names = new Uint32Array(mostDeep + 1);
  let depth = 0;
  let containers = 0;
  let parts = 0;
  for (let at = 0; at < length; at += 1) {
    switch (bytes[at]) {
      case quote:
        for (at += 1; at < length && bytes[at] !== quote; at += 1) {
          if (bytes[at] === backslash) at += 1;
        }
        break;
      case openList:
      case openObject:
        depth += 1;
        containers += 1;
        if (depth > mostDeep) throw malformed(`the body is nested deeper than ${mostDeep} levels`);
        names[depth] = 0;
        break;
      case closeList:
      case closeObject:
        depth -= 1;
        break;
      case colon:
        parts += 1;
        names[depth] = (names[depth] ?? 0) + 1;
        if (Number(names[depth]) > mostNames) {
          throw malformed(`an object has more than ${mostNames} keys`);
        }
        break;
      case comma:
        parts += 1;
        break;
    }
  }
  if (containers <= mostContainers && parts <= mostParts) return;
  throw new Rejection(
    'too-large',
    `the body has more than ${mostContainers} lists and objects, or ${mostParts} values; send fewer alerts per request`,
  );
}
