/** Token configuration of the Swarming bots. */
import type { Rack } from '../rack/rack.ts';
import { serviceUrl } from '../rack/service-urls.ts';

const tokenPath = '/computeMetadata/v1/instance/service-accounts/default/token';

/**
 * Content of /etc/swarming_config/oauth2_access_token_config.json, with the alias `metadata` of the jumphost if it has it,
 * so that the file stays valid after the jumphost is replaced. `metadata.google.internal` must not resolve in a rack.
 */
export function swarmingConfig(rack: Rack): string {
  const url = new URL(tokenPath, serviceUrl(rack, 'metadata-server'));
  const { address, aliases } = rack.jumphost;
  const isJumphost = url.hostname === address || url.hostname === `[${address}]`;
  if (isJumphost && aliases.includes('metadata')) url.hostname = 'metadata';
  return `${JSON.stringify({ url: url.href, headers: { 'Metadata-Flavor': 'Google' } }, null, 2)}\n`;
}
