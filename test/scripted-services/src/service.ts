/** A service over a real socket, with the conventions of every service: sign-in, schemas, problems, audit. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, type ServiceContext, startService } from '@skolo/common';
import type { ServiceName } from '@skolo/rack';
import type { TestTokens } from './tokens.ts';

export interface ScriptedService {
  url: string;
  close(): Promise<void>;
}

/** A request that changes something. */
export interface Call {
  name: string;
  body: unknown;
}

/** Its rack; default: a rack4 with anonymous read access. */
export interface Place {
  rack?: string;
  anonymousRead?: readonly string[];
  /** For its state and audit log; default: a directory that is removed with it. */
  stateDir?: string;
  /** More of rack.yaml. */
  more?: string;
  clock?: Clock;
  port?: number;
}

export async function startScriptedService(
  name: ServiceName,
  tokens: Pick<TestTokens, 'file'>,
  handler: (context: ServiceContext) => RequestListener | Promise<RequestListener>,
  place: Place = {},
): Promise<ScriptedService> {
  const { rack = 'rack4', anonymousRead = ['127.0.0.0/8'], more = '', clock } = place;
  const { stateDir = await mkdtemp(join(tmpdir(), 'skolo-scripted-')) } = place;
  await mkdir(stateDir, { recursive: true });
  const rackFile = join(stateDir, 'rack.yaml');
  const access = `{ tokens: { file: "${tokens.file}" }, anonymousRead: ${JSON.stringify(anonymousRead)} }`;
  await writeFile(
    rackFile,
    `rack: ${rack}\njumphost: { name: jumphost, address: 127.0.0.1 }\naccess: ${access}\n${more}`,
  );
  const service = await startService(
    {
      name,
      start: async (context) => ({
        handler: await handler(context),
        readiness: () => ({ ready: true, degraded: [] }),
        stop: async () => {},
      }),
    },
    {
      rackFile,
      stateDir,
      host: '127.0.0.1',
      port: place.port ?? 0,
      metricsPort: 0,
      logLevel: 'silent',
      ...(clock && { clock }),
    },
  );
  return {
    url: `http://127.0.0.1:${service.port}`,
    async close() {
      await service.stop();
      if (place.stateDir === undefined) await rm(stateDir, { recursive: true, force: true });
    },
  };
}
