/** The real metadata server on loopback, as a process that the command starts, with a scripted Google behind it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@skolo/base/testing';
import { makeServiceAccountKey, peer, startGoogleOAuth } from '@skolo/simulators';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { runCommand } from './testing/run-command.ts';

const skolo = fileURLToPath(new URL('../bin/skolo.js', import.meta.url));
const email = 'ci@my-project.iam.gserviceaccount.com';

const google = await startGoogleOAuth();
afterAll(() => google.close());
const key = makeServiceAccountKey({ email, tokenUri: google.tokenUrl });
google.addServiceAccountKey(key);
const dir = await tempDir(afterAll);
await writeFile(join(dir, 'key.json'), JSON.stringify(key), { mode: 0o600 });

/** Starts `skolo emulate metadata`. Its private directory is in `memory`. */
async function start(...args: string[]) {
  const memory = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'emulate-'));
  onTestFinished(() => rm(memory, { recursive: true, force: true }));
  const child = spawn(process.execPath, [skolo, 'emulate', 'metadata', ...args], {
    cwd: dir,
    env: {
      ...process.env,
      HOME: dir,
      XDG_RUNTIME_DIR: memory,
      GOOGLE_APPLICATION_CREDENTIALS: join(dir, 'key.json'),
    },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const printed = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.err += text));
  const ended = once(child, 'close').then(([code]: unknown[]) => code);
  return { child, memory, printed, ended };
}

const tokenOf = `curl -s -H 'Metadata-Flavor: Google' http://$GCE_METADATA_HOST/computeMetadata/v1/instance/service-accounts/default/token`;

describe('with a command', () => {
  it('serves tokens until the command ends, and returns its exit code', async ({ skip }) => {
    if (!peer('curl')) skip('curl is not installed');
    const script = `${tokenOf}; exit 7`;

    const { ended, printed, memory } = await start('--key', 'key.json', '--', 'sh', '-c', script);

    expect({ code: await ended, err: printed.err }).toEqual({ code: 7, err: '' });
    const token: unknown = JSON.parse(printed.out).access_token;
    expect(google.issued.find((each) => each.token === token)?.account).toBe(email);
    expect(await readdir(memory)).toEqual([]);
  });

  it('gives credentials to Python google-auth, which finds no key file', async ({ skip }) => {
    const python = peer('python3-google-auth');
    if (!python) return skip('python3-google-auth is not installed');
    const program = `
import google.auth, google.auth.transport.requests
credentials, project = google.auth.default()
credentials.refresh(google.auth.transport.requests.Request())
print(type(credentials).__module__, project, credentials.service_account_email, credentials.token)`;

    const { ended, printed } = await start('--key', 'key.json', '--', python, '-c', program);

    expect(await ended).toBe(0);
    const [kind, project, account, token = ''] = printed.out.trim().split(' ');
    expect([kind, project, account]).toEqual([
      'google.auth.compute_engine.credentials',
      'my-project',
      email,
    ]);
    expect(google.isValid(token)).toBe(true);
  });

  it.skipIf(!existsSync('/proc/self/cmdline') && 'no /proc here')(
    'keeps the key in its file',
    async () => {
      const script = `for each in $PPID $(cat /proc/$PPID/task/*/children); do cat /proc/$each/cmdline; done; cat "$XDG_RUNTIME_DIR"/skolo-*/rack.yaml; env`;

      const { ended, printed } = await start('--key', 'key.json', '--', 'sh', '-c', script);

      expect(await ended).toBe(0);
      expect(printed.out).toContain(`"serviceAccountKey":"${join(dir, 'key.json')}"`);
      expect(printed.out).toContain('services/metadata-server/src/main.ts');
      expect(printed.out).not.toContain('GOOGLE_APPLICATION_CREDENTIALS=');
      expect(printed.out).not.toContain('PRIVATE KEY');
    },
  );
});

it('without a command prints the variables, serves only loopback, and leaves nothing after SIGTERM', async () => {
  const { child, ended, printed, memory } = await start('--key', 'key.json', '--port', '0');
  while (!/GCE_METADATA_ROOT=.*\n/.test(printed.out)) await once(child.stdout, 'data');
  const [, host] = /^export GCE_METADATA_HOST=(127\.0\.0\.1:\d+)$/m.exec(printed.out) ?? [];
  const url = `http://${host}/computeMetadata/v1/project/project-id`;
  const response = await fetch(url, { headers: { 'Metadata-Flavor': 'Google' } });
  expect(await response.text()).toBe('my-project');
  // A server that listens on all addresses would respond.
  const elsewhere = url.replace('127.0.0.1', '127.0.0.2');
  await expect(fetch(elsewhere)).rejects.toThrow('fetch failed');

  child.kill('SIGTERM');

  expect(await ended).toBe(0);
  expect(await readdir(memory)).toEqual([]);
  await expect(fetch(url)).rejects.toThrow('fetch failed');
});

describe('a key file with errors', () => {
  const file = () => join(dir, 'wrong.json');
  const emulate = async (content: object) => {
    await writeFile(file(), JSON.stringify(content));
    return await runCommand(['emulate', 'metadata', '--key', file()]);
  };

  it('is rejected without quoting it', async () => {
    const type = 'service_account';
    const found = await emulate({ type, client_email: email, private_key: 'hunter2' });

    expect(found).toEqual({
      out: '',
      err: `skolo: ${file()}: private_key is not an RSA key in PEM form; specify a key file with --key\n`,
      exitCode: 78,
    });
  });

  it('of another kind is rejected with the kinds that Google writes', async () => {
    const found = await emulate({ type: 'something' });

    expect(found).toEqual({
      out: '',
      err: `skolo: ${file()}: not a Google credentials file of type service_account, authorized_user, external_account; specify a key file with --key\n`,
      exitCode: 78,
    });
  });

  it('may contain a project that is not valid', async () => {
    const project_id = 'My Project';
    const { type, private_key } = makeServiceAccountKey({ email, tokenUri: google.tokenUrl });
    const found = await emulate({ type, client_email: email, private_key, project_id });

    expect(found).toEqual({
      out: '',
      err: `skolo: ${file()}, or --project: "My Project" is not a project ID such as my-project\n`,
      exitCode: 2,
    });
  });

  it('may lack the project and address, which options specify', async () => {
    const user = { client_id: 'id', client_secret: 'secret', refresh_token: 'token' };
    const found = await emulate({ type: 'authorized_user', ...user, quota_project_id: 'mine' });

    expect(found).toEqual({
      out: '',
      err: `skolo: ${file()} does not contain the account's email; specify it with --email\n`,
      exitCode: 2,
    });
  });
});
