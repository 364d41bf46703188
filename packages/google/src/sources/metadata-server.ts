import { directFetch, request } from '../request.ts';
import { SignInError } from '../sign-in-error.ts';

const withinMs = 10_000;

/**
 * Requests a value, such as a token, from the rack's metadata server for this computer.
 * https://cloud.google.com/compute/docs/metadata/querying-metadata
 *
 * @throws SignInError
 */
export async function metadataValue(url: string, path: string): Promise<string> {
  const who = `the metadata server ${url}`;
  const headers = { 'metadata-flavor': 'Google' };
  const init = { headers, signal: AbortSignal.timeout(withinMs) };
  const asked = request(new URL(`/computeMetadata/v1/${path}`, url).href, who, init, directFetch);
  const answer = await asked.catch((error: unknown) => {
    if (!(error instanceof SignInError) || error.code !== 'unreachable') throw error;
    const hint = 'check that it is running, and check services.metadata-server.url in rack.yaml';
    throw new SignInError('unreachable', `${error.message}; ${hint}`, error);
  });
  const { status, text } = answer;
  const detail = String(status);
  if (status === 200 && answer.headers.get('metadata-flavor') === 'Google') return text;
  if (status === 200) {
    const why = 'not a metadata server: the response does not contain `Metadata-Flavor: Google`';
    throw new SignInError('unexpected-answer', `${url}: ${why}`, { detail });
  }
  if (status === 429) {
    const why = `${who} is receiving too many requests from this address (429)`;
    throw new SignInError('unreachable', why, { detail });
  }
  if (status >= 500) {
    const why = `${who} has no token available (${status}); see its log for the reason`;
    throw new SignInError('unreachable', why, { detail });
  }
  const why = `${who} does not issue tokens to this address (${status}); assign an identity to this machine or caller in rack.yaml`;
  throw new SignInError('rejected', why, { detail });
}
