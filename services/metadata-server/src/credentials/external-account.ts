/**
 * Workload identity federation (`type: external_account`): another provider's token is exchanged at
 * Google's Security Token Service. Source: RFC 8693; AIP-4117.
 */
import { readSecret } from '@skolo/rack';
import { type BaseExternalAccountClient, ExternalAccountClient } from 'google-auth-library';
import { z } from 'zod';
import { parseCredentialFile } from './credential-file.ts';
import { accessTokenOf, transporter } from './google-auth.ts';
import { requireSafeUrl, type SourceDeps, type TokenSource, UpstreamError } from './source.ts';

const ExternalAccount = z.looseObject({
  type: z.literal('external_account'),
  audience: z.string().min(1),
  subject_token_type: z.string().min(1),
  token_url: z.string().min(1),
  service_account_impersonation_url: z.string().optional(),
  credential_source: z.looseObject({
    file: z.string().optional(),
    url: z.string().optional(),
    executable: z.unknown().optional(),
  }),
});
type ExternalAccount = z.infer<typeof ExternalAccount>;

export function externalAccount(file: string, deps: SourceDeps): TokenSource {
  async function read(): Promise<ExternalAccount> {
    const secret = await readSecret(deps, file);
    const account = parseCredentialFile(ExternalAccount, secret, file, 'an external_account file');
    if (account.credential_source.executable !== undefined) {
      throw new UpstreamError(
        'refused',
        `${file}: credential_source.executable is not supported; use file or url`,
      );
    }
    requireSafeUrl(account.token_url, `token_url of ${file}`);
    return account;
  }

  async function client(
    scopes: readonly string[],
    signal: AbortSignal,
  ): Promise<BaseExternalAccountClient> {
    const account = await read();
    const made = ExternalAccountClient.fromJSON({
      ...account,
      scopes: [...scopes],
      transporter: transporter(signal),
    } as Parameters<typeof ExternalAccountClient.fromJSON>[0]);
    if (made) {
      // The exchange goes over a transporter of its own, which the options do not reach.
      // biome-ignore lint/complexity/useLiteralKeys: protected, and so reached only by this form
      made['stsCredential']['transporter'] = transporter(signal);
      return made;
    }
    throw new UpstreamError('refused', `${file}: not an external_account file`);
  }

  return {
    files: [file],
    async email() {
      const url = (await read()).service_account_impersonation_url;
      return /serviceAccounts\/([^/:]+):generateAccessToken$/.exec(url ?? '')?.[1];
    },
    async accessToken(scopes, signal) {
      const account = await client(scopes, signal);
      const expiresBy = account.getServiceAccountEmail() ? 'upstream-clock' : 'own-clock';
      return accessTokenOf(account, { expiresBy, now: deps.now, wholeLife: 12 * 3600 });
    },
  };
}
