/**
 * Was it the prompt? A configuration may hold the text of one, and a device may pause behind it. So an empty line is sent:
 * at its prompt a device answers with the prompt and nothing else; in the middle of something it goes on with that.
 */
import { type Conversation, quiet, type View } from './conversation.ts';
import type { Dialect } from './dialects/dialect.ts';
import { AnswerCut } from './errors.ts';
import { shownLines } from './screen.ts';
import type { Limit } from './settle.ts';
import { enter } from './sign-in.ts';

/** Log messages, and a prompt that is painted twice, are shorter. */
const longestAnswer = 64 * 1024;

export interface ConfirmOptions {
  dialect: Pick<Dialect, 'noise'>;
  /** As it was shown behind the answer. */
  prompt: string;
  /** What was answered, for errors. */
  command: string;
  limit: Limit;
}

/** @throws AnswerCut, DeviceTimeout, DeviceUnreachable */
export async function confirmPrompt(
  conversation: Conversation,
  { dialect, prompt, command, limit }: ConfirmOptions,
): Promise<void> {
  const behind = JSON.stringify(command);
  conversation.mark();
  conversation.write(enter);
  await conversation.until(`prompt for an empty line behind ${behind}`, limit, (view) => {
    const seen = look(view, prompt, dialect);
    if (seen !== 'more') return seen === 'prompt' ? true : undefined;
    const what = `more came after what looked like the prompt behind ${behind}; what was read is not all of it`;
    throw new AnswerCut(conversation.device, `${what}${conversation.lastWords()}`);
  });
}

function look(view: View, prompt: string, dialect: Pick<Dialect, 'noise'>): 'prompt' | 'more' | '' {
  const { length, quietMs } = view;
  if (length > longestAnswer) return 'more';
  const lines = shownLines(view.raw()).map((line) => line.trimEnd());
  const last = lines.pop() ?? '';
  const isNothing = (line: string) => line === prompt || isNoise(line, dialect);
  if (!lines.every(isNothing)) return 'more';
  if (quietMs < quiet.brief) return '';
  if (last === prompt) return 'prompt';
  // Log messages came behind it.
  if (quietMs >= quiet.long && isNothing(last) && lines.includes(prompt)) return 'prompt';
  // The device may be a slow one, and this the beginning of the prompt.
  if (quietMs >= quiet.silence && !isNothing(last) && !prompt.startsWith(last)) return 'more';
  return '';
}

/** What comes by itself, or says nothing. */
export function isNoise(line: string, { noise }: Pick<Dialect, 'noise'>): boolean {
  return line.trim() === '' || noise.some((pattern) => pattern.test(line));
}
