/** Signs in to Pub/Sub, and reports failures as SinkErrors. */

import { Secret, SecretError, SecretFile } from '@skolo/base/secrets';
import {
  defaultSignIn,
  keyFileSignIn,
  metadataSignIn,
  type SignIn,
  SignInError,
} from '@skolo/google';
import { SinkError } from '../sink.ts';

export type PubSubCredentials = 'default' | 'metadata' | { keyFile: string };

const library = {
  scopes: [
    'https://www.googleapis.com/auth/cloud-platform',
    'https://www.googleapis.com/auth/pubsub',
  ],
  // A service account's key signs its own tokens, so only Pub/Sub itself must be reachable.
  servicePath: 'pubsub.googleapis.com',
};

/**
 * Its functions throw SinkError: `credentials`, or `unavailable` and `timeout` if the credentials could not be requested.
 *
 * @param metadataUrl of the rack's metadata server
 */
export function pubSubSignIn(
  credentials: PubSubCredentials,
  metadataUrl: string | undefined,
): SignIn {
  const { headers, project, forget } = signInBy(credentials, metadataUrl);
  return {
    headers: () => headers().catch(throwSinkError),
    project: () => project().catch(throwSinkError),
    forget,
  };
}

function signInBy(credentials: PubSubCredentials, metadataUrl: string | undefined): SignIn {
  if (credentials === 'default') return defaultSignIn(library);
  if (credentials !== 'metadata') {
    const { keyFile } = credentials;
    const file = new SecretFile(keyFile, (text) => new Secret(text));
    return keyFileSignIn(keyFile, () => file.read(), library);
  }
  if (metadataUrl === undefined) throw new TypeError('the URL of the metadata server is missing');
  return metadataSignIn(metadataUrl);
}

function throwSinkError(error: unknown): never {
  if (error instanceof SecretError) {
    throw new SinkError('credentials', error.code, `key for Pub/Sub: ${error.message}`);
  }
  if (!(error instanceof SignInError)) throw error;
  const { code, detail, message } = error;
  if (code !== 'unreachable') throw new SinkError('credentials', detail, message);
  throw new SinkError(detail === 'TIMEOUT' ? 'timeout' : 'unavailable', detail, message);
}
