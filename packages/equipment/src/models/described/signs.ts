/** Decides whether a description distinguishes configurations from messages: two equal answers only show that one is stable. */
import { isObject } from '@skolo/base';

/** An expression that matches one of them distinguishes nothing. */
const messages = [
  '',
  'Try again later.',
  '% Error 403: the configuration is locked by "admin" (10.0.0.1) for 5 minutes!',
];

/** Why a message may be stored as a configuration, in words about a description of `generic`; undefined: a line rules it out. */
export function whyUnsure({ has, complete }: Readonly<Record<string, unknown>>) {
  const signs = [isObject(has) ? has.manual : has, isObject(complete) ? complete.end : undefined];
  const lines = signs.filter((sign) => typeof sign === 'string');
  const isLoose = (line: string) => messages.some((message) => new RegExp(line).test(message));
  if (lines.some((line) => !isLoose(line))) return undefined;
  const [loose] = lines;
  const what =
    loose === undefined
      ? 'has neither `has` nor `complete: { end: REGEX }`'
      : `has \`${loose}\`, which also matches an empty line or a message`;
  return `${what}, so an error message may be stored as its configuration`;
}
