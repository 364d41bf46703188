/**
 * Decides whether a token is valid or expired: the tokens of a rack are a YAML file of names, roles and hashes, edited by `skolo token`
 * or manually.
 *
 * A token has 256 random bits, so its plain SHA-256 is as hard to invert as the token is to guess. A slow hash would only
 * make requests slow.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { open, realpath, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Right } from '@skolo/api/route';
import { errorCode, errorText, NamedError, sha256, sha256Bytes } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable';
import { SecretFile, SecretFormatError } from '@skolo/base/secrets';
import { RackError, type Role, readYaml } from '@skolo/rack';
import { expandNames } from '@skolo/rack/light';
import { type Document, isSeq, parseDocument } from 'yaml';
import { z } from 'zod';

/** Text with a pattern. Messages never quote the file, which may contain secrets. */
function text(form: RegExp, message: string) {
  return z.string(message).regex(form, message);
}

const name = text(
  /^[A-Za-z0-9][\w.@+-]{0,63}$/,
  'must begin with a letter or digit, and contain at most 64 letters, digits and . _ - + @',
);
const names = z.string('must be a name').refine(isRange, { error: 'must be a name or a range' });
const time = z.iso.datetime({
  offset: true,
  error: 'must be a time such as 2026-11-20T07:30:00Z',
});

const TokenEntry = z.strictObject(
  {
    name,
    role: z.enum(['view', 'operate', 'admin'], 'must be view, operate or admin'),
    /** SHA-256 of the token, hexadecimal. */
    sha256: text(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits'),
    created: time,
    expires: time,
    /** What it may do beyond its role. */
    busy: z.array(names, 'must be a list of names').min(1, 'must list names').exactOptional(),
    endsOnIt: z.literal(true, 'must be true').exactOptional(),
  },
  'must be a map that contains only name, role, sha256, created, expires, busy and endsOnIt',
);
type TokenEntry = z.output<typeof TokenEntry>;

const Tokens = z
  .strictObject(
    { tokens: z.array(TokenEntry, 'must be a list') },
    'must contain only `tokens:` with a list',
  )
  .refine(({ tokens }) => new Set(tokens.map((token) => token.name)).size === tokens.length, {
    error: 'two tokens have the same name',
  });

/** What a token may do beyond its role: on which machines, phones or ranges of them; or everywhere. */
export type Rights = Pick<TokenEntry, Right>;

/** A token without its hash. */
export interface TokenInfo {
  name: string;
  role: Role;
  created: Date;
  expires: Date;
  rights: Rights;
}

/** A failure of `skolo token`. */
export class TokenFileError extends NamedError {
  readonly code = 'TOKEN_FILE';
}

/** The file in a service, read again after each change, so that revoking takes effect immediately. */
export class TokenFile {
  private readonly file: SecretFile<TokenEntry[]>;

  /** @param path absolute */
  constructor(path: string) {
    const failure = (why: string) => new SecretFormatError(why);
    this.file = new SecretFile(path, (text) => parseTokens(text, failure));
  }

  /**
   * The entry of a token, expired or not. Takes constant time.
   *
   * @throws SecretError The file is missing or invalid: revoked tokens are unknown, so no token is accepted.
   */
  async find(token: string): Promise<TokenInfo | undefined> {
    const hash = sha256Bytes(token);
    let found: TokenEntry | undefined;
    for (const entry of await this.file.read()) {
      if (timingSafeEqual(hash, Buffer.from(entry.sha256, 'hex'))) found = entry;
    }
    return found && info(found);
  }
}

interface NewTokenOptions extends Rights {
  name: string;
  role: Role;
  expiresInDays: number;
  /** Milliseconds since 1970; default now. */
  now?: number;
}

/**
 * Adds a token to the file. Creates a missing file with mode 0600. An existing file keeps its owner, group and permissions, because
 * the service may run as another user.
 *
 * @returns the token, which is not stored
 * @throws TokenFileError
 */
export async function newToken(file: string, options: NewTokenOptions): Promise<string> {
  const { role, expiresInDays, now = Date.now(), busy, endsOnIt } = options;
  const parsedName = name.safeParse(options.name);
  if (!parsedName.success) {
    throw new TokenFileError(
      `${options.name}: invalid token name: it ${parsedName.error.issues[0]?.message}`,
    );
  }
  if (!(expiresInDays > 0 && expiresInDays <= 3650)) {
    throw new TokenFileError(
      `invalid lifetime: ${expiresInDays} days; specify more than 0 and at most 3650`,
    );
  }
  const token = `skolo_${randomBytes(32).toString('base64url')}`;
  const entry: TokenEntry = {
    name: parsedName.data,
    role,
    sha256: sha256(token),
    created: rfc3339(now),
    expires: rfc3339(now + expiresInDays * 86_400_000),
    ...(busy && { busy }),
    ...(endsOnIt && { endsOnIt }),
  };
  const wrong = busy?.find((each) => !isRange(each));
  if (wrong !== undefined) throw new TokenFileError(`${wrong}: not a name or a range of names`);
  await edit(file, (document, tokens) => {
    if (tokens.some((known) => known.name === entry.name)) {
      throw new TokenFileError(
        `${file}: token ${entry.name} already exists; revoke it first, or choose another name`,
      );
    }
    document.addIn(['tokens'], document.createNode(entry));
  });
  return token;
}

/** @throws TokenFileError */
export async function listTokens(file: string): Promise<TokenInfo[]> {
  const text = await readTokenFile(file);
  return text === undefined ? [] : parseFile(file, text).tokens.map(info);
}

/**
 * Removes a token from the file. Services then reject it.
 *
 * @throws TokenFileError The token does not exist.
 */
export async function revokeToken(file: string, tokenName: string): Promise<void> {
  await edit(file, (document, tokens) => {
    const index = tokens.findIndex((known) => known.name === tokenName);
    if (index < 0) {
      const known = tokens.map((token) => token.name).join(', ') || 'none';
      throw new TokenFileError(`${file}: no token ${tokenName}; known tokens: ${known}`);
    }
    document.deleteIn(['tokens', index]);
  });
}

const header = ' Tokens for this rack, created by `skolo token new`. The hashes are not secret.';

async function edit(path: string, change: (document: Document, tokens: TokenEntry[]) => void) {
  // A link's target is written; the link is not replaced.
  const file = await realpath(path).catch(() => path);
  const unlock = await lock(file);
  try {
    const { document, tokens } = parseFile(file, (await readTokenFile(file)) ?? '');
    change(document, tokens);
    await writeFileAtomic(file, String(document), { keepAccess: true });
  } catch (cause) {
    if (cause instanceof TokenFileError) throw cause;
    throw new TokenFileError(errorText(cause), { cause });
  } finally {
    await unlock();
  }
}

/** Concurrent edits could restore a revoked token. */
async function lock(file: string): Promise<() => Promise<void>> {
  const path = `${file}.lock`;
  try {
    await (await open(path, 'wx', 0o600)).close();
  } catch (cause) {
    const why =
      errorCode(cause) === 'EEXIST'
        ? `another process is editing this file; try again, or delete ${path} if no such process is running`
        : `cannot be changed: ${whyNot(file, cause)}`;
    throw new TokenFileError(`${file}: ${why}`, { cause });
  }
  return () => rm(path, { force: true });
}

async function readTokenFile(file: string): Promise<string | undefined> {
  try {
    return await readFileIfExists(file);
  } catch (cause) {
    throw new TokenFileError(`${file} cannot be read: ${whyNot(file, cause)}`, { cause });
  }
}

/** Reason and hint. */
function whyNot(file: string, cause: unknown): string {
  const folder = dirname(file);
  const denied =
    'permission denied; run the command as the owner of the file and its directory, or as root';
  const reasons: Record<string, string> = {
    ENOENT: `directory ${folder} does not exist; create it, or fix the path`,
    ENOTDIR: `${folder} is not a directory; fix the path`,
    EISDIR: 'this is a directory; specify the path of a file',
    EACCES: denied,
    EPERM: denied,
    EROFS:
      'the file system is read-only; if the file comes from the secret store, change it there with --on',
  };
  return reasons[errorCode(cause) ?? ''] ?? errorText(cause);
}

/** A file that is empty or contains only comments does not contain tokens. */
function parseFile(file: string, text: string): { document: Document; tokens: TokenEntry[] } {
  const failure = (why: string) => new TokenFileError(`${file}: ${why}`);
  const tokens = parseTokens(text, failure, { tokens: [] });
  const document: Document = parseDocument(text);
  if (document.toJS() === null) {
    if (text.trim() === '') document.commentBefore = header;
    document.contents = document.createNode({ tokens: [] });
  }
  const list = document.get('tokens');
  if (isSeq(list)) list.flow = false;
  return { document, tokens };
}

/** Messages never quote the text. @param none if it contains nothing but comments */
function parseTokens(
  text: string,
  failure: (why: string) => Error,
  none?: z.input<typeof Tokens>,
): TokenEntry[] {
  let value: unknown;
  try {
    ({ value } = readYaml(text, ''));
  } catch (error) {
    const issue = error instanceof RackError ? error.issues[0] : undefined;
    if (issue === undefined) throw error;
    const { line, column, message } = issue;
    throw failure(`not YAML: line ${line}, column ${column}: ${message}`);
  }
  const { data, error } = Tokens.safeParse(value ?? none);
  if (data !== undefined) return data.tokens;
  const wrong = error.issues.map(({ path, message }) => `${path.join('.') || 'file'}: ${message}`);
  throw failure(wrong.join('; '));
}

function info(entry: TokenEntry): TokenInfo {
  const { name, role, created, expires, busy, endsOnIt } = entry;
  const rights = { ...(busy && { busy }), ...(endsOnIt && { endsOnIt }) };
  return { name, role, created: new Date(created), expires: new Date(expires), rights };
}

function isRange(text: string): boolean {
  try {
    const all = expandNames(text);
    return all.length > 0 && all.every((each) => /^[^[\]]{1,300}$/.test(each));
  } catch {
    return false;
  }
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
