/** Errors and warnings of one rack.yaml. */
import { credentialFileFault } from '@skolo/google';
import {
  type CheckedSecret,
  checkSecrets,
  pastedSecrets,
  type Rack,
  RackError,
  type RackIssue,
  rackWarnings,
  readRack,
} from '@skolo/rack';
import { type AccountCredentials, readSecret, SecretError, secretPath } from '@skolo/secrets';

/** `where` is the path in the expanded rack.yaml, so it has no line. */
export interface SecretIssue {
  where: string;
  message: string;
}

export interface CheckedFile {
  file: string;
  /** Absent if the file is not valid. */
  rack?: Rack;
  errors: RackIssue[];
  warnings: RackIssue[];
  /** Absent without `--secrets`, or if the file is not valid. */
  secrets?: { count: number; errors: SecretIssue[]; warnings: SecretIssue[] };
}

/** Never throws for an invalid or unreadable file. */
export async function checkFile(
  file: string,
  { secrets }: { secrets: boolean },
): Promise<CheckedFile> {
  try {
    const rack = await readRack(file);
    const checked: CheckedFile = { file, rack, errors: [], warnings: rackWarnings(rack) };
    return secrets ? { ...checked, secrets: await checkedSecrets(rack) } : checked;
  } catch (error) {
    if (!(error instanceof RackError)) throw error;
    return { file, errors: error.issues, warnings: [] };
  }
}

export function hasErrors({ errors, secrets }: CheckedFile): boolean {
  return errors.length > 0 || (secrets?.errors.length ?? 0) > 0;
}

async function checkedSecrets(rack: Rack): Promise<NonNullable<CheckedFile['secrets']>> {
  const secrets = await checkSecrets(rack);
  const pasted = pastedSecrets(rack);
  return {
    count: secrets.length,
    errors: [
      ...secrets.flatMap((secret) => errorOf(secret, pasted)),
      ...(await credentialFaults(rack)),
      ...(await tokenFileFaults(rack)),
    ],
    warnings: secrets.flatMap(({ where, warnings }) =>
      warnings.map((message) => ({ where, message })),
    ),
  };
}

function errorOf({ where, error }: CheckedSecret, pasted: ReadonlySet<string>): SecretIssue[] {
  if (error === undefined) return [];
  // The message has the path, which may be the secret.
  if (!pasted.has(where)) return [{ where, message: error.message }];
  return [
    { where, message: 'no such file; its name is hidden, because it may be the secret itself' },
  ];
}

/** Errors in the file of tokens. */
async function tokenFileFaults(rack: Rack): Promise<SecretIssue[]> {
  const { tokens } = rack.access;
  if (tokens === undefined) return [];
  const { TokenFile } = await import('@skolo/common');
  try {
    await new TokenFile(secretPath(rack, tokens.file)).find('');
    return [];
  } catch (error) {
    // checkSecrets reports an unreadable file.
    if (!(error instanceof SecretError)) throw error;
    if (error.code !== 'SECRET_INVALID') return [];
    return [{ where: 'access.tokens', message: error.message }];
  }
}

/** Errors in credential files. `checkSecrets` reports unreadable ones. */
async function credentialFaults(rack: Rack): Promise<SecretIssue[]> {
  const checks = [...rack.identities.values()].map(async ({ name, credentials }) => {
    const { where, source } = sourceOf(`identities.${name}.credentials`, credentials);
    const text = await readSecret(rack, source.file).then(
      (secret) => secret.reveal(),
      () => undefined,
    );
    const message = text === undefined ? undefined : credentialFileFault(source.kind, text);
    return message === undefined
      ? []
      : [{ where, message: `${secretPath(rack, source.file)}: ${message}` }];
  });
  return (await Promise.all(checks)).flat();
}

function sourceOf(where: string, credentials: AccountCredentials) {
  return credentials.kind === 'impersonate'
    ? { where: `${where}.from.${credentials.from.kind}`, source: credentials.from }
    : { where: `${where}.${credentials.kind}`, source: credentials };
}
