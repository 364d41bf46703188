/**
 * Was it the prompt? A configuration may hold the text of one, and a device may pause behind it. So an empty line is sent:
 * at its prompt a device answers with the prompt and nothing else; in the middle of something it goes on with that. That
 * may begin with the text of the prompt once more, so a device that pauses is given more time to go on.
 */

import { AnswerCut } from '../errors.ts';
import type { Limit } from '../stream/limit.ts';
import { type Conversation, quiet, type View } from './conversation.ts';
import { isNoise, type Noise } from './prompt.ts';
import { enter } from './sign-in.ts';
import { shownLines } from './terminal-text.ts';

/** Log messages, and a prompt that is painted twice, are shorter. */
const longestAnswer = 64 * 1024;

interface ConfirmOptions {
  dialect: Noise;
  /** As it was shown behind the answer. */
  prompt: string;
  /** The longest that it paused in its answer. */
  pauseMs: number;
  /** What was answered, for errors. */
  command: string;
  limit: Limit;
}

/** @throws AnswerCut, DeviceTimeout, DeviceUnreachable */
export async function confirmPrompt(
  conversation: Conversation,
  { dialect, prompt, pauseMs, command, limit }: ConfirmOptions,
): Promise<void> {
  const behind = JSON.stringify(command);
  // Silence is what is waited for here.
  const idleMs = limit.idleMs && Math.max(limit.idleMs, 2 * quiet.silence);
  const within = { ...limit, idleMs };
  conversation.mark();
  conversation.write(enter);
  await conversation.until(`prompt for an empty line behind ${behind}`, within, (view) => {
    const enough = quietAfter(Math.max(pauseMs, view.pauseMs));
    const seen = look(view, { prompt, dialect, enough });
    if (seen !== 'more') return seen === 'prompt' ? true : undefined;
    const what = `more output followed an apparent prompt after ${behind}, so the output is incomplete`;
    throw new AnswerCut(conversation.device, `${what}${conversation.lastWords()}`);
  });
}

/** How long nothing must come from a device that has paused for so long. Few pause as long as a tenth of a second. */
function quietAfter(pauseMs: number): number {
  if (pauseMs < 100) return quiet.brief;
  return pauseMs < quiet.long / 2 ? quiet.long : quiet.silence;
}

function look(
  view: View,
  { prompt, dialect, enough }: Pick<ConfirmOptions, 'prompt' | 'dialect'> & { enough: number },
): 'prompt' | 'more' | 'nothing yet' {
  const { length, quietMs } = view;
  if (length > longestAnswer) return 'more';
  const lines = shownLines(view.raw()).map((line) => line.trimEnd());
  const last = lines.pop() ?? '';
  const isNothing = (line: string) =>
    isNoise(line.startsWith(prompt) ? line.slice(prompt.length).trimStart() : line, dialect);
  if (!lines.every(isNothing)) return 'more';
  // It is quiet for ever where the connection has died, say in the middle of something.
  if (quietMs < enough || quietMs === Number.POSITIVE_INFINITY) return 'nothing yet';
  if (last === prompt) return 'prompt';
  // Log messages came behind it.
  if (quietMs >= quiet.long && isNothing(last) && lines.includes(prompt)) return 'prompt';
  // The device may be a slow one, and this the beginning of the prompt.
  if (quietMs >= quiet.silence && !isNothing(last) && !prompt.startsWith(last)) return 'more';
  return 'nothing yet';
}
