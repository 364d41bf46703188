/** Where configurations are read from: the service, or what is left when the rack is dead. */
import type { BackupVersion, RestoreStep } from '@skolo/api';
import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { routerBackup } from '../../service-client.ts';
import { contentOf } from './content.ts';

/** Of an encrypted copy, the size is not known before it is opened. */
export type KnownVersion = Omit<BackupVersion, 'size'> & { size?: number | undefined };

export interface Reader {
  /** The newest first. */
  versions(device: string, limit: number): Promise<KnownVersion[]>;
  /** Byte for byte with `secrets`, else masked text. */
  content(device: string, version: string, secrets: boolean): Promise<Uint8Array>;
  /** Unified; empty where both are the same. */
  diff(
    device: string,
    versions: { from: string; to: string },
    secrets: boolean,
  ): Promise<Difference>;
  restoreSteps(device: string, version: string): Promise<RestoreSteps>;
}

interface Difference {
  from: KnownVersion;
  to: KnownVersion;
  diff: string;
}

export interface RestoreSteps {
  version: KnownVersion;
  /** What begins a comment on this device; empty where it has none. */
  comment: string;
  steps: readonly RestoreStep[];
  canApply: boolean;
  canCheck: boolean;
}

export interface ReaderOptions {
  from?: string;
  identity?: string;
}

/** Makes `--from` and `--identity` known. */
export function canReadCopies(command: SkoloCommand): SkoloCommand {
  return command
    .option(
      '--from <place>',
      'read it from a copy, when the rack is dead: gs://BUCKET/FOLDER, a git remote, a directory',
    )
    .addOption(
      new Option('--identity <file>', 'age identity that opens encrypted copies').env(
        'SKOLO_AGE_IDENTITY_FILE',
      ),
    )
    .uses('rack', 'url', 'tokenFile');
}

/** Whether it is about a copy. Refuses what has no effect then, or only then. */
export function isFromCopy(
  command: SkoloCommand,
  options: ReaderOptions,
): options is ReaderOptions & { from: string } {
  if (options.from === undefined) {
    if (command.getOptionValueSource('identity') === 'cli') {
      command.error("option '--identity' has no effect without '--from'");
    }
    return false;
  }
  if (command.gives('url')) command.error("option '--url' has no effect with '--from'");
  if (command.gives('tokenFile')) {
    command.error("option '--token-file' has no effect with '--from'");
  }
  return true;
}

/** Calls `read` with what the options say. */
export async function withReader<T>(
  { io, command, options }: { io: Io; command: SkoloCommand; options: ReaderOptions },
  read: (reader: Reader) => Promise<T>,
): Promise<T> {
  if (isFromCopy(command, options)) {
    const { copyReader, withCopy } = await import('./copy.ts');
    const globals = command.globals();
    return withCopy({ io, globals, ...options }, (copy) => read(copyReader(copy, options.from)));
  }
  return read(await serviceReader(command));
}

/** What the service has. */
async function serviceReader(command: SkoloCommand): Promise<Reader> {
  const service = await routerBackup(command);
  return {
    async versions(device, limit) {
      const request = { params: { device }, query: { limit } };
      const { versions } = await service.ask((client) => client.versions(request));
      return versions;
    },
    content: (device, version, secrets) =>
      service.ask(() => contentOf(service, { device, version, secrets })),
    diff(device, versions, secrets) {
      const query = { ...versions, secrets: secrets ? ('true' as const) : ('false' as const) };
      return service.ask((client) => client.diff({ params: { device }, query }));
    },
    restoreSteps: (device, version) =>
      service.ask((client) => client.restoreSteps({ params: { device, version } })),
  };
}
