/**
 * What devices said, as people may read it. A transcript is masked by the rules of the model; a message may quote a few words of
 * it, and of those alone no rule could tell what they are: the middle of a key, half a line. So what a message quotes is
 * looked up in the transcript, and stays only where the transcript shows it.
 */

import type { SecretRule } from '@skolo/models/backup';
import { commonSecrets, isBlock, type Mask } from '@skolo/models/configuration';

/** In front of what is said: a mark of ours, a prompt, the sign of a difference. */
const ahead = /^(?:>>> )?(?:[\w.@~:()/-]*[#>$%] ?)?(?:[-+!>]\s*)?/;
/** Shorter ones tell nothing, and are everywhere. */
const shortest = 4;

/** All of what was said. */
export function maskedTalk(mask: Mask, talk: string, rules: readonly SecretRule[]): string {
  const lines = mask.text(talk, rules).split('\n');
  const starts = lines.map((line) => ahead.exec(line)?.[0] ?? '');
  const rests = lines.map((line, i) => line.slice(starts[i]?.length ?? 0)).join('\n');
  const inLines = rules.filter((rule) => !isBlock(rule));
  return mask
    .text(rests, inLines)
    .split('\n')
    .map((rest, i) => `${starts[i] ?? ''}${rest}`)
    .join('\n');
}

/** A message about what was said. */
export function maskedMessage(
  mask: Mask,
  message: string,
  talk: string,
  rules: readonly SecretRule[],
): string {
  const shown = maskedTalk(mask, talk, rules);
  const isSecret = (word: string) => talk.includes(word) && !shown.includes(word);
  /** The talk has one character for each byte. */
  const hide = (word: string) =>
    [word, word.replace(/^[^\w]+|[^\w]+$/g, '')]
      .filter(({ length }) => length >= shortest)
      .some((part) => isSecret(part) || isSecret(Buffer.from(part).toString('latin1')))
      ? '<secret>'
      : word;
  const words = (text: string) => text.replace(/\S+/g, hide);
  const quoted = message.replace(/"(?:[^"\\]|\\.)*"/g, (text) => {
    const said = parsed(text);
    return said === undefined ? text : JSON.stringify(maskedTalk(mask, words(said), rules));
  });
  // What the device did not say are our own words: "the password of its login" tells none.
  const said = squeezed(talk);
  const isSaid = (match: string) => {
    const phrase = squeezed(match.replace(/[.,;:]+$/, ''));
    return said.includes(phrase) || said.includes(Buffer.from(phrase).toString('latin1'));
  };
  return mask.text(words(quoted), rules, isSaid);
}

function squeezed(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function parsed(text: string): string | undefined {
  try {
    return String(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * The end of a talk whose beginning is lost, from its first whole line on. Where a block of secrets ends that did not begin in
 * it, what is in front of that was in the block.
 */
export function withoutBegunBlock(text: string, rules: readonly SecretRule[]): string {
  const lines = text.split('\n').slice(1);
  const begun = [...rules, ...commonSecrets].flatMap((rule) => {
    if (!isBlock(rule)) return [];
    const end = lines.findIndex((line) => line.search(rule.until) !== -1);
    const start = lines.findIndex((line) => line.search(rule.from) !== -1);
    return end === -1 || (start !== -1 && start < end) ? [] : [end];
  });
  return lines.slice(Math.max(0, ...begun)).join('\n');
}
