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
export type SignedIn = <T>(
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
  return async (work, signal) => {
    if (!needsSession) {
      try {
        return await work(byBasic, signal);
      } catch (error) {
        if (!(error instanceof BasicNotOffered)) throw error;
      }
    }
    // Until it has created one: Basic may have been switched on again.
    needsSession = false;
    const inSession = async (session: RedfishSession, either: AbortSignal) => {
      const isNew = await session.begin(device, deps, bare, either);
      needsSession = true;
      try {
        return await work(session.send, either);
      } catch (error) {
        if (isNew || !(error instanceof SignInRejected)) throw error;
      }
      // It has expired, or the device was restarted.
      await session.close();
      await session.begin(device, deps, bare, either);
      return await work(session.send, either);
    };
    const { sessions } = deps;
    return await sessions.use(device.name, async () => new RedfishSession(), inSession, signal);
  };
}

interface Granted {
  token: Secret;
  /** Of the session, to delete it. */
  path: string;
}

/** For a session that should be created, and for its deletion. */
const closeMs = 5000;

class RedfishSession implements PoolSession {
  send: Send = () => Promise.reject(new Error('the session has not begun'));
  private granted: Promise<Granted> | undefined;
  private owner: DriverDeps | undefined;
  private bare: Send | undefined;
  private stop = new AbortController();

  isOpen(): boolean {
    return this.granted !== undefined;
  }

  /** Whether it is a new one; false if the same driver has begun it before. */
  async begin(device: Device, deps: DriverDeps, bare: Send, signal: AbortSignal): Promise<boolean> {
    if (this.granted !== undefined && this.owner === deps) return false;
    await this.close();
    this.owner = deps;
    this.bare = bare;
    this.stop = new AbortController();
    // Not aborted by `signal`: without the answer, nobody could delete what the device has created.
    const granted = create(device, deps, bare, this.stop.signal);
    this.granted = granted;
    granted.catch(() => {
      if (this.granted === granted) this.granted = undefined;
    });
    const { token } = await orAborted(granted, signal);
    this.send = (request, each) => bare({ ...request, session: token }, each);
    return true;
  }

  async close(): Promise<void> {
    const { granted, bare, stop } = this;
    this.granted = undefined;
    const timer = setTimeout(() => stop.abort(), closeMs);
    try {
      const session = await granted;
      if (session === undefined) return;
      const { token, path } = session;
      await bare?.({ method: 'DELETE', path, session: token }, stop.signal);
    } catch {
      // There is none, or the device ends it after its own timeout.
    } finally {
      clearTimeout(timer);
    }
  }
}

const sessionsPath = '/redfish/v1/SessionService/Sessions';
const Headers = z.object({ 'x-auth-token': z.string().min(1), location: z.string().optional() });
const Session = z.object({ '@odata.id': z.string() });

/** @throws DeviceError */
async function create(
  { name }: Device,
  deps: DriverDeps,
  bare: Send,
  signal: AbortSignal,
): Promise<Granted> {
  return await withAnyOf(await deps.credentials(), async ({ username, password }) => {
    const json = { UserName: username ?? '', Password: password?.reveal() ?? '' };
    const request = { method: 'POST', path: sessionsPath, json } as const;
    const { headers, body } = await bare(request, signal).catch((error: unknown) => {
      if (!(error instanceof DeviceRejected)) throw error;
      const why = error.message.slice(`${name}: `.length);
      if (/limit|exceed|already exists/i.test(why)) throw new DeviceBusy(name, why);
      const what = 'does not accept Basic authentication, and does not create a session';
      throw new SignInRejected(name, `${what}: ${why}`);
    });
    const given = Headers.safeParse(headers).data;
    const at = given?.location ?? Session.safeParse(parseJson(body)).data?.['@odata.id'] ?? '';
    const path = Path.safeParse(URL.parse(at, 'http://device/')?.pathname).data;
    if (given !== undefined && path !== undefined && at !== '')
      return { token: new Secret(given['x-auth-token']), path };
    throw new DeviceRejected(name, 'created a session without reporting its token and address');
  });
}
