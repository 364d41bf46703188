import { type Fetch, type FetchInit, fetchOver } from './fetch-over.ts';
import { reasonOf } from './network-error.ts';
import { ProxyError, throughProxy } from './proxy.ts';
import { directWay, openWay } from './way.ts';

const mostRedirects = 20;

/**
 * `fetch` for servers on the internet, with a limit of redirects: through the proxy of {@link proxyFor}, whose choice each redirect may
 * change. With `onSent`, the connection is not one of another request, which the server may have closed meanwhile.
 */
export const internetFetch: Fetch = async (to, init = {}) => {
  const isRead = ['GET', 'HEAD'].includes(init.method?.toUpperCase() ?? 'GET');
  let url = new URL(to);
  let { headers } = init;
  for (let hop = 0; hop <= mostRedirects; hop += 1) {
    const response = await once(url, { ...init, ...(headers && { headers }) });
    const location = response.headers.get('location');
    const isRedirect = location !== null && [301, 302, 303, 307, 308].includes(response.status);
    if (!isRedirect || init.redirect === 'manual') return response;
    await response.body?.cancel();
    if (init.redirect === 'error' || !isRead) throw new TypeError('unexpected redirect');
    if (!URL.canParse(location, url.href)) throw new TypeError('invalid redirect');
    const next = new URL(location, url);
    if (next.origin !== url.origin) headers = withoutCredentials(headers);
    url = next;
  }
  throw new TypeError('too many redirects');
};

/** One hop. The message of its error is the reason, not only `fetch failed`. */
async function once(url: URL, init: FetchInit): Promise<Response> {
  const signal = init.signal ?? undefined;
  try {
    const way = (await openWay(url, { signal })) ?? (init.onSent && directWay(url));
    if (way === undefined) return await fetch(url, { ...init, redirect: 'manual' });
    return await fetchOver(async (_, headers) => ({
      ...way,
      headers: { ...Object.fromEntries(headers), ...way.headers },
    }))(url, init);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    const cause = error instanceof TypeError && error.cause !== undefined ? error.cause : error;
    const proxy = throughProxy(url, cause);
    const message = reasonOf(cause) + proxy;
    throw new TypeError(message, { cause: proxy === '' ? cause : new ProxyError(message) });
  }
}

/** They are only for the server that the caller named. */
function withoutCredentials(given: RequestInit['headers']): Headers {
  const headers = new Headers(given);
  for (const name of ['authorization', 'cookie']) headers.delete(name);
  return headers;
}
