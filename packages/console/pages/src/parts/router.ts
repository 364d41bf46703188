/** Every view and filter has its own link: `#/machine/NAME?days=7`. */
import { useLayoutEffect, useState } from 'preact/hooks';

export interface Route {
  view: string;
  args: string[];
  query: URLSearchParams;
}

export function parseHash(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [view = '', ...args] = path.split('/').map(decoded);
  return { view: view || 'rack', args, query: new URLSearchParams(search) };
}

export function hrefOf(
  view: string,
  args: readonly string[] = [],
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value) search.set(key, value);
  const path = [view, ...args].map(encodeURIComponent).join('/');
  return `#/${path}${search.size > 0 ? `?${search}` : ''}`;
}

/** @param replaces without a new history entry, for example for each letter of a filter */
export function go(href: string, replaces = false): void {
  if (!replaces) {
    location.hash = href;
    return;
  }
  history.replaceState(history.state, '', href);
  dispatchEvent(new HashChangeEvent('hashchange'));
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseHash(location.hash));
  // Before `skolo console`'s sign-in link is removed from the address.
  useLayoutEffect(() => {
    const listener = () => setRoute(parseHash(location.hash));
    addEventListener('hashchange', listener);
    return () => removeEventListener('hashchange', listener);
  }, []);
  return route;
}

/** The page without its query, which filters what the page shows. */
export function pathOf({ view, args }: Route): string {
  return [view, ...args].join('/');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
