/** The server under test: the real process, with a simulated token endpoint behind it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServiceProcess, startService } from '@skolo/bench';
import { readRack } from '@skolo/rack';
import {
  type GoogleOAuth,
  makeServiceAccountKey,
  type Relay,
  startGoogleOAuth,
} from '@skolo/simulators';
import { savedTokensFolder } from '../tokens/saved-tokens.ts';

const email = 'bots@my-project.iam.gserviceaccount.com';

/** A rack of 200 bots; the load comes from one address, so the limit per address is set high, but still counted. */
export const rackYaml = `
rack: bench
timezone: UTC
network: { subnet: 127.0.0.0/8, domain: lan }
jumphost: { name: jumphost, address: 127.0.0.1, aliases: [metadata], identity: bots }
identities:
  bots:
    project: my-project
    email: ${email}
    scopes: [https://www.googleapis.com/auth/userinfo.email]
    credentials: { serviceAccountKey: bots.json }
machines:
  bench-[001-200]: { kind: rpi, address: 127.0.1.[1-200], identity: bots }
services:
  metadata-server: { rateLimit: { perSecond: 1000000, burst: 1000000 } }
`;

export interface BenchRack {
  google: GoogleOAuth;
  relay: Relay;
  rackFile: string;
  /** Starts the server in its own process. `nodeFlags`: for node itself. */
  start(nodeFlags?: string[]): Promise<ServiceProcess>;
  remove(): Promise<void>;
}

export async function benchRack(): Promise<BenchRack> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-bench-'));
  const google = await startGoogleOAuth();
  const relay = await google.behindRelay();
  const key = makeServiceAccountKey({ email, tokenUri: google.tokenUrl });
  google.addServiceAccountKey(key);
  const rackFile = join(dir, 'rack.yaml');
  await mkdir(join(dir, 'state'));
  await writeFile(join(dir, 'bots.json'), JSON.stringify(key), { mode: 0o600 });
  await writeFile(rackFile, rackYaml);
  return {
    google,
    relay,
    rackFile,
    start: (nodeFlags = []) =>
      startService('metadata-server', { rackFile, stateDir: join(dir, 'state'), nodeFlags }),
    async remove() {
      await google.close();
      const savedTokens = savedTokensFolder(await readRack(rackFile), join(dir, 'state'));
      await rm(savedTokens, { recursive: true, force: true });
      await rm(dir, { recursive: true, force: true });
    },
  };
}
