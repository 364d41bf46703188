/**
 * Reads secrets from files and variables, and decides which files are too open or too large. Nothing here ever puts a secret's content
 * into an error, and a {@link Secret} prints as `<secret>` wherever it ends up.
 */
import { type BigIntStats, existsSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { inspect } from 'node:util';
import { errorCode, NamedError, redacted } from '@skolo/base';
import { fileStamp, isSettled } from './file-stamp.ts';
import type { SecretRef } from './login.ts';

const maxBytes = 64 * 1024;

/** A value that is not printed, logged or serialised by accident. Say `reveal()` where it is used, and only there. */
export class Secret {
  // Not `private`: that is only TypeScript's word, and spreading or serialising would show the field.
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}

type SecretErrorCode =
  | 'SECRET_MISSING'
  | 'SECRET_UNREADABLE'
  | 'SECRET_EMPTY'
  | 'SECRET_TOO_LARGE'
  | 'SECRET_NOT_A_FILE'
  | 'SECRET_NOT_TEXT'
  | 'SECRET_INVALID';

/** A secret that cannot be had. Its message says which and what to do; it never holds content. */
export class SecretError extends NamedError {
  readonly code: SecretErrorCode;
  /** The file (absolute), or `environment variable NAME`. */
  readonly what: string;
  /** What to do about it. */
  readonly hint: string;

  constructor(code: SecretErrorCode, what: string, problem: string, hint: string) {
    super(`${what}: ${problem}; ${hint}`);
    this.code = code;
    this.what = what;
    this.hint = hint;
  }
}

/** The absolute path of a secret's file as rack.yaml gives it: relative paths start at the directory of rack.yaml. */
export function secretPath(rack: { dir: string }, file: string): string {
  return resolve(rack.dir, file);
}

/**
 * Reads a secret as UTF-8, without one final newline. `ref` is a reference of rack.yaml, whose path may be the secret
 * itself by mistake, or a path, relative to the directory of rack.yaml.
 *
 * @throws SecretError It is missing, not readable, empty, not text, a directory, or larger than 64 KiB.
 */
export async function readSecret(
  rack: { dir: string },
  ref: SecretRef | string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Secret> {
  if (typeof ref === 'object' && 'env' in ref) return new Secret(readVariable(ref.env, env));
  const file = typeof ref === 'string' ? ref : ref.file;
  try {
    const { text } = await readSecretFile(secretPath(rack, file));
    return new Secret(text);
  } catch (error) {
    const isMissing = error instanceof SecretError && error.code === 'SECRET_MISSING';
    if (isMissing && typeof ref === 'object' && mayBeSecret(rack, file)) {
      const hint =
        'the path is not shown because it may be the secret itself; specify the path of a file. If rack.yaml contained the secret itself, replace the secret';
      throw new SecretError('SECRET_MISSING', 'the path in rack.yaml', 'no such file', hint);
    }
    throw error;
  }
}

/**
 * Whether the path of a missing file may be a secret that was typed in place of its path: it is neither absolute, nor
 * begins with `./` or `secrets/`, nor lies in a folder that exists.
 */
function mayBeSecret(rack: { dir: string }, file: string): boolean {
  if (/^(\/|\.\/|secrets\/)/.test(file)) return false;
  const folder = dirname(file);
  return folder === '.' || !existsSync(secretPath(rack, folder));
}

/**
 * Reads a secret to see whether it can be had, and says what is unwise about how it is kept: a file that others
 * than its owner and group can read, or others than its owner can write. One sentence each; none for an environment variable.
 *
 * @throws SecretError As {@link readSecret}.
 */
export async function checkSecretFile(
  rack: { dir: string },
  ref: SecretRef | string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string[]> {
  await readSecret(rack, ref, env);
  if (typeof ref === 'object' && 'env' in ref) return [];
  const path = secretPath(rack, typeof ref === 'string' ? ref : ref.file);
  const mode = (await statSecret(path)).mode & 0o777n;
  // Services without Kubernetes read it through its group, and so do pods with an fsGroup.
  if ((mode & 0o027n) === 0n) return [];
  const who =
    (mode & 0o007n) === 0n ? 'writable by its group' : 'accessible to every user on this computer';
  const octal = mode.toString(8).padStart(4, '0');
  return [
    `${path}: ${who} (mode ${octal}); run chmod g-w,o= ${path}, or in Kubernetes, set the volume's defaultMode to 0440`,
  ];
}

function readVariable(name: string, env: NodeJS.ProcessEnv): string {
  const what = `environment variable ${name}`;
  const hint = "set it in the service's environment";
  const value = env[name];
  if (value === undefined) throw new SecretError('SECRET_MISSING', what, 'not set', hint);
  return trimmed(value, what, hint);
}

interface SecretText {
  text: string;
  stamp: string;
  /** Whether an unchanged stamp means unchanged content. */
  settled: boolean;
}

/** @throws SecretError */
export async function readSecretFile(path: string): Promise<SecretText> {
  // Before opening it: opening a named pipe would wait for its writer.
  await statSecret(path);
  try {
    await using handle = await open(path, 'r');
    const before = await handle.stat({ bigint: true });
    const bytes = await readAtMost(handle, maxBytes + 1);
    const after = await handle.stat({ bigint: true });
    const stamp = fileStamp(after);
    return {
      text: decode(bytes, path),
      stamp,
      settled: stamp === fileStamp(before) && isSettled(after),
    };
  } catch (error) {
    throw error instanceof SecretError ? error : fileError(path, error);
  }
}

/** @throws SecretError Among others, when it is no regular file. */
export async function statSecret(path: string): Promise<BigIntStats> {
  const found = await stat(path, { bigint: true }).catch((error: unknown) => {
    throw fileError(path, error);
  });
  if (found.isFile()) return found;
  const kind = found.isDirectory() ? 'a directory' : 'not a regular file';
  throw new SecretError('SECRET_NOT_A_FILE', path, kind, 'specify the path of a file');
}

async function readAtMost(handle: FileHandle, limit: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(limit);
  let length = 0;
  while (length < limit) {
    const { bytesRead } = await handle.read(buffer, length, limit - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

function decode(bytes: Uint8Array, path: string): string {
  if (bytes.length > maxBytes) {
    const hint = 'check that this is the right file';
    throw new SecretError('SECRET_TOO_LARGE', path, 'larger than 64 KiB', hint);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const hint = 'write it as plain text';
    throw new SecretError('SECRET_NOT_TEXT', path, 'not UTF-8 text', hint);
  }
  return trimmed(text, path, 'write the secret into it');
}

function trimmed(text: string, what: string, hint: string): string {
  const content = text.replace(/\r?\n$/, '');
  if (content.trim() === '') throw new SecretError('SECRET_EMPTY', what, 'empty', hint);
  return content;
}

function fileError(path: string, error: unknown): SecretError {
  const code = errorCode(error) ?? String(error);
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR': {
      const hint = 'create the file, or fix its path in rack.yaml';
      return new SecretError('SECRET_MISSING', path, 'no such file', hint);
    }
    case 'EACCES':
    case 'EPERM': {
      const hint = "make it readable by the service's user";
      return new SecretError('SECRET_UNREADABLE', path, 'permission denied', hint);
    }
    default: {
      const hint = 'check the file and its disk';
      return new SecretError('SECRET_UNREADABLE', path, `cannot be read (${code})`, hint);
    }
  }
}
