/** Who may call the hooks: programs on this machine, and no browser. */
import type { IncomingMessage } from 'node:http';

/** `Host` as a program on this machine writes it. A page that had its name resolved to loopback sends its own name. */
const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;
const loopbackAddress = /^(?:::ffff:)?127\.|^::1$/;
/** Only browsers send these; the last ones also where a page only loads an image. */
const ofBrowsers = ['origin', 'referer', 'sec-fetch-site', 'sec-fetch-mode'];

/** Undefined: it may. */
export function whyRefused({ headers, socket }: IncomingMessage): string | undefined {
  if (!loopbackAddress.test(socket.remoteAddress ?? '')) {
    return 'the hooks are for the bot on this machine only';
  }
  if (!loopbackHost.test(headers.host ?? '')) {
    return 'the Host header has to be a loopback address: use http://127.0.0.1';
  }
  const header = ofBrowsers.find((name) => headers[name] !== undefined);
  if (header !== undefined) return `the hooks are not for browsers (header ${header})`;
  return undefined;
}
