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
  let shown = here();
  scrollBackTo(positions.get(shown.entry) ?? 0);
  const follow = () => {
    const before = shown;
    shown = here(before);
    if (shown.entry === before.entry) return;
    stop();
    positions.set(before.entry, scrollY);
    const left = positions.get(shown.entry);
    if (left !== undefined) scrollBackTo(left);
    else if (shown.path !== before.path) scrollTo(0, 0);
  };
  addEventListener('popstate', follow);
  addEventListener('hashchange', follow);
  addEventListener('pagehide', () => {
    positions.set(shown.entry, scrollY);
    const lines = [...positions].map(([each, y]) => `${each} ${y}`);
    sessionStorage.setItem(kept, lines.slice(-100).join('\n'));
  });
}

/** Numbers a new entry. A link to the page itself replaces the entry without its number, and is only a popstate. */
function here(before?: { entry: string; href: string }) {
  const { href, hash } = location;
  const known = history.state ?? (href === before?.href ? before.entry : undefined);
  const entry = String(known ?? performance.timeOrigin + performance.now());
  history.replaceState(entry, '');
  return { entry, href, path: pathOf(parseHash(hash)) };
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
