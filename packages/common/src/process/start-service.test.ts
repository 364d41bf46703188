import { once } from 'node:events';
import { copyFile, rename, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { join, relative, resolve } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { route } from '@skolo/api';
import { tempDir } from '@skolo/base/testing';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { ListenError } from '../connections/listen.ts';
import { TlsError } from '../connections/tls.ts';
import { bindRoutes, type RouteHandlers } from '../http/routes.ts';
import { createApp } from '../http/service-app.ts';
import type { Service, ServiceContext, ServiceDefinition } from '../service.ts';
import { memoryLog } from '../testing/memory-log.ts';
import { rackYaml } from '../testing/test-rack.ts';
import { watchLoop } from './loop-lag.ts';
import { type StartOptions, startService } from './start-service.ts';
import { ownVersion } from './version.ts';

const api = {
  hello: route({
    method: 'get',
    path: '/v1/hello',
    summary: 'Greets',
    role: 'view',
    answers: { 200: z.object({ hello: z.string() }) },
  }),
};

interface Given {
  yaml?: string;
  definition?: Partial<Omit<ServiceDefinition, 'start'>> & {
    /** What is other than in {@link greeter}. */
    start?: (context: ServiceContext) => Promise<Partial<Service>>;
  };
  options?: Partial<StartOptions>;
}

/** Its API is on the public port, and on the metrics port as well. */
function greeter(context: ServiceContext, events: string[]): Service {
  const handlers: RouteHandlers<typeof api> = {
    hello: () => ({ status: 200, body: { hello: context.rack.rack.name } }),
  };
  return {
    handler: createApp(context, { api, handlers }),
    admin: bindRoutes(api, handlers),
    readiness: () => ({ ready: true, degraded: [] }),
    stop: async () => void events.push('stopped'),
  };
}

async function start({ yaml, definition, options }: Given = {}) {
  const dir = await tempDir();
  const rackFile = join(dir, 'rack.yaml');
  await writeFile(rackFile, yaml ?? rackYaml('access: { anonymousRead: [127.0.0.0/8] }\n'));
  const memory = memoryLog();
  const events: string[] = [];
  let context: ServiceContext | undefined;
  const running = await startService(
    {
      name: 'router-backup',
      api,
      ...definition,
      async start(given) {
        context = given;
        given.signal.addEventListener('abort', () => events.push('aborted'));
        return { ...greeter(given, events), ...(await definition?.start?.(given)) };
      },
    },
    {
      rackFile,
      port: 0,
      metricsPort: 0,
      host: '127.0.0.1',
      stateDir: join(dir, 'state'),
      log: memory.log,
      ...options,
    },
  );
  onTestFinished(() => running.stop());
  if (context === undefined) throw new Error('not started');
  return { ...running, dir, rackFile, memory, events, context };
}

async function getJson(port: number, path: string) {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: answer.status, body: JSON.parse(await answer.text()) };
}

async function metricsOf(port: number): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
}

describe('startService', () => {
  it('runs several services in one process, each with its own metrics', async () => {
    const [first, second] = [await start(), await start()];

    await getJson(first.port, '/v1/hello');

    const count = /^http_request_duration_seconds_count\{.*route="\/v1\/hello".*$/m;
    expect(await metricsOf(first.metricsPort)).toMatch(count);
    expect(await metricsOf(second.metricsPort)).not.toMatch(count);
  });

  it('is not overloaded because its own start took long', async () => {
    const block = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1200);
    async function startSlowly() {
      block();
      return {};
    }

    const { context } = await start({
      definition: { start: startSlowly },
      options: { loopLag: watchLoop() },
    });

    expect(context.isOverloaded?.()).toBe(false);
    block();
    expect(context.isOverloaded?.()).toBe(true);
  });

  it('gives the service an absolute state directory, wherever it was started', async () => {
    const stateDir = relative(process.cwd(), join(await tempDir(), 'state'));

    const { context } = await start({ options: { stateDir } });

    expect(context.stateDir).toBe(resolve(stateDir));
    expect(context.stateDir).not.toBe(stateDir);
  });

  it('serves probes, metrics, openapi.json and the service’s own routes on the metrics port', async () => {
    const { metricsPort } = await start();

    expect(await getJson(metricsPort, '/healthz')).toEqual({ status: 200, body: { ok: true } });
    expect(await getJson(metricsPort, '/readyz')).toEqual({
      status: 200,
      body: { ready: true, degraded: [] },
    });
    expect((await getJson(metricsPort, '/v1/hello')).body).toEqual({ hello: 'rack4' });
    expect((await getJson(metricsPort, '/openapi.json')).body.info).toEqual({
      title: 'router-backup',
      version: ownVersion,
    });
    expect(await metricsOf(metricsPort)).toContain(
      `skolo_build_info{service="router-backup",version="${ownVersion}"`,
    );
  });

  it.each(['/v1/hello', '/nowhere', '/healthz'])(
    'does not say what it is made with: %s',
    async (path) => {
      const { metricsPort } = await start();

      const { headers } = await fetch(`http://127.0.0.1:${metricsPort}${path}`);

      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('etag')).toBeNull();
    },
  );

  it('has no metrics on the public port', async () => {
    const { port } = await start();

    expect((await getJson(port, '/metrics')).status).toBe(404);
    expect((await getJson(port, '/readyz')).status).toBe(404);
  });

  it('shows what is degraded, in readyz, metrics and log', async () => {
    const { metricsPort, context, memory } = await start();

    context.degraded.raise('uplink', 'no answer');

    const { status, body } = await getJson(metricsPort, '/readyz');
    expect([status, body]).toEqual([
      200,
      { ready: true, degraded: [{ what: 'uplink', why: 'no answer', since: expect.any(String) }] },
    ]);
    expect(await metricsOf(metricsPort)).toContain('skolo_degraded{what="uplink"} 1');
    expect(memory.messages()).toEqual(expect.arrayContaining(['listening', 'degraded']));
  });

  it('shows in readyz what does not work yet, which is not degraded', async () => {
    const since = new Date('2026-11-20T12:00:00Z');
    const passing = [{ what: 'uplink', why: 'it starts', since }];
    const { metricsPort } = await start({
      definition: {
        start: async () => ({ readiness: () => ({ ready: true, degraded: [], passing }) }),
      },
    });

    expect(await getJson(metricsPort, '/readyz')).toEqual({
      status: 200,
      body: { ready: true, degraded: [], passing: [{ ...passing[0], since: since.toISOString() }] },
    });
    expect(await metricsOf(metricsPort)).not.toContain('skolo_degraded{');
  });

  it('answers 503 to readyz when the service must reject everyone', async () => {
    const { metricsPort } = await start({
      definition: {
        start: async () => ({ readiness: () => ({ ready: false, degraded: [] }) }),
      },
    });

    expect(await getJson(metricsPort, '/readyz')).toEqual({
      status: 503,
      body: { ready: false, degraded: [] },
    });
  });

  it('answers probes while the service starts', async () => {
    const metricsPort = await freeTcpPort();
    const seen: number[] = [];

    await start({
      definition: {
        async start() {
          for (const path of ['/healthz', '/readyz']) {
            seen.push((await getJson(metricsPort, path)).status);
          }
          return {};
        },
      },
      options: { metricsPort },
    });

    expect(seen).toEqual([200, 503]);
  });

  it('lets requests on both ports wait for the end of the start', async () => {
    const [port, metricsPort] = [await freeTcpPort(), await freeTcpPort()];
    const asked: Promise<{ status: number }>[] = [];

    await start({
      definition: {
        async start() {
          asked.push(getJson(port, '/v1/hello'), getJson(metricsPort, '/v1/hello'));
          return {};
        },
      },
      options: { port, metricsPort },
    });

    expect(await Promise.all(asked)).toMatchObject([{ status: 200 }, { status: 200 }]);
  });

  it('ends requests that wait when the start fails', async () => {
    const port = await freeTcpPort();
    let asked: Promise<unknown> | undefined;

    const starting = start({
      definition: {
        async start() {
          asked = expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
          await new Promise((resolve) => setTimeout(resolve, 100));
          throw new Error('no way');
        },
      },
      options: { port },
    });

    await expect(starting).rejects.toThrow('no way');
    await asked;
  });

  it('throws when a port is taken, after stopping what had started', async () => {
    const first = await start();
    const log = memoryLog();

    const second = start({ options: { port: first.port, log: log.log } });

    await expect(second).rejects.toThrow(ListenError);
    expect(log.messages()).not.toContain('listening');
  });

  it('can be told to end while it starts', async () => {
    const aborted = new AbortController();
    const starting = start({
      definition: {
        async start({ signal }) {
          aborted.abort();
          signal.throwIfAborted();
          throw new Error('not told');
        },
      },
      options: { signal: aborted.signal },
    });

    await expect(starting).rejects.toThrow('aborted');
  });

  it('stops once: first long waits, then the ports, then the service', async () => {
    const { port, metricsPort, stop, events } = await start();

    await Promise.all([stop(), stop()]);

    expect(events).toEqual(['aborted', 'stopped']);
    await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow();
    await expect(fetch(`http://127.0.0.1:${metricsPort}`)).rejects.toThrow();
  });

  it('takes a new rack.yaml, rejects a broken one, and says so in its metrics', async () => {
    const { port, metricsPort, rackFile, context } = await start();
    async function edit(yaml: string) {
      await writeFile(`${rackFile}.new`, yaml);
      await rename(`${rackFile}.new`, rackFile);
    }
    const changed = new Promise<void>((resolve) => {
      context.rack.onChange(() => resolve());
    });

    await edit(rackYaml('access: { anonymousRead: [127.0.0.0/8] }\n').replace('rack4', 'rack5'));
    await changed;
    expect((await getJson(port, '/v1/hello')).body).toEqual({ hello: 'rack5' });

    await edit('rack: [');
    await untilMetric(metricsPort, 'skolo_rack_reload_success 0');
    expect((await getJson(port, '/v1/hello')).body).toEqual({ hello: 'rack5' });
    expect(context.rack.degraded).toHaveLength(1);
  });
});

async function untilMetric(port: number, line: string) {
  await expect.poll(async () => (await metricsOf(port)).split('\n')).toContain(line);
}

it('who hangs up is counted as 499', async () => {
  const { port, metricsPort } = await start({
    definition: {
      start: async (context) => ({
        handler(request, response) {
          const handlers = { hello: () => new Promise<never>(() => undefined) };
          createApp(context, { api, handlers })(request, response);
          request.socket.destroy();
        },
      }),
    },
  });

  await expect(fetch(`http://127.0.0.1:${port}/v1/hello`)).rejects.toThrow();

  const line = 'http_request_duration_seconds_count{method="GET",route="/v1/hello",code="499"} 1';
  await untilMetric(metricsPort, line);
});

describe('tls', () => {
  const withTls =
    'access: { anonymousRead: [127.0.0.0/8] }\nservices: { router-backup: { tls: { cert: tls.crt, key: tls.key } } }\n';
  const files = new URL('../testing/tls/', import.meta.url);

  async function startTls(given: Given = {}) {
    const dir = await tempDir();
    async function use(name: 'first' | 'second', kinds: ('crt' | 'key')[] = ['crt', 'key']) {
      for (const kind of kinds) {
        await copyFile(new URL(`${name}.${kind}`, files), join(dir, `tls.${kind}.new`));
        await rename(join(dir, `tls.${kind}.new`), join(dir, `tls.${kind}`));
      }
    }
    await use('first');
    const rackFile = join(dir, 'rack.yaml');
    await writeFile(rackFile, rackYaml(withTls));
    const running = await start({ ...given, options: { rackFile } });
    return { ...running, dir, use };
  }

  /** The name on the certificate, and the answer. */
  async function getTls(port: number, path: string) {
    const asked = httpsRequest({
      port,
      path,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      agent: false,
    });
    const [answer] = await once(asked.end(), 'response');
    const { subject } = (answer.socket as TLSSocket).getPeerCertificate();
    const chunks = await answer.toArray();
    return { name: subject.CN, status: answer.statusCode, body: JSON.parse(chunks.join('')) };
  }

  it('is on the public port', async () => {
    const { port, metricsPort } = await startTls();

    expect(await getTls(port, '/v1/hello')).toEqual({
      name: 'first',
      status: 200,
      body: { hello: 'rack4' },
    });
    expect(await metricsOf(metricsPort)).toMatch(
      /^skolo_tls_certificate_expiry_timestamp_seconds 49\d{8}$/m,
    );
  });

  it('survives who speaks plain http', async () => {
    const { port } = await startTls();

    await expect(fetch(`http://127.0.0.1:${port}/v1/hello`)).rejects.toThrow();

    expect((await getTls(port, '/v1/hello')).status).toBe(200);
  });

  it('is on the metrics port where the API is there', async () => {
    const { port, metricsPort } = await startTls({ definition: { apiPort: 'metrics' } });

    expect((await getTls(metricsPort, '/v1/hello')).name).toBe('first');
    expect((await getJson(port, '/v1/hello')).status).toBe(200);
  });

  it('takes a renewed certificate without a restart, and waits for its key', async () => {
    const { port, metricsPort, use } = await startTls();

    await use('second', ['crt']);
    await untilMetric(metricsPort, 'skolo_degraded{what="tls"} 1');
    expect((await getTls(port, '/v1/hello')).name).toBe('first');
    await use('second', ['key']);

    await untilNot(async () => (await getTls(port, '/v1/hello')).name === 'first');
    expect((await getTls(port, '/v1/hello')).name).toBe('second');
  });

  it('is never left out: what cannot be used ends the start', async () => {
    const dir = await tempDir();
    const rackFile = join(dir, 'rack.yaml');
    await writeFile(rackFile, rackYaml(withTls));

    const starting = start({ options: { rackFile } });

    await expect(starting).rejects.toThrow(TlsError);
    await expect(starting).rejects.toThrow(`${dir}/tls.crt: no such file`);
  });
});

async function untilNot(holds: () => Promise<boolean>) {
  await expect.poll(holds).toBe(false);
}
