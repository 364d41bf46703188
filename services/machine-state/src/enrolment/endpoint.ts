/** The port for Raspberry Pis. TLS with pinned keys on both sides: neither needs a certificate authority or the right time. */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { enrolmentApi, keyHeader, mostLockdownBytes } from '@skolo/api';
import { sha256 } from '@skolo/base';
import {
  ConfiguredPort,
  expressApp,
  HttpProblem,
  type RouteHandlers,
  type ServiceContext,
} from '@skolo/common';
import { bindRoutes, Closers, newServer, type Stage, serve } from '@skolo/common/light';
import type { Enrolment } from './enrolment.ts';
import type { Lockdown } from './lockdown.ts';
import { ownKey } from './own-key.ts';

interface EnrolmentPortDeps {
  context: ServiceContext;
  enrolment: Enrolment;
  lockdown: Lockdown;
  retryMs: number;
}

interface Opened {
  port: number;
  pin: string;
  closers: Closers;
}

/** Maximum body size in bytes, for a key without a machine. */
const mostOfStrangers = 4096;
const drainMs = 1000;

/** Listens on the port in rack.yaml, or nowhere if there is none. */
export function enrolmentPort({
  context,
  enrolment,
  lockdown,
  retryMs,
}: EnrolmentPortDeps): ConfiguredPort<number, Opened> {
  const { log, connections, degraded, rack, stateDir } = context;
  const { listener: handler } = expressApp(
    context,
    bindRoutes(enrolmentApi, handlers({ enrolment, lockdown })),
    { stages: [peerKey(enrolment)] },
  );
  return new ConfiguredPort({
    settings: () => rack.rack.services['machine-state'].enrolment?.port,
    async open(port) {
      const { key, cert, pin } = await ownKey(stateDir);
      // A Pi signs its own certificate: only its key counts.
      const ofPis = {
        requestCert: true,
        rejectUnauthorized: false,
        minVersion: 'TLSv1.2',
      } as const;
      const server = newServer({ handler, connections, tls: { key, cert, ...ofPis } });
      const closers = new Closers();
      await serve(server, { port, log, closers, flag: 'enrolment.port in rack.yaml' });
      log.info({ port, pin }, 'enrolment listens');
      return { port, pin, closers };
    },
    close: ({ closers }) => closers.closeAll(drainMs, log),
    degraded: (why) => degraded.set('enrolment', why),
    retryMs,
  });
}

/** Identifies callers by their key, whose digest replaces any that they send. Strangers may send little. */
function peerKey(enrolment: Enrolment): Stage {
  return (request, { locals: { exchange } }, next) => {
    const digest = keyDigest(request);
    delete request.headers[keyHeader];
    if (digest !== undefined) request.headers[keyHeader] = digest;
    if (enrolment.machineOf(digest ?? '') === undefined) {
      exchange.mostBodyBytes = mostOfStrangers;
    }
    next();
  };
}

function handlers({
  enrolment,
  lockdown,
}: Pick<EnrolmentPortDeps, 'enrolment' | 'lockdown'>): RouteHandlers<typeof enrolmentApi> {
  const machineOf = (key: string) => {
    const name = enrolment.machineOf(key);
    if (name !== undefined) return name;
    throw new HttpProblem(
      403,
      'this key does not belong to a machine: it never received a name, it was revoked, or another SD card has its name',
    );
  };
  return {
    async enrol({ headers, body, from }) {
      const answer = await enrolment.ask(headers[keyHeader], body, from);
      if ('wait' in answer) {
        return { status: 202, body: `${answer.wait}: ${answer.why}\n` };
      }
      const { name, address, token } = answer;
      const lines = [
        `name=${name}`,
        ...(address === undefined ? [] : [`address=${address}`]),
        `token=${token.reveal()}`,
      ];
      return { status: 200, body: lines.map((line) => `${line}\n`).join('') };
    },
    async lockdown({ headers }) {
      const archive = await lockdown.read(machineOf(headers[keyHeader]));
      if (archive === undefined)
        throw new HttpProblem(404, 'this machine has not stored an archive');
      return { status: 200, body: archive };
    },
    async storeLockdown({ headers, body }) {
      const archive = Buffer.from(body.archive, 'base64');
      if (archive.length > mostLockdownBytes) {
        throw new HttpProblem(413, `the archive is larger than ${mostLockdownBytes} bytes`);
      }
      await lockdown.write(machineOf(headers[keyHeader]), archive);
      return { status: 204 };
    },
  };
}

function keyDigest({ socket }: IncomingMessage): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const key = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' });
  return key && sha256(key);
}
