/** Reads a service's TLS certificate and key, again after a change, and decides which pair is used. */
import { X509Certificate } from 'node:crypto';
import type { Server } from 'node:http';
import { createSecureContext, type SecureContextOptions, Server as TlsServer } from 'node:tls';
import { errorText, NamedError, type Repetition, repeat } from '@skolo/base';
import { readSecret } from '@skolo/base/secrets';
import type { RackWatch, ServiceName } from '@skolo/rack';
import { Gauge, type Registry } from 'prom-client';
import type { DegradedList } from '../health/degraded.ts';

/** Certificate and key as PEM, or their paths relative to rack.yaml, as in `services.<name>.tls`. */
interface TlsPair {
  cert: string;
  key: string;
}

/** Unusable certificate or key. The message never quotes them. */
export class TlsError extends NamedError {}

/** Reads both and checks that they match. @throws TlsError */
export async function readTlsFiles(rack: { dir: string }, paths: TlsPair): Promise<TlsPair> {
  const cert = await readPem(rack, paths.cert);
  const key = await readPem(rack, paths.key);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const what = `tls.cert ${paths.cert} and tls.key ${paths.key}`;
    throw new TlsError(`${what} are not a usable pair: ${errorText(error)}`);
  }
  return { cert, key };
}

async function readPem(rack: { dir: string }, path: string): Promise<string> {
  try {
    return (await readSecret(rack, path)).reveal();
  } catch (error) {
    throw new TlsError(errorText(error), { cause: error });
  }
}

const checkEveryMs = 2_000;

interface TlsOptions {
  rack: Pick<RackWatch, 'rack'>;
  name: ServiceName;
  metrics: Registry;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  everyMs?: number;
}

/**
 * The certificate of a service, read again after a change of its files or paths. With an unusable pair, such as a new
 * certificate without its key, it is degraded, and the previous one stays active.
 */
export class Tls {
  /** Undefined: plain http. */
  files: TlsPair | undefined;
  private readonly options: TlsOptions;
  private server: Server | undefined;
  private readonly closing = new AbortController();
  private renewal: Repetition | undefined;

  constructor(options: TlsOptions) {
    this.options = options;
  }

  /** @throws TlsError */
  async start(): Promise<void> {
    const paths = this.paths();
    if (paths) {
      this.files = await readTlsFiles(this.options.rack.rack, paths);
      this.addMetric();
    }
    const { everyMs = checkEveryMs } = this.options;
    this.renewal = repeat(everyMs, () => this.renewOrReport(), this.closing.signal, 'later');
  }

  /** Sets the server that receives a new certificate. */
  use(server: Server): void {
    this.server = server;
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.renewal?.ended;
  }

  private paths(): TlsPair | undefined {
    const { rack, name } = this.options;
    return rack.rack.services[name].tls;
  }

  private async renewOrReport() {
    const { degraded } = this.options;
    const paths = this.paths();
    if ((paths === undefined) !== (this.files === undefined)) {
      const next = paths ? 'enables https' : 'disables https';
      degraded.raise('tls', `rack.yaml ${next}; restart the service`);
      return;
    }
    if (paths === undefined) return degraded.clear('tls');
    try {
      await this.renew(paths);
      degraded.clear('tls');
    } catch (error) {
      degraded.raise('tls', `${errorText(error)}; the previous certificate stays in effect`);
    }
  }

  private async renew(paths: TlsPair) {
    const files = await readTlsFiles(this.options.rack.rack, paths);
    if (files.cert === this.files?.cert && files.key === this.files.key) return;
    if (this.server instanceof TlsServer) this.server.setSecureContext(secureContext(files));
    this.files = files;
  }

  private addMetric() {
    const certificate = () => new X509Certificate(this.files?.cert ?? '');
    new Gauge({
      name: 'skolo_tls_certificate_expiry_timestamp_seconds',
      help: 'Time at which the active certificate expires.',
      registers: [this.options.metrics],
      collect() {
        this.set(Date.parse(certificate().validTo) / 1000);
      },
    });
  }
}

export function secureContext(files: TlsPair): SecureContextOptions {
  return { ...files, minVersion: 'TLSv1.2' };
}
