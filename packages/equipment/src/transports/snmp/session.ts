/** A net-snmp session for a device and its login. */
import { getCiphers } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Credentials, SnmpCredentials } from '@skolo/base/secrets';
import {
  AuthProtocols,
  createSession,
  createV3Session,
  PrivProtocols,
  SecurityLevel,
  type Session,
  type User,
  Version1,
  Version2c,
} from 'net-snmp';
import { addressOf, type Endpoint } from '../endpoint.ts';
import { DeviceRejected, SignInRejected } from '../errors.ts';
import { type DialDatagrams, RelayedSocket } from './datagrams.ts';
import { type Guard, GuardedSocket, NoSnmp } from './socket.ts';

export interface OpenSnmp {
  version: 1 | 2 | 3;
  session: Session;
  /** Rejects when the session breaks; never resolves. */
  broken: Promise<never>;
  /** Another sender that has responded. */
  stranger(): string | undefined;
  close(): void;
}

const usualPort = 161;

/**
 * @param datagrams default: a socket of this computer
 * @throws SignInRejected, DeviceRejected: its login or its address is incomplete.
 */
export function openSnmp(
  endpoint: Endpoint,
  { snmp }: Credentials,
  datagrams?: DialDatagrams,
): OpenSnmp {
  const { name, ports } = endpoint;
  const address = addressOf(endpoint);
  if (snmp === undefined)
    throw new SignInRejected(name, 'rack.yaml does not set `snmp` in its login');
  const user = snmp.version === 3 ? userOf(name, snmp) : undefined;
  if (user === undefined && snmp.community === undefined) {
    throw new SignInRejected(name, '`snmp` in its login does not set `community`');
  }
  let fail = (_error: Error): void => undefined;
  const broken = new Promise<never>((_, reject) => {
    fail = reject;
  });
  broken.catch(() => undefined);
  const guard: Guard = {
    version: { 1: 0, 2: 1, 3: 3 }[snmp.version],
    leastSecurity: securityOf(user),
    broken: (error) => fail(error),
  };
  const transport: 'udp4' | 'udp6' = isIPv6(address) ? 'udp6' : 'udp4';
  const options = {
    transport,
    port: ports.snmp ?? usualPort,
    // See `inOrder`.
    reportOidMismatchErrors: false,
    // Some agents return no more than these of a request's ID (sharpsnmplib issue 474).
    idBitsSize: 16,
    dgramModule: {
      createSocket: (type: typeof transport) => {
        if (datagrams !== undefined) return new GuardedSocket(new RelayedSocket(datagrams), guard);
        const open = () => createSocket({ type, reuseAddr: true });
        return new GuardedSocket(open(), guard, open().unref());
      },
    },
  };
  const session = user
    ? createV3Session(address, user, options)
    : createSession(address, snmp.community?.reveal(), {
        ...options,
        version: snmp.version === 1 ? Version1 : Version2c,
      });
  // It is SNMP, but not as the library reads it, for example with a number of no bytes (snmp_exporter issue 541).
  session.on('error', () => fail(new NoSnmp('the response cannot be decoded')));
  const close = () => void session.close();
  return { version: snmp.version, session, broken, stranger: () => guard.stranger, close };
}

/** With the highest security level for which its login has keys. @throws SignInRejected, DeviceRejected */
function userOf(device: string, login: SnmpCredentials): User {
  const { user: name, authProtocol, authKey, privProtocol, privKey } = login;
  if (name === undefined)
    throw new SignInRejected(device, '`snmp` in its login does not set `user`');
  if (authKey === undefined) {
    if (privKey === undefined) return { name, level: SecurityLevel.noAuthNoPriv };
    throw new SignInRejected(device, '`snmp` in its login sets `privKey` without `authKey`');
  }
  const signing = { name, authProtocol: AuthProtocols[authProtocol], authKey: authKey.reveal() };
  if (privKey === undefined) return { ...signing, level: SecurityLevel.authNoPriv };
  if (privProtocol === 'des' && !getCiphers().includes('des-cbc')) {
    const hint = 'use AES for the user on the equipment and in its login';
    throw new DeviceRejected(device, `OpenSSL on this computer no longer supports DES; ${hint}`);
  }
  return {
    ...signing,
    level: SecurityLevel.authPriv,
    privProtocol: PrivProtocols[privProtocol],
    privKey: privKey.reveal(),
  };
}

function securityOf(user: User | undefined): Guard['leastSecurity'] {
  if (user === undefined || user.level === SecurityLevel.noAuthNoPriv) return 0;
  return user.level === SecurityLevel.authPriv ? 3 : 1;
}
