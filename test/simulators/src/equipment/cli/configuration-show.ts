/** How a device shows its configuration if it or the line has a fault. */
import { cutShort, withLogInside, withLogLines } from './configuration-faults.ts';
import type { Session } from './core.ts';

/** The parts of a terminal that are required. */
interface Way {
  session: Session;
  isInteractive: boolean;
  put(text: string): void;
  /** Through the pager. */
  page(text: string): Promise<void>;
  pause(milliseconds: number): Promise<void>;
  drop(): never;
  hang(): Promise<never>;
}

export async function showConfiguration(text: string, way: Way): Promise<void> {
  const { faults, core } = way.session;
  const time = core.countShow();
  if (faults.has('empty-answer')) return;
  if (faults.has('error-text')) return await way.page(core.words.error);
  const isDropped = faults.has('drops-mid-configuration');
  if (isDropped || faults.has('silent-mid-configuration')) {
    way.put(text.slice(0, text.length / 2));
    if (isDropped) way.drop();
    await way.hang();
  }
  let shown = faults.has('cut-short') ? cutShort(text, time) : text;
  if (faults.has('log-lines-between') && way.isInteractive) {
    shown = withLogLines(shown, core.words.logLine, time);
  }
  if (faults.has('log-inside-line') && way.isInteractive) {
    shown = withLogInside(shown, core.words.logLine, time);
  }
  if (faults.has('trickles')) await trickle(shown, way);
  else if (faults.has('prompt-in-configuration')) await pauseBehindPrompt(shown, way);
  else await way.page(shown);
}

/** Characters at each end that arrive one by one. Those between them arrive together: one by one, they would test nothing else. */
const trickling = 200;

async function trickle(text: string, { session, put, pause }: Way): Promise<void> {
  const middle = text.slice(trickling, -trickling);
  for (const part of [
    ...text.slice(0, trickling),
    middle,
    ...text.slice(trickling).slice(-trickling),
  ]) {
    put(part);
    await pause(session.core.secondMs);
  }
}

async function pauseBehindPrompt(text: string, { session, page, pause }: Way): Promise<void> {
  const { faults, core } = session;
  const at = text.indexOf(core.prompt);
  const end = at === -1 ? 0 : at + core.prompt.length;
  await page(text.slice(0, end));
  await pause(faults.slowMs);
  await page(text.slice(end));
}
