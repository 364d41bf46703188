import { join } from 'node:path';
import { run, tempDir } from '@skolo/base/testing';
import { peer } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { bots, cloudPlatform, jumphost, startRack, type TestRack } from './testing/rack.ts';

/** Nothing of this computer's own accounts, and no other metadata server than ours. */
async function environment(rack: TestRack): Promise<NodeJS.ProcessEnv> {
  const home = await tempDir();
  const host = `127.0.0.1:${rack.port}`;
  return {
    PATH: process.env.PATH,
    HOME: home,
    CLOUDSDK_CONFIG: join(home, 'gcloud'),
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1',
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: '1',
    CLOUDSDK_SURVEY_DISABLE_PROMPTS: '1',
    GCE_METADATA_HOST: host,
    GCE_METADATA_IP: host,
    GCE_METADATA_ROOT: host,
  };
}

async function output(rack: TestRack, command: string, args: string[]): Promise<string> {
  const { stdout } = await run(command, args, { env: await environment(rack) });
  return stdout;
}

/** Runs a module beside this one and takes what it prints as JSON. */
async function script(rack: TestRack, source: string): Promise<unknown> {
  const args = ['--input-type=module', '--eval', source];
  const options = { env: await environment(rack), cwd: import.meta.dirname };
  return JSON.parse((await run(process.execPath, args, options)).stdout);
}

// In one process, as google-auth-library uses gcp-metadata.
it('npm gcp-metadata finds itself on Google’s cloud and reads keys of every kind, and google-auth-library gets credentials, an ID token and the project', async () => {
  const rack = await startRack();
  const { metadata, auth } = z
    .object({
      metadata: z.unknown(),
      auth: z.looseObject({ token: z.string(), idToken: z.string() }),
    })
    .parse(
      await script(
        rack,
        `import * as metadata from 'gcp-metadata';
         import { GoogleAuth } from 'google-auth-library';
         const auth = new GoogleAuth({ scopes: ['${cloudPlatform}'] });
         const client = await auth.getClient();
         const { client_email: email } = await auth.getCredentials();
         const idTokens = await auth.getIdTokenClient('https://service.example');
         console.log(JSON.stringify({
           metadata: {
             available: await metadata.isAvailable(),
             project: await metadata.project('project-id'),
             id: String(await metadata.instance('id')),
             tags: await metadata.instance('tags'),
             email: await metadata.instance('service-accounts/default/email'),
             everything: (await metadata.instance({ params: { recursive: true } })).name,
             missing: await metadata.instance('attributes/none').catch((error) => error.status),
             token: await metadata.instance('service-accounts/default/token'),
           },
           auth: {
             kind: client.constructor.name,
             token: (await client.getAccessToken()).token,
             project: await auth.getProjectId(),
             universe: await client.universeDomain,
             email,
             idToken: (await idTokens.getRequestHeaders()).get('authorization').slice(7),
           },
         }));`,
      ),
    );
  expect(metadata).toMatchObject({
    available: true,
    project: 'other-project',
    id: (await rack.get('instance/id', { from: '127.0.0.1' })).body,
    tags: [],
    email: jumphost,
    everything: 'jumphost-rack1',
    missing: 404,
    token: { token_type: 'Bearer', expires_in: expect.any(Number) },
  });
  expect(auth).toMatchObject({
    kind: 'Compute',
    project: 'other-project',
    universe: 'googleapis.com',
    email: jumphost,
  });
  expect(rack.google.isValid(auth.token, cloudPlatform)).toBe(true);
  expect(rack.google.isValid(auth.idToken)).toBe(true);
});

describe('Python google-auth', () => {
  it('detects the server, and gets credentials', async (context) => {
    const python = peer('python3-google-auth');
    if (!python) return context.skip('python3-google-auth is not installed');
    const rack = await startRack();
    const program = `
import json, google.auth
from google.auth.transport.requests import Request
from google.auth.compute_engine import _metadata
from google.oauth2 import id_token
credentials, project = google.auth.default(scopes=["${cloudPlatform}"])
credentials.refresh(Request())
print(json.dumps({
  "ping": _metadata.ping(Request()),
  "kind": type(credentials).__name__,
  "project": project,
  "email": credentials.service_account_email,
  "token": credentials.token,
  # Debian's version has no ID tokens from a metadata server yet.
  "idToken": id_token.fetch_id_token(Request(), "https://service.example") if hasattr(id_token, "fetch_id_token") else None,
}))`;
    const found = JSON.parse(await output(rack, python, ['-c', program]));
    expect(found).toMatchObject({
      ping: true,
      kind: 'Credentials',
      project: 'other-project',
      email: jumphost,
    });
    expect(rack.google.isValid(found.token, cloudPlatform)).toBe(true);
    if (found.idToken !== null) expect(rack.google.isValid(found.idToken)).toBe(true);
  });
});

it('curl as in the configuration file of the Swarming bot, from the address of a machine', async (context) => {
  const curl = peer('curl');
  if (!curl) return context.skip('curl is not installed');
  const rack = await startRack();
  const url = `http://127.0.0.1:${rack.port}/computeMetadata/v1/instance/service-accounts/default/token`;
  const args = [
    '--silent',
    '--fail',
    '--max-time',
    '20',
    '--header',
    'Metadata-Flavor: Google',
    url,
  ];
  const found = JSON.parse(await output(rack, curl, ['--interface', '127.0.1.1', ...args]));
  expect(rack.google.issued.find(({ token }) => token === found.access_token)?.account).toBe(bots);
  const unknown = output(rack, curl, ['--interface', '127.0.7.7', ...args]);
  await expect(unknown).rejects.toMatchObject({ code: 22 });
});

it('gcloud finds the account and prints its token', async (context) => {
  const gcloud = peer('gcloud');
  if (!gcloud) return context.skip('gcloud is not installed');
  const rack = await startRack();
  const accounts = await output(rack, gcloud, ['auth', 'list', '--format=value(account)']);
  expect(accounts.trim()).toBe(jumphost);
  const token = (await output(rack, gcloud, ['auth', 'print-access-token'])).trim();
  expect(rack.google.isValid(token)).toBe(true);
});
