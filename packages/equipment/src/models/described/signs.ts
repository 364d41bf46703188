/** Decides whether a description distinguishes configurations from messages: two equal answers only show that one is stable. */
import { isObject } from '@skolo/base';
import { DescribedExpression, SlowExpression, timely } from '@skolo/base/described-expression';

const errors = [
  'access denied',
  'bad command',
  'connection refused',
  'database locked by another user',
  'error 5',
  'failed to open file',
  'guest account expired',
  'host unreachable',
  'invalid input',
  'job aborted',
  'kernel busy',
  'login incorrect',
  'missing argument',
  'not found',
  'operation not permitted',
  'permission denied',
  'quota exceeded',
  'read-only mode',
  'syntax error',
  'timed out',
  'unknown command',
  'value out of range',
  'wait, in progress',
  'xml cannot be parsed',
  'you are not authorized',
  'zero bytes received',
];

/** Messages in the forms that equipment gives them, and their words. An expression that matches one of them distinguishes nothing. */
const messages = [
  '',
  'Try again later.',
  '% Error 403: the configuration is locked by "admin" (10.0.0.1) for 5 minutes!',
  "             ^\n% Invalid input detected at '^' marker.",
  '{"error": {"code": 401, "message": "Unauthorized"}}',
  '<error code="5">busy</error>',
  '[error] <ann@host> #12 + code = $-61; /bin/sh \\ {x|y} ~ 50% & *?',
  '*** The system will restart at 10:21:31 on 2026-11-30 ***',
  '403 Forbidden',
  '-1',
  errors.join('; '),
  ...errors.flatMap((error) => {
    const sentence = `${error.slice(0, 1).toUpperCase()}${error.slice(1)}`;
    const title = error.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase());
    return [
      ...[error, sentence, title].flatMap((text) => [text, ...text.split(' ')]),
      ...[error.toUpperCase(), ...error.toUpperCase().split(' ')],
      `% ${sentence}.`,
      `ERROR: ${error}!`,
      `-sh: /cfg/running.xml: ${error} (line 1)`,
      `(${error}) [pid 4711]...`,
    ];
  }),
];

/**
 * Returns why nothing in a description of `generic` distinguishes configurations from messages, in words about it, or that a sign takes too
 * long. Returns undefined if a line rules messages out.
 */
export function whyLoose({ has, complete }: Readonly<Record<string, unknown>>): string | undefined {
  const flaws = [
    flawOf('has', isObject(has) ? has.manual : has),
    flawOf('ends with', isObject(complete) ? complete.end : undefined),
  ].filter((flaw) => flaw !== undefined);
  const slow = flaws.find(({ isSlow }) => isSlow)?.what;
  if (slow !== undefined || flaws.some(({ what }) => what === undefined)) return slow;
  return flaws[0]?.what ?? 'has neither `has` nor `complete: { end: REGEX }`';
}

/** The same as a problem of rack.yaml or of a table. */
export function whyUnsure(description: Readonly<Record<string, unknown>>): string | undefined {
  const why = whyLoose(description);
  return why && `${why}, so an error message may be stored as its configuration`;
}

function flawOf(verb: string, line: unknown) {
  if (typeof line !== 'string') return undefined;
  const sign = new DescribedExpression(line);
  try {
    const isLoose = timely([sign], () => messages.some((message) => sign.test(message)));
    const what = `${verb} \`${line}\`, which also matches an empty line or a message`;
    return { what: isLoose ? what : undefined, isSlow: false };
  } catch (error) {
    if (!(error instanceof SlowExpression)) throw error;
    return { what: `${verb} \`${line}\`, but ${error.message}`, isSlow: true };
  }
}
