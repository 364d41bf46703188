import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServiceContext, startService } from '@skolo/common';
import type { ServiceName } from '@skolo/rack';
import type { TestTokens } from './tokens.ts';

export interface TestService {
  url: string;
  close(): Promise<void>;
}

/** A service over a real socket, with the conventions of every service, in a rack where everybody may look. */
export async function startTestService(
  name: ServiceName,
  tokens: Pick<TestTokens, 'file'>,
  handler: (context: ServiceContext) => RequestListener,
  rack = 'rack4',
): Promise<TestService> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-cli-service-'));
  const rackFile = join(dir, 'rack.yaml');
  await writeFile(
    rackFile,
    [
      `rack: ${rack}`,
      'jumphost: { name: jumphost, address: 127.0.0.1 }',
      `access: { tokens: { file: "${tokens.file}" }, anonymousRead: [127.0.0.0/8] }`,
    ].join('\n'),
  );
  const service = await startService(
    {
      name,
      start: async (context) => ({
        handler: handler(context),
        readiness: () => ({ ready: true, degraded: [] }),
        stop: async () => {},
      }),
    },
    { rackFile, stateDir: dir, host: '127.0.0.1', port: 0, metricsPort: 0, logLevel: 'silent' },
  );
  return {
    url: `http://127.0.0.1:${service.port}`,
    async close() {
      await service.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
