/**
 * Decides whether a match is really the prompt. A configuration may contain the same text, and a device may pause after it. So an empty line
 * is sent: at its prompt, a device returns only the prompt; otherwise it continues its output. That may start with the text of the
 * prompt again, so a device that pauses gets more time to continue.
 */

import { AnswerCut } from '../errors.ts';
import type { Limit } from '../stream/limit.ts';
import { type Conversation, quiet, type View } from './conversation.ts';
import { behindPrompt, isNoise, type Noise } from './prompt.ts';
import { enter } from './sign-in.ts';
import { shownLines } from './terminal-text.ts';

/** Log messages, and a prompt that is drawn twice, are shorter. */
const longestAnswer = 64 * 1024;

interface ConfirmOptions {
  dialect: Noise;
  /** As shown after the answer. */
  prompt: string;
  /** As `samePrompt` returns it. */
  own: RegExp;
  /** The longest pause in its answer. */
  pauseMs: number;
  /** The command that was answered, for errors. */
  command: string;
  limit: Limit;
}

/** @throws AnswerCut, DeviceTimeout, DeviceUnreachable */
export async function confirmPrompt(
  conversation: Conversation,
  { dialect, prompt, own, pauseMs, command, limit }: ConfirmOptions,
): Promise<void> {
  const behind = JSON.stringify(command);
  // Here, silence is the expected result.
  const idleMs = limit.idleMs && Math.max(limit.idleMs, 2 * quiet.silence);
  const within = { ...limit, idleMs };
  conversation.mark();
  conversation.write(enter);
  await conversation.until(`response to the empty line sent after ${behind}`, within, (view) => {
    const enough = quietAfter(Math.max(pauseMs, view.pauseMs));
    const seen = whatFollowed(view, { prompt, own, dialect, enough });
    if (seen !== 'more') return seen === 'prompt' ? true : undefined;
    const what = `more output followed an apparent prompt after ${behind}, so the output is incomplete`;
    throw new AnswerCut(conversation.device, `${what}${conversation.lastWords()}`);
  });
}

/** How long a device that has paused this long must be silent. Few pause even for a tenth of a second. */
function quietAfter(pauseMs: number): number {
  if (pauseMs < 100) return quiet.brief;
  return pauseMs < quiet.long / 2 ? quiet.long : quiet.silence;
}

function whatFollowed(
  view: View,
  {
    prompt,
    own,
    dialect,
    enough,
  }: Pick<ConfirmOptions, 'prompt' | 'own' | 'dialect'> & { enough: number },
): 'prompt' | 'more' | 'nothing yet' {
  const { length, quietMs } = view;
  if (length > longestAnswer) return 'more';
  if (quietMs < quiet.brief) return 'nothing yet';
  const lines = shownLines(view.since(0)).map((line) => line.trimEnd());
  const last = lines.pop() ?? '';
  const isPrompt = (line: string) => own.exec(line)?.[0] === line;
  const isNothing = (line: string) => isNoise(behindPrompt(line, own), dialect);
  if (!lines.every(isNothing)) return 'more';
  // Silence never ends if the connection has died, for example during the answer.
  if (quietMs < enough || quietMs === Number.POSITIVE_INFINITY) return 'nothing yet';
  if (isPrompt(last)) return 'prompt';
  // Log messages followed it.
  if (quietMs >= quiet.long && isNothing(last) && lines.some(isPrompt)) return 'prompt';
  // The device may be slow, and this may be the beginning of the prompt.
  if (quietMs >= quiet.silence && !isNothing(last) && !prompt.startsWith(last)) return 'more';
  return 'nothing yet';
}
