/** Access tokens for Google's storage, with failures as BackupErrors. */

import type { Secret } from '@skolo/base/secrets';
import { BackupError } from '@skolo/equipment/models/configuration';
import {
  defaultSignIn,
  metadataSignIn,
  type SignIn,
  SignInError,
  serviceAccountSignIn,
} from '@skolo/google';

/** Returns a currently valid token. @throws BackupError `unreachable`, `rejected` */
export type GetToken = () => Promise<string>;

const scopes = ['https://www.googleapis.com/auth/devstorage.read_write'];

/** @param key a service account's key file */
export function serviceAccountToken(key: Secret): GetToken {
  return tokenOf(serviceAccountSignIn(key, scopes));
}

/** @param url of the metadata server, which identifies us by our address */
export function metadataServerToken(url: string): GetToken {
  return tokenOf(metadataSignIn(url));
}

/** Application default credentials. */
export function defaultToken(): GetToken {
  return tokenOf(defaultSignIn({ scopes }));
}

function tokenOf(signIn: SignIn): GetToken {
  return async () => {
    try {
      const authorization = (await signIn.headers()).get('authorization') ?? '';
      return authorization.replace(/^Bearer /, '');
    } catch (error) {
      if (!(error instanceof SignInError)) throw error;
      const code = error.code === 'rejected' ? 'rejected' : 'unreachable';
      throw new BackupError(code, error.message);
    }
  };
}
