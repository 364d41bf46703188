/** A metadata server for a test: a rack on loopback addresses, and Google's token side behind it. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type SendOptions, tempDir } from '@skolo/base/testing';
import { type Clock, startService } from '@skolo/common';
import { usableRack } from '@skolo/rack';
import { defaultTokenFolder } from '@skolo/rack/light';
import { type GoogleOAuth, makeServiceAccountKey, startGoogleOAuth } from '@skolo/simulators';
import { onTestFinished } from 'vitest';
import { createMetadataServer, type MetadataServerDeps } from '../service.ts';
import { savedTokensFolder } from '../tokens/saved-tokens.ts';
import { ask, type Reply } from './http.ts';

export const userinfo = 'https://www.googleapis.com/auth/userinfo.email';
export const cloudPlatform = 'https://www.googleapis.com/auth/cloud-platform';
export const bots = 'bots@my-project.iam.gserviceaccount.com';
export const jumphost = 'jumphost@my-project.iam.gserviceaccount.com';

/** The two identities that tests use: a bot, and the jumphost itself. */
export const bot1 = '127.0.1.1';
export const self = '127.0.0.1';

/** Machines at 127.0.1.1 to 127.0.1.9 as bots; 127.0.4.0/24 as jumphost; everybody else is unknown. */
export const rackYaml = `
rack: rack1
timezone: Europe/Berlin
network: { subnet: 127.0.0.0/8, domain: lan }
jumphost: { name: jumphost-rack1, address: 127.0.0.1, aliases: [metadata], identity: jumphost }
identities:
  bots:
    project: my-project
    projectNumber: "123456789012"
    email: ${bots}
    scopes: [${userinfo}, ${cloudPlatform}]
    credentials: { serviceAccountKey: secrets/bots.json }
    projectAttributes: { owner: lab, b-key: "2", a_key: "1" }
  jumphost:
    project: other-project
    credentials: { serviceAccountKey: secrets/jumphost.json }
machines:
  rack1-shelf1-[001-009]:
    kind: rpi
    shelf: shelf1
    address: 127.0.1.[1-9]
    identity: bots
    device: { kind: android, power: usb/1-1.2 }
    metadata:
      zone: us-skolo-1
      machineType: rpi4
      tags: [bot, rack1]
      attributes: { pool: phones, Empty: "" }
services:
  metadata-server:
    callers: [{ cidr: 127.0.4.0/24, identity: jumphost }]
    trustedProxies: [127.0.9.0/24]
`;

export interface TestRack {
  port: number;
  metricsPort: number;
  google: GoogleOAuth;
  dir: string;
  stateDir: string;
  rackFile: string;
  /** A token endpoint's request path below /computeMetadata/v1. */
  get(path: string, options?: SendOptions): Promise<Reply>;
  /** The same for a whole path. */
  raw(path: string, options?: SendOptions): Promise<Reply>;
  token(options?: SendOptions & { query?: string }): Promise<Reply>;
  metrics(): Promise<string>;
  /** Replaces rack.yaml, as an editor does. */
  edit(yaml: string): Promise<void>;
  /** Stops the server, but not the simulators behind it. */
  stop(): Promise<void>;
}

/** Runs a cleanup at the end of the test, or of the suite if one rack serves all of its tests. */
type AtEnd = (cleanUp: () => Promise<void>) => void;

interface TestRackOptions extends MetadataServerDeps {
  atEnd?: AtEnd;
  yaml?: string;
  google?: GoogleOAuth;
  /** The directory of a stopped rack, from which it continues. */
  dir?: string;
  clock?: Clock;
  host?: string;
}

export async function startRack(options: TestRackOptions = {}): Promise<TestRack> {
  const { atEnd = onTestFinished } = options;
  const google = options.google ?? (await startTestGoogle(atEnd, options.clock));
  const dir = options.dir ?? (await newRackFolder(google, options.yaml ?? rackYaml, atEnd));
  const rackFile = join(dir, 'rack.yaml');
  const stateDir = join(dir, 'state');
  // A test waits as long as it takes on a busy computer, unless it is about an upstream that never answers.
  const { clock, findMac, tickMs, patienceMs = 600_000, upstreamMs = 600_000 } = options;
  const deps = {
    ...(findMac && { findMac }),
    ...(tickMs !== undefined && { tickMs }),
    patienceMs,
    upstreamMs,
  };
  const service = await startService(createMetadataServer(deps), {
    rackFile,
    stateDir,
    port: 0,
    metricsPort: 0,
    host: options.host ?? '0.0.0.0',
    logLevel: 'silent',
    ...(clock && { clock }),
  });
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= service.stop());
  atEnd(async () => {
    await stop();
    const left = usableRack(await readFile(rackFile, 'utf8'), { file: rackFile });
    for (const folder of [savedTokensFolder(left, stateDir), defaultTokenFolder(stateDir)])
      await rm(folder, { recursive: true, force: true });
  });
  const raw = (path: string, asking?: SendOptions) => ask(service.port, path, asking);
  const get = (path: string, asking?: SendOptions) => raw(`/computeMetadata/v1/${path}`, asking);
  return {
    port: service.port,
    metricsPort: service.metricsPort,
    google,
    dir,
    stateDir,
    rackFile,
    raw,
    get,
    token: ({ query = '', ...asking } = {}) =>
      get(`instance/service-accounts/default/token${query}`, asking),
    metrics: async () => (await ask(service.metricsPort, '/metrics', { from: self })).body,
    async edit(yaml) {
      await writeFile(`${rackFile}.new`, yaml);
      await rename(`${rackFile}.new`, rackFile);
    },
    stop,
  };
}

/** Knows the keys of both identities. `clock`: its clock. */
export async function startTestGoogle(
  atEnd: AtEnd = onTestFinished,
  clock?: Clock,
): Promise<GoogleOAuth> {
  const google = await startGoogleOAuth(clock && { clock });
  atEnd(() => google.close());
  for (const email of [bots, jumphost]) {
    google.addServiceAccountKey(makeServiceAccountKey({ email, tokenUri: google.tokenUrl }));
  }
  return google;
}

/** A directory with rack.yaml and the key files, removed when the test ends. */
export async function newRackFolder(
  google: GoogleOAuth,
  yaml: string,
  atEnd: AtEnd = onTestFinished,
): Promise<string> {
  const dir = await tempDir(atEnd);
  await mkdir(join(dir, 'secrets'));
  await writeFile(join(dir, 'rack.yaml'), yaml);
  for (const [name, email] of [
    ['bots', bots],
    ['jumphost', jumphost],
  ] as const) {
    const key = makeServiceAccountKey({ email, tokenUri: google.tokenUrl });
    await writeFile(join(dir, 'secrets', `${name}.json`), JSON.stringify(key), { mode: 0o600 });
  }
  return dir;
}
