import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { format, inspect, promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkSecretFile, readSecret, Secret, SecretError } from './secret.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'skolo-secrets-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

describe('Secret', () => {
  const secret = new Secret('hunter2');

  it.each([
    ['a template', `${secret}`],
    ['concatenation', `the ${String(secret)}`],
    ['JSON', JSON.stringify({ secret })],
    ['inspect', inspect({ deep: { in: [secret] } }, { showHidden: true, depth: null })],
    ['inspect without our help', inspect(secret, { customInspect: false, showHidden: true })],
    ['format', format('%s %o %j', secret, secret, secret)],
    ['a copy of its fields', JSON.stringify({ ...secret })],
    ['its keys', Object.getOwnPropertyNames(secret).join()],
    ['an error that holds it', inspect(new Error('failed', { cause: secret }))],
  ])('does not show its value in %s', (_, text) => {
    expect(text).not.toContain('hunter2');
  });

  it('prints as <secret>, and gives the value to whoever asks for it', () => {
    expect(`${secret}`).toBe('<secret>');
    expect(JSON.stringify(secret)).toBe('"<secret>"');
    expect(inspect(secret)).toBe('<secret>');
    expect(secret.reveal()).toBe('hunter2');
  });
});

describe('readSecret', () => {
  it.each([
    ['a newline', 'hunter2\n', 'hunter2'],
    ['a newline of Windows', 'hunter2\r\n', 'hunter2'],
    ['one of two newlines', 'hunter2\n\n', 'hunter2\n'],
    ['no spaces', ' hunter2 ', ' hunter2 '],
    ['a byte order mark', '\uFEFFhunter2', 'hunter2'],
  ])('takes %s away', async (_, content, expected) => {
    await writeFile(join(dir, 'password'), content);

    expect((await readSecret({ dir }, { file: 'password' })).reveal()).toBe(expected);
  });

  it('reads a file relative to the folder of rack.yaml, an absolute path, and a bare path', async () => {
    await mkdir(join(dir, 'secrets'));
    await writeFile(join(dir, 'secrets', 'switch'), 'hunter2');

    for (const ref of [
      { file: 'secrets/switch' },
      { file: join(dir, 'secrets/switch') },
      'secrets/switch',
    ]) {
      expect((await readSecret({ dir }, ref)).reveal()).toBe('hunter2');
    }
  });

  it('reads an environment variable', async () => {
    const secret = await readSecret({ dir }, { env: 'ENABLE' }, { ENABLE: 'hunter2\n' });

    expect(secret.reveal()).toBe('hunter2');
  });

  it('takes 64 KiB and no more', async () => {
    const file = join(dir, 'big');
    await writeFile(file, 'x'.repeat(65_536));
    expect((await readSecret({ dir }, { file })).reveal()).toHaveLength(65_536);

    await truncate(file, 65_537);
    await expect(readSecret({ dir }, { file })).rejects.toMatchObject({
      code: 'SECRET_TOO_LARGE',
      message: `${file}: larger than 64 KiB; check that this is the right file`,
    });
  });

  it('says which file is missing and what to do', async () => {
    const what = join(dir, 'secrets/switch');
    const failed = readSecret({ dir }, { file: 'secrets/switch' });

    await expect(failed).rejects.toBeInstanceOf(SecretError);
    await expect(failed).rejects.toMatchObject({
      code: 'SECRET_MISSING',
      what,
      hint: 'create the file, or fix its path in rack.yaml',
      message: `${what}: no such file; create the file, or fix its path in rack.yaml`,
    });
  });

  it.each(['hunter2', 'hun.ter/2', '../hunter2/1'])(
    'hides a path that may be the secret itself: %s',
    async (file) => {
      const failed: unknown = await readSecret({ dir }, { file }).catch((error: unknown) => {
        return error instanceof Error ? { ...error, message: error.message } : error;
      });

      expect(inspect(failed, { depth: null, showHidden: true })).not.toMatch(/hunter2|hun\.ter/);
      expect(failed).toMatchObject({
        code: 'SECRET_MISSING',
        message: expect.stringMatching(
          /^the path in rack\.yaml: no such file; .*replace the secret$/,
        ),
      });
    },
  );

  it.each(['secrets/x', '/nowhere/x', './x', 'tls/x'])(
    'names %s, which is clearly a path',
    async (file) => {
      await mkdir(join(dir, 'tls'));

      const failed = { what: resolve(dir, file) };
      await expect(readSecret({ dir }, { file })).rejects.toMatchObject(failed);
    },
  );

  it('says which variable is not set', async () => {
    await expect(readSecret({ dir }, { env: 'ENABLE' }, {})).rejects.toMatchObject({
      code: 'SECRET_MISSING',
      message: "environment variable ENABLE: not set; set it in the service's environment",
    });
  });

  it.each(['', '\n', ' \t\n'])('rejects an empty secret (%j)', async (content) => {
    await writeFile(join(dir, 'empty'), content);

    const empty = { code: 'SECRET_EMPTY' };
    await expect(readSecret({ dir }, { file: 'empty' })).rejects.toMatchObject(empty);
    await expect(readSecret({ dir }, { env: 'E' }, { E: content })).rejects.toMatchObject(empty);
  });

  it('rejects a folder, and a pipe without waiting for its writer', async () => {
    await promisify(execFile)('mkfifo', [join(dir, 'pipe')]);

    await expect(readSecret({ dir }, { file: '.' })).rejects.toMatchObject({
      code: 'SECRET_NOT_A_FILE',
      message: `${dir}: a directory; specify the path of a file`,
    });
    await expect(readSecret({ dir }, { file: 'pipe' })).rejects.toMatchObject({
      code: 'SECRET_NOT_A_FILE',
    });
  });

  it('rejects what is not text, without showing it', async () => {
    await writeFile(join(dir, 'binary'), Buffer.from('6875ff6e746572', 'hex'));

    await expect(readSecret({ dir }, { file: 'binary' })).rejects.toMatchObject({
      code: 'SECRET_NOT_TEXT',
      message: `${join(dir, 'binary')}: not UTF-8 text; write it as plain text`,
    });
  });

  it('says when it may not read the file', async () => {
    await writeFile(join(dir, 'locked'), 'hunter2', { mode: 0 });

    await asNobody(async () => {
      await expect(readSecret({ dir }, { file: 'locked' })).rejects.toMatchObject({
        code: 'SECRET_UNREADABLE',
        hint: "make it readable by the service's user",
      });
    });
  });
});

describe('checkSecretFile', () => {
  it.each([
    { mode: 0o600, warnings: [] },
    { mode: 0o400, warnings: [] },
    { mode: 0o640, warnings: [] },
    { mode: 0o660, warnings: [/: writable by its group \(mode 0660\); run chmod g-w,o= \//] },
    { mode: 0o644, warnings: [/: accessible to every user on this computer \(mode 0644\)/] },
    { mode: 0o602, warnings: [/: accessible to every user on this computer \(mode 0602\)/] },
  ])('of a file with mode $mode warns $warnings.length times', async ({ mode, warnings }) => {
    await writeFile(join(dir, 'key'), 'hunter2');
    await chmod(join(dir, 'key'), mode);

    const found = await checkSecretFile({ dir }, { file: 'key' });

    expect(found).toEqual(warnings.map((warning) => expect.stringMatching(warning)));
  });

  it('reads the secret: what is missing is an error', async () => {
    expect(await checkSecretFile({ dir }, { env: 'E' }, { E: 'hunter2' })).toEqual([]);
    await expect(checkSecretFile({ dir }, 'nowhere')).rejects.toBeInstanceOf(SecretError);
  });
});

/** Root may read everything, so what is about permissions runs as nobody. */
async function asNobody(work: () => Promise<void>) {
  const uid = process.geteuid?.();
  if (uid === 0) process.seteuid?.(65534);
  try {
    await work();
  } finally {
    if (uid === 0) process.seteuid?.(0);
  }
}
