/**
 * Masks secrets in transcripts and in messages about them, and decides which words of a message may be shown. The model's rules mask a
 * transcript. A message may quote a few words of it, and rules cannot recognise those alone: the middle of a key, half a line. So the
 * words that a message quotes are looked up in the transcript, and kept only where the masked transcript still contains them.
 */
import { parseJson } from '@skolo/base';
import type { SecretRule } from '@skolo/equipment/models/backup';
import {
  commonSecrets,
  isBlock,
  isContinued,
  isInLine,
  type Mask,
} from '@skolo/equipment/models/configuration';

/** The start of a line: one of our marks, a prompt, a diff sign. */
const ahead = /^(?:>>> )?(?:[\w.@~:()/-]*[#>$%] ?)?(?:[-+!>]\s*)?/;
/** Of a device's own commands: the configuration can be guessed from its digest. */
const digests =
  /(?<!\w)(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})(?!\w)/i;
/** Shorter words are too common to be secrets. */
const shortest = 4;

/** A session's transcript. */
export interface Recorded {
  head: string;
  tail: string;
  /** The number of characters between them that were not kept. */
  cut: number;
}

export function transcriptText(
  { head, tail, cut }: Recorded,
  rules: readonly SecretRule[],
): string {
  if (cut === 0) return `${head}${tail}`.trim();
  return `${head}\n\n[… ${cut} characters …]\n\n${withoutBrokenBlock(tail, rules)}`.trim();
}

export function maskTranscript(mask: Mask, text: string, model: readonly SecretRule[]): string {
  const rules = [...model, digests];
  const lines = mask.text(text, rules).split('\n');
  const starts = lines.map((line) => ahead.exec(line)?.[0] ?? '');
  const rests = lines.map((line, i) => line.slice(starts[i]?.length ?? 0)).join('\n');
  const inLines = rules.filter(isInLine);
  return mask
    .text(rounded(rests, /(?<=<)\d{3,15}(?= bytes>)/g), inLines)
    .split('\n')
    .map((rest, i) => `${starts[i] ?? ''}${rest}`)
    .join('\n');
}

/** To two significant digits, because an exact size shows the length of a secret if the rest is known. */
function rounded(text: string, sizes: RegExp): string {
  return text.replace(sizes, (size) => String(Number(Number(size).toPrecision(2))));
}

export function maskMessage(
  mask: Mask,
  message: string,
  transcript: string,
  rules: readonly SecretRule[],
): string {
  // Words that are not the device's are our own: "the password of its login" is not a secret.
  const squeezedTranscript = squeezed(transcript);
  const isQuoted = (match: string) => {
    const phrase = squeezed(match.replace(/[.,;:]+$/, ''));
    const inBytes = Buffer.from(phrase).toString('latin1');
    return squeezedTranscript.includes(phrase) || squeezedTranscript.includes(inBytes);
  };
  const inParts = (text: string, separator: string) =>
    text
      .split(separator)
      .map((part) => mask.text(part, rules, isQuoted))
      .join(separator);
  const masked = maskTranscript(mask, transcript, rules);
  const isSecret = (word: string) => transcript.includes(word) && !masked.includes(word);
  /** The transcript has one character per byte. */
  const hide = (word: string) =>
    digests.test(word) ||
    [word, word.replace(/^[^\w]+|[^\w]+$/g, '')]
      .filter(({ length }) => length >= shortest)
      .some((part) => isSecret(part) || isSecret(Buffer.from(part).toString('latin1')))
      ? '<secret>'
      : word;
  const words = (text: string) => text.replace(/\S+/g, hide);
  const ownWords = (text: string) =>
    text.replace(/\S+/g, (word, at: number) => (isOwnNumber(word, text, at) ? word : hide(word)));
  const quoted = inParts(message, ': ').replace(/"(?:[^"\\]|\\.)*"/g, (text) => {
    const quote = parseJson(text);
    return typeof quote !== 'string'
      ? text
      : JSON.stringify(maskTranscript(mask, words(quote), rules));
  });
  const sizes = /\b\d{3,15}(?=(?:, \d{1,15}){0,9} bytes)/g;
  // A secret extends to the end of its line, but not over the remedy.
  return inParts(rounded(ownWords(quoted), sizes), '; ');
}

const unit =
  /^ (?:(?:more )?(?:bytes|[KMG]i?B|m?s|seconds|minutes|hours|days|times|lines|readings)\b)/;

/** Whether a word outside of quotes is a number of our own: a device's words follow a colon, and have no unit. */
function isOwnNumber(word: string, text: string, at: number): boolean {
  if (!/^\(?\d+[),;:.]*$/.test(word)) return false;
  return !text.slice(0, at).includes(': ') || unit.test(text.slice(at + word.length));
}

function squeezed(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/**
 * The end of a transcript whose beginning is lost, from its first complete line on. If a block of secrets ends in it that did not begin in
 * it, the lines before that end were in the block.
 */
function withoutBrokenBlock(text: string, rules: readonly SecretRule[]): string {
  const all = [...rules, ...commonSecrets];
  const lines = text.split('\n');
  // The rest of a line that continues on the next one.
  while (isContinued(lines.shift() ?? '', all));
  const begun = all.flatMap((rule) => {
    if (!isBlock(rule)) return [];
    const end = lines.findIndex((line) => line.search(rule.until) !== -1);
    const start = lines.findIndex((line) => line.search(rule.from) !== -1);
    return end === -1 || (start !== -1 && start < end) ? [] : [end];
  });
  return lines.slice(Math.max(0, ...begun)).join('\n');
}
