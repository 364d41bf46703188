/** The port for Raspberry Pis. TLS with pinned keys on both sides: neither needs a certificate authority or the right time. */
import type { IncomingMessage, RequestListener } from 'node:http';
import { TLSSocket } from 'node:tls';
import { enrolmentApi, keyHeader, mostLockdownBytes } from '@skolo/api';
import { errorText, sha256 } from '@skolo/base';
import { expressApp, HttpProblem, type RouteHandlers, type ServiceContext } from '@skolo/common';
import { bindRoutes, Closers, exchangeOf, newServer, type Stage, serve } from '@skolo/common/light';
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
const name = 'enrolment';

/** Listens on the port in rack.yaml, or nowhere if there is none. */
export class EnrolmentPort {
  private readonly deps: EnrolmentPortDeps;
  private opened: Opened | undefined;
  private failure: string | undefined;
  private following: Promise<void> = Promise.resolve();
  private retry: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(deps: EnrolmentPortDeps) {
    this.deps = deps;
  }

  /** What a card must know. @throws HttpProblem 503 */
  place(): { port: number; pin: string } {
    if (this.opened === undefined) {
      const why = this.failure ?? 'rack.yaml does not set services.machine-state.enrolment';
      throw new HttpProblem(503, `enrolment is off: ${why}`);
    }
    const { port, pin } = this.opened;
    return { port, pin };
  }

  /** rack.yaml may have a different port. */
  follow(): Promise<void> {
    this.following = this.following.then(() => this.followNow());
    return this.following;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.retry);
    await this.following;
    await this.closeNow();
  }

  private async followNow(): Promise<void> {
    const { context, retryMs } = this.deps;
    const { log, degraded } = context;
    const port = context.rack.rack.services['machine-state'].enrolment?.port;
    clearTimeout(this.retry);
    if (this.isClosed || port === this.opened?.port) return;
    await this.closeNow();
    try {
      if (port !== undefined) this.opened = await this.open(port);
      this.failure = undefined;
      degraded.clear(name);
    } catch (error) {
      log.debug({ err: error }, 'enrolment is not listening');
      this.failure = errorText(error);
      degraded.raise(name, this.failure);
      this.retry = setTimeout(() => void this.follow(), retryMs).unref();
    }
  }

  private async open(port: number): Promise<Opened> {
    const { context, enrolment } = this.deps;
    const { log, connections } = context;
    const { key, cert, pin } = await ownKey(context.stateDir);
    const littleFromStrangers: Stage = (request, _response, next) => {
      const machine = enrolment.machineOf(request.headers[keyHeader]?.toString() ?? '');
      if (machine === undefined) exchangeOf(request).mostBodyBytes = mostOfStrangers;
      next();
    };
    const routes = bindRoutes(enrolmentApi, handlers(this.deps));
    const { listener } = expressApp(context, routes, { stages: [littleFromStrangers] });
    const server = newServer({
      handler: withKey(listener),
      connections,
      tls: {
        key,
        cert,
        minVersion: 'TLSv1.2' as const,
        // A Pi signs its own certificate: only its key counts.
        requestCert: true,
        rejectUnauthorized: false,
      },
    });
    const closers = new Closers();
    await serve(server, { port, log, closers, flag: 'enrolment.port in rack.yaml' });
    log.info({ port, pin }, 'enrolment listens');
    return { port, pin, closers };
  }

  private async closeNow(): Promise<void> {
    await this.opened?.closers.closeAll(drainMs, this.deps.context.log);
    this.opened = undefined;
  }
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

/** Sets the header with the digest of the caller's key, or removes it. */
function withKey(listener: RequestListener): RequestListener {
  return function withKeyOf(request, response) {
    const digest = keyDigest(request);
    delete request.headers[keyHeader];
    if (digest !== undefined) request.headers[keyHeader] = digest;
    listener(request, response);
  };
}

function keyDigest({ socket }: IncomingMessage): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const key = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' });
  return key && sha256(key);
}
