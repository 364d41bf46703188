/** Errors in the credential files of a rack, with the files that they refer to. */
import { errorText, parseJson } from '@skolo/base';
import { readSecret, type SecretRef, secretPath } from '@skolo/base/secrets';
import { credentialFileFault, ExternalAccount, type FileKind } from './credential-file.ts';
import { subjectToken } from './sources/subject-token.ts';

/** By the keys of rack.yaml; `any` type that Google's tools write. */
const kindAt: Readonly<Record<string, FileKind | 'fixed' | 'any'>> = {
  serviceAccountKey: 'serviceAccountKey',
  refreshToken: 'refreshToken',
  externalAccount: 'externalAccount',
  fixed: 'fixed',
  keyFile: 'any',
  uploadKey: 'serviceAccountKey',
};

/** Errors in the credential files among a rack's secrets. Files that cannot be read are omitted. */
export async function credentialFaults<Path extends readonly unknown[]>(
  rack: { dir: string },
  secrets: readonly { path: Path; ref: SecretRef }[],
): Promise<{ path: Path; message: string }[]> {
  const checks = secrets.map(async ({ path, ref }) => {
    const kind = kindAt[String(path.at(-1))];
    const secret = kind && (await readSecret(rack, ref).catch(() => undefined));
    const content = secret?.reveal();
    if (!kind || !content) return [];
    const message = credentialFileFault(kind, content) ?? (await subjectFault(content));
    const name = 'file' in ref ? secretPath(rack, ref.file) : ref.env;
    return message === undefined ? [] : [{ path, message: `${name}: ${message}` }];
  });
  return (await Promise.all(checks)).flat();
}

async function subjectFault(content: string): Promise<string | undefined> {
  const source = ExternalAccount.safeParse(parseJson(content)).data?.credential_source;
  if (source?.file === undefined) return undefined;
  const read = subjectToken(source, AbortSignal.timeout(1000)).then(() => undefined);
  return await read.catch((error) => `credential_source.file: ${errorText(error)}`);
}
