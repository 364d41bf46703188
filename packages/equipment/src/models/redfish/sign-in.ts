/**
 * How requests to a Redfish service sign in: by Basic, which all services should accept (DSP0266), or in a session if Basic is switched
 * off. A device has one session, because slots are few (smart-proxy pull 895) and some services allow one per user (DMT Console). It is
 * kept for a moment and then deleted, even if its requests failed or were aborted, or if nobody waits for its token anymore.
 *
 * Source: DSP0266, "Redfish session login authentication".
 */
import { orAborted, parseJson } from '@skolo/base';
import { Secret } from '@skolo/base/secrets';
import {
  BasicNotOffered,
  DeviceBusy,
  DeviceRejected,
  type HttpOptions,
  httpTo,
  type PoolSession,
  SignInRejected,
  withAnyOf,
} from '@skolo/equipment/transports';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';
import type { DriverDeps } from '../contract/outlets.ts';

export type Send = ReturnType<typeof httpTo>;
/** Calls `work` with what sends its requests: again, if the device rejected the way of signing in. */
type SignedIn = <T>(
  work: (send: Send, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
) => Promise<T>;

/** On this device only: a path, never another host. */
export const Path = z.string().regex(/^\/(?!\/)[\w./~%:@+-]*$/);

export function signedInTo(
  device: Device,
  deps: DriverDeps,
  how: Omit<HttpOptions, 'signIn'>,
): SignedIn {
  const byBasic = httpTo(device, deps, { ...how, signIn: 'basic' });
  const bare = httpTo(device, deps, { ...how, signIn: 'by-driver' });
  let needsSession = false;
  // Not aborted: without the answer, nobody could delete what the device has created.
  const open = async (): Promise<RedfishSession> => {
    // Unless it creates one: Basic may have been switched on again.
    needsSession = false;
    const { token: session, path } = await create(device, deps, bare);
    needsSession = true;
    // Until it is rejected: it may have ended, for example because the device was restarted.
    let isOpen = true;
    const close = { method: 'DELETE', path, session, timeoutMs: sessionMs } as const;
    return {
      send: (request, signal) =>
        bare({ ...request, session }, signal).catch((error: unknown) => {
          if (error instanceof SignInRejected) isOpen = false;
          throw error;
        }),
      openedBy: open,
      isOpen: () => isOpen,
      // Otherwise the device ends it after its own timeout.
      close: () => bare(close, never).then(noop, noop),
    };
  };
  return async (work, signal) => {
    if (!needsSession) {
      try {
        return await work(byBasic, signal);
      } catch (error) {
        if (!(error instanceof BasicNotOffered)) throw error;
      }
    }
    let used: RedfishSession | undefined;
    const ask = async () => {
      const inSession = async (session: RedfishSession, either: AbortSignal) => {
        used = session;
        return await work(session.send, either);
      };
      return await orAborted(deps.sessions.use(device.name, open, inSession, signal), signal);
    };
    return await ask().catch((error: unknown) => {
      // Otherwise, the device may have carried out a command.
      if (!(error instanceof SignInRejected) || used?.isOpen() !== false) throw error;
      return ask();
    });
  };
}

interface RedfishSession extends PoolSession {
  send: Send;
}

/** For its creation, and for its deletion. */
const sessionMs = 10_000;
const never = new AbortController().signal;
const noop = () => undefined;
const sessionsPath = '/redfish/v1/SessionService/Sessions';
/** Devices say it with status 400, 403 or 503. */
const allInUse = /^(?=.*session)(?=.*(?:limit|exceed|maximum|too many|already exists))/is;
const Headers = z.object({ 'x-auth-token': z.string().min(1), location: z.string().optional() });
const Session = z.object({ '@odata.id': z.string() });

/** @throws DeviceError */
async function create({ name }: Device, deps: DriverDeps, bare: Send) {
  return await withAnyOf(await deps.credentials(), async ({ username, password }) => {
    const json = { UserName: username ?? '', Password: password?.reveal() ?? '' };
    const request = { method: 'POST', path: sessionsPath, json, timeoutMs: sessionMs } as const;
    const { headers, body } = await bare(request, never).catch((error: unknown) => {
      if (!(error instanceof DeviceRejected || error instanceof SignInRejected)) throw error;
      const why = error.message.slice(`${name}: `.length);
      if (allInUse.test(why)) throw new DeviceBusy(name, why);
      if (error instanceof SignInRejected) throw error;
      const what = 'does not accept Basic authentication, and does not create a session';
      throw new SignInRejected(name, `${what}: ${why}`);
    });
    const given = Headers.safeParse(headers).data;
    const at = given?.location ?? Session.safeParse(parseJson(body)).data?.['@odata.id'];
    const path = Path.safeParse(at && URL.parse(at, `http://device${sessionsPath}`)?.pathname).data;
    if (given && path) return { token: new Secret(given['x-auth-token']), path };
    throw new DeviceRejected(name, 'created a session without reporting its token and address');
  });
}
