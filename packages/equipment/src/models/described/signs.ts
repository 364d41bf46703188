/** Decides whether a description distinguishes configurations from messages: two equal answers only show that one is stable. */
import { isObject } from '@skolo/base';
import { DescribedExpression, SlowExpression, timely } from '@skolo/base/described-expression';

const errors =
  `access denied|bad command|connection refused|database locked by another user|error 5|failed to open file|guest account expired
host unreachable|invalid input|job aborted|kernel busy|login incorrect|missing argument|not found|operation not permitted|permission denied
quota exceeded|read-only mode|syntax error|timed out|unknown command|value out of range|wait, in progress|xml cannot be parsed
you are not authorized|zero bytes received`.split(/[|\n]/);
const others = `
Try again later.
% Error 403: the configuration is locked by "admin" (10.0.0.1) for 5 minutes!
             ^
{"error": {"code": 401, "message": "Unauthorized"}}
<error code="5">busy</error>
[error] <ann@host> #12 + code = $-61; /bin/sh \\ {x|y} ~ 50% & *?
*** The system will restart at 10:21:31 on 2026-11-30 ***
403 Forbidden
-1`.split('\n');
/** In the forms that equipment gives them, and their words. An expression that matches one of them distinguishes nothing. */
const messages = errors.concat(others, errors.join('; ')).flatMap((error) => {
  const sentence = `${error.slice(0, 1).toUpperCase()}${error.slice(1)}`;
  const title = error.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase());
  const words = [error, title, error.toUpperCase()].flatMap((text) => text.split(' '));
  const framed = [
    `% ${sentence}.`,
    `-sh: /cfg/x.xml: ${error} (line 1)`,
    `(${error}) [pid 4711]...`,
  ];
  return [error, sentence, title, error.toUpperCase(), `ERROR: ${error}!`, ...words, ...framed];
});

/** Why a message may be stored as a configuration, in words about a description of `generic`; undefined: a line rules it out. */
export function whyUnsure({ has, complete }: Readonly<Record<string, unknown>>) {
  const [line, end] = [isObject(has) ? has.manual : has, isObject(complete) && complete.end];
  const signs = [line, end].filter((sign) => typeof sign === 'string');
  try {
    if (signs.map(isLoose).includes(false)) return undefined;
  } catch (error) {
    if (!(error instanceof SlowExpression)) throw error;
    return `has a sign of which nobody knows what it matches: ${error.message}`;
  }
  const [loose] = signs;
  const what =
    loose === undefined
      ? 'has neither `has` nor `complete: { end: REGEX }`'
      : `${loose === line ? 'has' : 'ends with'} \`${loose}\`, which also matches an empty line or a message`;
  return `${what}, so an error message may be stored as its configuration`;
}

/** @throws SlowExpression */
function isLoose(line: string): boolean {
  const sign = new DescribedExpression(line);
  return timely([sign], () => messages.some((message) => sign.test(message)));
}
