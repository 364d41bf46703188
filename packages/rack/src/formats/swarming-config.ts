/** The file that tells the Swarming bot of a rack where its tokens are. */
import type { Rack } from '../rack.ts';
import { serviceUrl } from '../service-urls.ts';

const tokenPath = '/computeMetadata/v1/instance/service-accounts/default/token';

/**
 * Content of /etc/swarming_config/oauth2_access_token_config.json: by the alias `metadata` of the jumphost where it has
 * one, so that the file outlives the jumphost. Never by `metadata.google.internal`, which must not resolve in a rack.
 */
export function swarmingConfig(rack: Rack): string {
  const url = new URL(tokenPath, serviceUrl(rack, 'metadata-server'));
  const { address, aliases } = rack.jumphost;
  const isJumphost = url.hostname === address || url.hostname === `[${address}]`;
  if (isJumphost && aliases.includes('metadata')) url.hostname = 'metadata';
  return `${JSON.stringify({ url: url.href, headers: { 'Metadata-Flavor': 'Google' } }, null, 2)}\n`;
}
