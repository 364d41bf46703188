/**
 * Recognises equipment that demands a new password, at the first sign-in or when the password has expired. skolo never answers: the old
 * password would become the new one, or count as a failed attempt.
 */
import { SignInRejected } from '../errors.ts';
import { translated } from './questions.ts';

/** `Enter new password:`, `(current) UNIX password:`, `Retype new password>`, as RouterOS asks. */
const question = new RegExp(
  String.raw`(?:^|[\s(])(?:new|old|current|existing|re-?(?:enter|type|peat)|confirm|verify|neue[sn]?|alte[sn]?|aktuelle[sn]?|nouveau|ancien|nueva|nova|nieuwe?|huidige?)\)?\s(?:[^:>]{0,60}\s)?(?:password|passwd|passphrase|secret|${translated})\b[^:>]{0,40}[:>]$`,
  'i',
);
/** `Do you want to change the password? [y/n]` */
const offer =
  /\b(?:change|set|create|choose) (?:\w+ ){0,3}password\b.{0,40}\? ?(?:[[(].{1,10}[\])])?:?$/i;
/** Printed before a question that is only `Password:`. */
const reason =
  /password (?:has |is |was )?(?:been )?expired|(?:must|required to|need to|have to) (?:be )?(?:change|set|choose|reset)|password change (?:is )?required|(?:choose|enter|set) a new password/i;

/** Whether the cursor's line asks for a new password, or for the old one in order to change it. */
export function asksForNewPassword(line: string): boolean {
  const text = line.trimEnd();
  return question.test(text) || offer.test(text);
}

/** Whether the text says that the password must be changed. A banner may also say that, so only text after the password counts. */
export function requiresNewPassword(text: string): boolean {
  return reason.test(text);
}

export function newPasswordRequested(device: string): SignInRejected {
  const what =
    'requires a new password; sign in manually, change the password, and update its login';
  return new SignInRejected(device, what);
}
