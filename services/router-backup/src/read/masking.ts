/**
 * Masks secrets in transcripts and in messages about them. The model's rules mask a transcript. A message may quote a few words of it, and
 * rules cannot recognise those alone: the middle of a key, half a line. So the words that a message quotes are looked up in the transcript,
 * and kept only where the masked transcript still contains them.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, parseJson } from '@skolo/base';
import type { Logger } from '@skolo/common';
import { writeFileAtomic } from '@skolo/durable';
import type { SecretRule } from '@skolo/models/backup';
import { commonSecrets, createMask, isBlock, type Mask } from '@skolo/models/configuration';

const keyLength = 32;
/** The start of a line: one of our marks, a prompt, a diff sign. */
const ahead = /^(?:>>> )?(?:[\w.@~:()/-]*[#>$%] ?)?(?:[-+!>]\s*)?/;
/** Shorter words are too common to be secrets. */
const shortest = 4;

/**
 * Masks with the key in the state directory, so that the same secret has the same mask tomorrow. If the key cannot be stored, the only
 * effect is that the next process's masks differ.
 */
export async function openMask(stateDir: string, log: Pick<Logger, 'warn'>): Promise<Mask> {
  const file = join(stateDir, 'mask-key');
  const kept = await readFile(file).catch(() => undefined);
  if (kept?.length === keyLength) return createMask(kept);
  const key = randomBytes(keyLength);
  await writeFileAtomic(file, key).catch((error: unknown) => {
    log.warn({ why: errorText(error) }, 'mask key could not be stored');
  });
  return createMask(key);
}

export function maskTranscript(mask: Mask, text: string, rules: readonly SecretRule[]): string {
  const lines = mask.text(text, rules).split('\n');
  const starts = lines.map((line) => ahead.exec(line)?.[0] ?? '');
  const rests = lines.map((line, i) => line.slice(starts[i]?.length ?? 0)).join('\n');
  const inLines = rules.filter((rule) => !isBlock(rule));
  return mask
    .text(rests, inLines)
    .split('\n')
    .map((rest, i) => `${starts[i] ?? ''}${rest}`)
    .join('\n');
}

export function maskMessage(
  mask: Mask,
  message: string,
  transcript: string,
  rules: readonly SecretRule[],
): string {
  const masked = maskTranscript(mask, transcript, rules);
  const isSecret = (word: string) => transcript.includes(word) && !masked.includes(word);
  /** The transcript has one character per byte. */
  const hide = (word: string) =>
    [word, word.replace(/^[^\w]+|[^\w]+$/g, '')]
      .filter(({ length }) => length >= shortest)
      .some((part) => isSecret(part) || isSecret(Buffer.from(part).toString('latin1')))
      ? '<secret>'
      : word;
  const words = (text: string) => text.replace(/\S+/g, hide);
  const quoted = message.replace(/"(?:[^"\\]|\\.)*"/g, (text) => {
    const quote = parseJson(text);
    return typeof quote !== 'string'
      ? text
      : JSON.stringify(maskTranscript(mask, words(quote), rules));
  });
  // Words that are not the device's are our own: "the password of its login" is not a secret.
  const squeezedTranscript = squeezed(transcript);
  const isQuoted = (match: string) => {
    const phrase = squeezed(match.replace(/[.,;:]+$/, ''));
    const inBytes = Buffer.from(phrase).toString('latin1');
    return squeezedTranscript.includes(phrase) || squeezedTranscript.includes(inBytes);
  };
  return mask.text(words(quoted), rules, isQuoted);
}

function squeezed(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/**
 * The end of a transcript whose beginning is lost, from its first complete line on. If a block of secrets ends in it that did not begin in
 * it, the lines before that end were in the block.
 */
export function withoutBrokenBlock(text: string, rules: readonly SecretRule[]): string {
  const lines = text.split('\n').slice(1);
  const begun = [...rules, ...commonSecrets].flatMap((rule) => {
    if (!isBlock(rule)) return [];
    const end = lines.findIndex((line) => line.search(rule.until) !== -1);
    const start = lines.findIndex((line) => line.search(rule.from) !== -1);
    return end === -1 || (start !== -1 && start < end) ? [] : [end];
  });
  return lines.slice(Math.max(0, ...begun)).join('\n');
}
