/**
 * Decides what a question at a command line asks for. Words that ask for a secret or a user name get it, because anything else would be
 * echoed, and logged by others. A key that is asked for is pressed. A choice is never made: Enter would select a default that nobody knows,
 * such as to save, to reset, or to accept.
 */
import { DeviceAsks } from '../errors.ts';
import type { Conversation } from './conversation.ts';
import { decodeBytes } from './terminal-text.ts';

/**
 * `(will not be echoed)`, `of the lab`, and the end of a question, with the line on which the answer is written. French has a non-breaking
 * space (in UTF-8, C2 A0) before its colon.
 */
const endOfQuestion = String.raw`(?: ?[([][^()[\]]{1,60}[)\]])?(?: (?:for|of|on|at|to|f\S{1,2}r|pour|de|para|voor) [^:?]{1,60})?[\s\xc2]{0,2}:[ _]*$`;
/** As Linux-PAM asks in other languages. */
export const translated = String.raw`passwort|mot de passe|contrase\S{1,2}a|senha|wachtwoord`;
/** `Password:`, `Enter PASSCODE:`, `[sudo] password for ann:`, `Enter the enable secret of the lab:` */
const secretWords = new RegExp(
  String.raw`(?:^|[^\w-])(?:pass ?(?:word|code|phrase)|passwd|secret(?: word)?|${translated})${endOfQuestion}`,
  'i',
);
/** Nothing but the question. Behind other words, it is rather the beginning of a banner's line. */
const plainSecret =
  /^\W*(?:please )?(?:enter |login |user |enable |\S+['’]s )?(?:pass\w+|secret)\W*$/i;

/** `Username for enable:`, `TACACS+ user:`, `Please Enter Login Name: ________` */
const nameWords = new RegExp(
  String.raw`(?:^|[^\w-])(?<!last )(?:(?:user|login|account)[ -]?(?:name|id)?(?: or e-?mail)?|login as)${endOfQuestion}`,
  'i',
);

/** What the cursor's line asks for in known words; undefined if it asks for neither. */
export function asksFor(line: string): 'password' | 'username' | undefined {
  if (asksForChoice(line)) return undefined;
  if (secretWords.test(line)) return 'password';
  return nameWords.test(line) ? 'username' : undefined;
}

/** Whether a line that asks for a secret contains nothing else. */
export function isPlainSecret(line: string): boolean {
  return plainSecret.test(line);
}

/** Whether a line waits for an answer, in any words. */
export function isQuestion(line: string): boolean {
  return asksForChoice(line) || /\w[^\w]{0,8}[:?][ _]*$/.test(line);
}

const quote = `[<[("'\`]?`;
const endQuote = `[>\\])"'\`]?`;
const purpose =
  '(?:continue|proceed|resume|get started|start|begin|log ?[io]n|sign in|access|accept|agree|acknowledge|activate)';
/** `Press RETURN to get started.`, `(Press 'a' to accept):`, `Enter Ctrl-Y to begin.` Not `Press any key to stop autoboot`. */
const keyForPurpose = new RegExp(
  `\\b(?:press|hit|strike|type|enter) (?:the )?${quote}(?<key>any|return|enter|cr|space(?: ?bar)?|ctrl[-+ ]?[a-z]|\\^[a-z]|[a-z])${endQuote}(?: ?key)? (?:to|and) ${purpose}\\b`,
  'i',
);
/** `Press ENTER`, `-- Hit any key --`: without a purpose. */
const keyAlone = new RegExp(
  `\\b(?:press|hit|strike) (?:the )?${quote}(?<key>any|return|enter|cr|space(?: ?bar)?)${endQuote}(?: ?key)?[ .:!>)\\]-]*$`,
  'i',
);
const keys: Readonly<Record<string, string>> = {
  any: ' ',
  return: '\r',
  enter: '\r',
  cr: '\r',
  space: ' ',
};

/** The key that a line asks for, as the byte to send; undefined if it does not. */
export function keyAskedFor(line: string): string | undefined {
  const named = (keyForPurpose.exec(line) ?? keyAlone.exec(line))?.groups?.key;
  if (named === undefined) return undefined;
  const key = named.toLowerCase().replace(/ ?bar$/, '');
  if (/^(?:ctrl|\^)/.test(key)) return String.fromCharCode(key.charCodeAt(key.length - 1) & 0x1f);
  return keys[key] ?? named;
}

/** `[Y/N]:`, `(yes/no)?`, `<y/n>`, `y or n`, at the end of a line. */
const choice =
  /(?:[[(<{ ]\s*y(?:es)?\s*[/|,]\s*no?\b\S{0,20}|\b(?:yes or no|y or n)\b[\])]?)(?:\s*\[\w{0,4}\])?[\s?:.]*$/i;

/** Whether a line asks to choose between yes and no. */
export function asksForChoice(line: string): boolean {
  return choice.test(line);
}

/** Whether lines are a menu: at least three items, numbered one after another. */
export function isMenu(lines: readonly string[]): boolean {
  const numbers = lines.flatMap((line) => /^\W{0,4}(\d{1,2})[.):\]] *\S/.exec(line)?.[1] ?? []);
  return numbers.some(
    (each, index) =>
      Number(numbers[index + 1]) === Number(each) + 1 &&
      Number(numbers[index + 2]) === Number(each) + 2,
  );
}

const usualRemedy =
  'sign in manually, and answer it or turn it off; for model generic, rack.yaml can list answers';

/** The failure of a session whose device asks this: the line or lines, one character per byte. */
export function unanswered(
  conversation: Conversation,
  question: string,
  remedy = usualRemedy,
): DeviceAsks {
  const shown = conversation.withoutSecrets(decodeBytes(question.trim())).slice(-200);
  const what = `asks ${JSON.stringify(shown)}, and skolo does not respond to such questions`;
  return new DeviceAsks(conversation.device, `${what}; ${remedy}`);
}
