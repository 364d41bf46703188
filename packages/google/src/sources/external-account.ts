/**
 * Workload identity federation (`type: external_account`): another provider's token is exchanged at
 * Google's Security Token Service. Source: RFC 8693; AIP-4117.
 */
import { ExternalAccountClient } from 'google-auth-library';
import { ExternalAccount, parseCredentialFile } from '../credential-file.ts';
import { accessTokenOf, transporter } from './google-auth.ts';
import type { CredentialFile, TokenSource } from './source.ts';
import { withSubjectToken } from './subject-token.ts';

export function externalAccount(file: CredentialFile, now: () => number): TokenSource {
  async function read() {
    return parseCredentialFile(ExternalAccount, 'externalAccount', await file.read(), file.name);
  }

  return {
    files: [file.name],
    async email() {
      const url = (await read()).service_account_impersonation_url;
      return /serviceAccounts\/([^/:]+):generateAccessToken$/.exec(url ?? '')?.[1];
    },
    async accessToken(scopes, signal) {
      const client = ExternalAccountClient.fromJSON({
        ...withSubjectToken(await read(), signal),
        scopes: [...scopes],
        transporter: transporter(signal),
      } as Parameters<typeof ExternalAccountClient.fromJSON>[0]);
      if (!client) throw new TypeError('the credential file has an unexpected type');
      // The exchange uses its own transporter, which the options do not affect.
      // biome-ignore lint/complexity/useLiteralKeys: protected, and so reached only by this form
      client['stsCredential']['transporter'] = transporter(signal);
      const expiresBy = client.getServiceAccountEmail() ? 'upstream-clock' : 'own-clock';
      return accessTokenOf(client, { expiresBy, now });
    },
  };
}
