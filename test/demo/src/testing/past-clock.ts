/** Imported before a program (`node --import`): its clock is SKOLO_CLOCK_BEHIND_MS behind the computer's. */
import { subscribe } from 'node:diagnostics_channel';
import { ServerResponse } from 'node:http';

const behind = Number(process.env.SKOLO_CLOCK_BEHIND_MS);
const real = Date.now;
const now = () => real() - behind;

globalThis.Date = new Proxy(Date, {
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length > 0 ? given : [now()], newTarget),
});

// Node has its own copy of Date for this header, by which agents check their clock.
subscribe('http.server.request.start', (message) => {
  if (typeof message !== 'object' || message === null || !('response' in message)) return;
  const { response } = message;
  if (response instanceof ServerResponse) response.setHeader('date', new Date().toUTCString());
});
