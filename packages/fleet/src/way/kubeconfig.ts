/** The kubeconfig of a session. */
import { serverName } from './api-check.ts';

interface KubeconfigParts {
  rack: string;
  context: string;
  authority: string;
  proxyUrl: string;
  tokenFile: string;
  apiPort: number;
}

/** The text; JSON is YAML. */
export function kubeconfigText(parts: KubeconfigParts): string {
  const { rack, context, authority, proxyUrl, tokenFile } = parts;
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: rack,
          cluster: {
            // kubectl caches data about a server under this name, and prints it in errors.
            server: `https://${authorityOf(parts)}`,
            'tls-server-name': serverName,
            'certificate-authority-data': Buffer.from(authority).toString('base64'),
            'proxy-url': proxyUrl,
          },
        },
      ],
      users: [{ name: 'skolo', user: { tokenFile } }],
      contexts: [{ name: context, context: { cluster: rack, user: 'skolo' } }],
      'current-context': context,
    },
    null,
    2,
  );
}

/** The address that programs request from the proxy. */
export function authorityOf({ rack, apiPort }: { rack: string; apiPort: number }): string {
  return `${rack}:${apiPort}`;
}
