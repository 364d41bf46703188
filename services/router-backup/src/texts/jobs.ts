/**
 * Work on texts that a device chooses, and which may therefore take long: masking secrets, comparing versions. A worker thread runs it, so
 * inputs and results can be cloned.
 */
import { changedLines, difference } from '@skolo/backup/diff';
import type { BackupModel, SecretRule } from '@skolo/models/backup';
import { createMask, textOf, withoutVolatile } from '@skolo/models/configuration';
import { maskMessage, maskTranscript, type Recorded, transcriptText } from './masking.ts';

/** How secrets are masked. */
interface Masking {
  key: Uint8Array;
  rules: readonly SecretRule[];
}

interface TextOf {
  content: Uint8Array;
  format: BackupModel['format'];
  /** Undefined: secrets are shown. */
  masking: Masking | undefined;
  /** Lines to omit. */
  volatile?: readonly RegExp[];
}

interface Compared {
  /** In UTF-8. */
  from: Uint8Array;
  to: Uint8Array;
}

interface OfSession extends Masking {
  transcript: Recorded;
}

export interface Inputs {
  text: TextOf;
  difference: Compared & { names: { from: string; to: string } };
  changes: Compared;
  transcript: OfSession;
  message: OfSession & { message: string };
}

export interface Results {
  text: Uint8Array;
  difference: Uint8Array;
  changes: { added: number; removed: number } | undefined;
  transcript: string;
  message: string;
}

export type JobName = keyof Inputs;

/** What a worker returns. */
export type Answer<N extends JobName> =
  | { result: Results[N] }
  /** `isTooMuch`: a stack or a string of the engine became too large. */
  | { error: string; isTooMuch: boolean };

/** In bytes. Node would take too long to send it as JSON. */
const longestDifference = 4 * 1024 * 1024;
/** Of both texts. Comparing more lines takes too much memory. */
const mostLines = 400_000;

export const jobs: { readonly [N in JobName]: (input: Inputs[N]) => Results[N] } = {
  /** A configuration as text for people, in UTF-8. */
  text({ content, format, masking, volatile = [] }) {
    const mask = masking && createMask(masking.key);
    const text = textOf(bufferOf(content), format, mask?.word);
    const shown = mask === undefined ? text : mask.text(text, masking?.rules ?? []);
    return new TextEncoder().encode(withoutVolatile(shown, volatile));
  },

  /** A unified diff in UTF-8; empty if the texts are equal. */
  difference({ from, to, names }) {
    const isLong = linesOf(from) + linesOf(to) > mostLines;
    const diff = isLong ? '' : difference(`${bufferOf(from)}`, `${bufferOf(to)}`, names);
    const isShown = bufferOf(from).equals(to) || (!isLong && diff.length <= longestDifference);
    const instead = `--- ${names.from}\n+++ ${names.to}\nthe change is too large to compare line by line\n`;
    return new TextEncoder().encode(isShown ? diff : instead);
  },

  /** Numbers of added and removed lines; undefined: too many lines. */
  changes({ from, to }) {
    if (linesOf(from) + linesOf(to) > mostLines) return undefined;
    return changedLines(bufferOf(from).toString('latin1'), bufferOf(to).toString('latin1'));
  },

  transcript({ transcript, key, rules }) {
    return maskTranscript(createMask(key), transcriptText(transcript, rules), rules);
  },

  message({ message, transcript, key, rules }) {
    return maskMessage(createMask(key), message, transcriptText(transcript, rules), rules);
  },
};

/** A Buffer becomes a Uint8Array on its way to the worker. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function linesOf(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines += 1;
  return lines;
}
