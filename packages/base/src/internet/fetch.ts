import { fetchOver } from './fetch-over.ts';
import { reasonOf } from './network-error.ts';
import { ProxyError, throughProxy } from './proxy.ts';
import { openWay } from './way.ts';

const mostRedirects = 20;

/**
 * `fetch` for servers on the internet, with a limit of redirects: through the proxy of {@link proxyFor}, whose choice each redirect may
 * change.
 */
export const internetFetch: typeof fetch = async (input, init) => {
  let asked = new Request(input, init);
  for (let hop = 0; hop <= mostRedirects; hop += 1) {
    const response = await once(asked);
    const to = response.headers.get('location');
    const isRedirect = to !== null && [301, 302, 303, 307, 308].includes(response.status);
    if (!isRedirect || asked.redirect === 'manual') return response;
    await response.body?.cancel();
    const isRead = asked.method === 'GET' || asked.method === 'HEAD';
    if (asked.redirect === 'error' || !isRead) throw new TypeError('unexpected redirect');
    asked = redirected(asked, to);
  }
  throw new TypeError('too many redirects');
};

/** One hop. The message of its error is the reason, not only `fetch failed`. */
async function once(asked: Request): Promise<Response> {
  const { signal, url } = asked;
  try {
    const way = await openWay(new URL(url), { signal });
    if (way === undefined) return await fetch(asked, { redirect: 'manual' });
    const headers = { ...Object.fromEntries(asked.headers), ...way.headers };
    return await fetchOver(async () => ({ ...way, headers }))(asked);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const cause = error instanceof TypeError && error.cause !== undefined ? error.cause : error;
    const proxy = throughProxy(url, cause);
    const message = reasonOf(cause) + proxy;
    throw new TypeError(message, { cause: proxy === '' ? cause : new ProxyError(message) });
  }
}

/** Credentials are only for the server that the caller named. */
function redirected(asked: Request, to: string): Request {
  if (!URL.canParse(to, asked.url)) throw new TypeError('invalid redirect');
  const url = new URL(to, asked.url);
  const headers = new Headers(asked.headers);
  if (url.origin !== new URL(asked.url).origin) {
    for (const name of ['authorization', 'cookie']) headers.delete(name);
  }
  return new Request(url, { method: asked.method, headers, signal: asked.signal });
}
