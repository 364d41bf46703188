/** Who may call the hooks: programs on this machine, and no browser. */
import type { IncomingMessage } from 'node:http';
import { browserProblem } from '@skolo/common/light';

/** `Host` as a program on this machine writes it. A page that had its name resolved to loopback sends its own name. */
const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;
const loopbackAddress = /^(?:::ffff:)?127\.|^::1$/;

/** Undefined: it may. */
export function whyRefused(request: IncomingMessage): string | undefined {
  const { headers, socket } = request;
  if (!loopbackAddress.test(socket.remoteAddress ?? '')) {
    return 'the hooks are for the bot on this machine only';
  }
  if (!loopbackHost.test(headers.host ?? '')) {
    return 'the Host header has to be a loopback address: use http://127.0.0.1';
  }
  return browserProblem(request);
}
