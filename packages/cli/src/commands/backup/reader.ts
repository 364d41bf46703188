/** Decides where configurations are read: from the service, or from a copy if the rack is down. */
import { createHash } from 'node:crypto';
import {
  ApiError,
  type BackupVersion,
  type Client,
  type ClientAnswer,
  type routerBackupApi,
} from '@skolo/api';
import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import { routerBackup } from '../../reach/service-client.ts';

export interface Reader {
  /** The newest first. */
  versions(name: string, limit: number): Promise<BackupVersion[]>;
  /** Exact bytes with `secrets`, otherwise masked text. */
  content(name: string, version: string, secrets: boolean): Promise<Uint8Array>;
  /** Unified; empty if there is no difference. */
  diff(name: string, versions: { from: string; to: string }, secrets: boolean): Promise<Difference>;
  restoreSteps(name: string, version: string): Promise<RestoreSteps>;
}

type Difference = ClientAnswer<(typeof routerBackupApi)['diff']>;
export type RestoreSteps = ClientAnswer<(typeof routerBackupApi)['restoreSteps']>;

export interface ReaderOptions {
  from?: string;
  identity?: string;
  unauthenticated?: true;
}

/** Adds `--from`, `--identity` and `--unauthenticated`. */
export function canReadCopies(command: SkoloCommand): SkoloCommand {
  return command
    .option(
      '--from <place>',
      'read an off-site copy instead of the rack: gs://BUCKET/FOLDER, a git remote, or a directory',
    )
    .addOption(
      new Option('--identity <file>', 'age identity for encrypted copies').env(
        'SKOLO_AGE_IDENTITY_FILE',
      ),
    )
    .option(
      '--unauthenticated',
      "with --from: accept a version, specified by its complete ID, that was not made with the rack's backup-key",
    )
    .uses('rack', 'url', 'tokenFile');
}

/** Whether to read a copy. Rejects options without effect. */
export function isFromCopy(
  command: SkoloCommand,
  options: ReaderOptions,
): options is ReaderOptions & { from: string } {
  if (options.from === undefined) {
    if (command.getOptionValueSource('identity') === 'cli') {
      command.error("option '--identity' requires '--from'");
    }
    if (options.unauthenticated) command.error("option '--unauthenticated' requires '--from'");
    return false;
  }
  if (command.gives('url')) command.error("option '--url' cannot be used with '--from'");
  if (command.gives('tokenFile')) {
    command.error("option '--token-file' cannot be used with '--from'");
  }
  return true;
}

/** Calls `read` with a reader for the options. */
export async function withReader<T>(
  command: SkoloCommand,
  options: ReaderOptions,
  read: (reader: Reader) => Promise<T>,
): Promise<T> {
  if (isFromCopy(command, options)) {
    const { withCopy } = await import('./copy.ts');
    const accepted = options.unauthenticated && new Set<string>();
    return withCopy(command, { ...options, accepted }, read);
  }
  return read(await serviceReader(command));
}

async function serviceReader(command: SkoloCommand): Promise<Reader> {
  const service = routerBackup(command);
  return {
    async versions(name, limit) {
      const request = { params: { equipment: name }, query: { limit } };
      const { versions } = await service.ask((client) => client.versions(request));
      return versions;
    },
    content: (name, version, secrets) =>
      service.ask((client) => contentOf(client, { equipment: name, version, secrets })),
    diff(name, versions, secrets) {
      const query = { ...versions, secrets: secrets ? ('true' as const) : ('false' as const) };
      return service.ask((client) => client.diff({ params: { equipment: name }, query }));
    },
    restoreSteps: (name, version) =>
      service.ask((client) => client.restoreSteps({ params: { equipment: name, version } })),
  };
}

interface ContentOptions {
  equipment: string;
  version: string;
  secrets: boolean;
  /** Limit between any two bytes; default 30 s, because the service may have to search. */
  silenceMs?: number;
  /** Default 1 GiB. */
  mostBytes?: number;
}

/**
 * Masked text, or with `secrets` the exact bytes from the device.
 *
 * @throws ApiError
 * @throws ApiUnreachable
 */
export async function contentOf(
  client: Pick<Client<typeof routerBackupApi>, 'content'>,
  { equipment, version, secrets, silenceMs = 30_000, mostBytes = 2 ** 30 }: ContentOptions,
): Promise<Uint8Array> {
  const { bytes, headers } = await client.content({
    params: { equipment, version },
    query: secrets ? { secrets: 'true' } : {},
    mostBytes,
    timeoutMs: silenceMs,
  });
  const sha1 = headers.get('x-skolo-sha1');
  if (secrets && sha1 !== null && !isAge(bytes) && sha1 !== sha1Of(bytes)) {
    throw new ApiError(`GET content of ${equipment}`, {
      type: 'about:blank',
      title: 'unexpected response',
      status: 200,
      detail: `the content does not match its SHA-1 (${sha1}); try again, or read a copy with --from`,
    });
  }
  return bytes;
}

/** An encrypted archive: age verifies its integrity, and its SHA-1 is that of the plain content. */
function isAge(bytes: Uint8Array): boolean {
  const mark = 'age-encryption.org/v1\n';
  return Buffer.from(bytes.subarray(0, mark.length)).toString('latin1') === mark;
}

function sha1Of(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}
