/**
 * Decides where a page is scrolled to when it opens: to the top, or back to where it was. Back, Forward and a reload return to where the
 * page was left, as soon as it is tall enough again.
 */
import { parseHash, pathOf } from '../parts/router.ts';

const kept = 'skolo-scroll';
/** Services respond within this time, or the reader scrolls. */
const waitMs = 5000;

/** Positions by the number of the entry in the tab's history, in pixels. */
const positions = new Map<string, number>();
let stop = (): void => undefined;

export function followScroll(): void {
  history.scrollRestoration = 'manual';
  for (const line of (sessionStorage.getItem(kept) ?? '').split('\n')) {
    const [entry, y] = line.split(' ');
    if (entry) positions.set(entry, Number(y));
  }
  let { entry, path } = here();
  scrollBackTo(positions.get(entry) ?? 0);
  addEventListener('hashchange', () => {
    const before = { entry, path };
    ({ entry, path } = here());
    if (entry === before.entry) return;
    stop();
    positions.set(before.entry, scrollY);
    const left = positions.get(entry);
    if (left !== undefined) scrollBackTo(left);
    else if (path !== before.path) scrollTo(0, 0);
  });
  addEventListener('pagehide', () => {
    positions.set(entry, scrollY);
    const lines = [...positions].map(([each, y]) => `${each} ${y}`);
    sessionStorage.setItem(kept, lines.slice(-100).join('\n'));
  });
}

/** Numbers a new entry. */
function here() {
  const entry = String(history.state ?? `${performance.timeOrigin + performance.now()}`);
  history.replaceState(entry, '');
  return { entry, path: pathOf(parseHash(location.hash)) };
}

function scrollBackTo(y: number): void {
  stop();
  const root = document.documentElement;
  const observer = new ResizeObserver(() => {
    scrollTo(0, y);
    if (root.scrollHeight - innerHeight >= y) stop();
  });
  const stopped = new AbortController();
  const timer = setTimeout(() => stop(), waitMs);
  stop = () => {
    clearTimeout(timer);
    observer.disconnect();
    stopped.abort();
  };
  for (const event of ['wheel', 'touchstart', 'pointerdown', 'keydown']) {
    addEventListener(event, () => stop(), { signal: stopped.signal });
  }
  observer.observe(document.body);
}
