/** Opens a k3s rack: a tunnel to its jumphost, a proxy in front of it, and a token that is renewed. */
import { join } from 'node:path';
import { asError, pause } from '@skolo/base';
import { writeFileAtomic } from '@skolo/base/durable';
import type { K3sRack } from '../racks/clusters.ts';
import { type Access, requestAccess, tokenLifeSeconds } from './access.ts';
import { checkApi, serverName } from './api-check.ts';
import type { Guardian } from './local/guardian.ts';
import { startLocalProxy } from './local/local-proxy.ts';
import { throughTunnel } from './open-jumphost.ts';
import { rejectOther } from './other-jumphost.ts';
import { Tunnel } from './ssh/tunnel.ts';
import type { Jumphost, OpenOptions, OpenRack } from './way.ts';

/** How often the token's age is checked against the wall clock, which advances even while a computer sleeps. */
const checkMs = 2_000;
/** For one renewal, which fails if the API server is down. */
const renewalMs = 30_000;

/** @throws FleetError @throws The signal's reason. */
export async function openK3s(
  rack: K3sRack,
  guardian: Guardian,
  { role, env, mayAsk, signal, onTrouble = () => {}, onNextWay }: OpenOptions,
): Promise<Pick<OpenRack, 'kubeconfig' | 'close'> & { jumphost: Jumphost }> {
  const { name, context, apiPort } = rack;
  const kubeconfig = join(guardian.folder, 'kubeconfig');
  const tokenFile = join(guardian.folder, 'token');
  const closing = new AbortController();
  let renewAt = 0;
  const tunnel = new Tunnel({
    name,
    guardian,
    env,
    mayAsk,
    ways: rack.ways,
    onLost: onTrouble,
    onNextWay,
    onConnected() {
      // After a failover, another host may lead to another server.
      if (rack.ways.length > 1) renewAt = 0;
    },
  });
  const dialApi = (deadline: AbortSignal) => tunnel.open('127.0.0.1', apiPort, deadline);
  const own = authorityOf({ rack: name, apiPort });
  const proxy = await startLocalProxy((authority, deadline) =>
    authority === own ? dialApi(deadline) : undefined,
  );

  const jumphost = throughTunnel(tunnel, guardian, env);

  async function renew(deadline: AbortSignal): Promise<Access> {
    const startedAt = Date.now();
    const run = (command: string) => jumphost.onJumphost(command, deadline);
    const access = await requestAccess(role, { name, run, now: Date.now });
    const { authority, token } = access;
    await writeFileAtomic(tokenFile, token.reveal());
    const parts = { rack: name, context, apiPort, authority, proxyUrl: proxy.url, tokenFile };
    await writeFileAtomic(kubeconfig, kubeconfigText(parts));
    renewAt = startedAt + (tokenLifeSeconds * 1000) / 2;
    return access;
  }

  async function keepFresh(): Promise<void> {
    while (!closing.signal.aborted) {
      await pause(checkMs, closing.signal).catch(() => {});
      if (closing.signal.aborted || Date.now() < renewAt) continue;
      const deadline = AbortSignal.any([closing.signal, AbortSignal.timeout(renewalMs)]);
      await renew(deadline).catch((error: unknown) => {
        if (!closing.signal.aborted) onTrouble(asError(error));
      });
    }
  }

  let fresh: Promise<void> = Promise.resolve();
  async function close() {
    closing.abort();
    await Promise.all([tunnel.close(), proxy.close(), fresh]);
    await guardian.close();
  }

  try {
    await rejectOther(rack, await tunnel.start(signal), jumphost, signal);
    const access = await renew(signal);
    await checkApi(name, access, await dialApi(signal), signal);
  } catch (error) {
    await close();
    throw signal.aborted ? signal.reason : error;
  }
  fresh = keepFresh();
  return { jumphost, kubeconfig, close };
}

interface KubeconfigParts {
  rack: string;
  context: string;
  authority: string;
  proxyUrl: string;
  tokenFile: string;
  apiPort: number;
}

/** The kubeconfig of a session. JSON is YAML. */
function kubeconfigText(parts: KubeconfigParts): string {
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
function authorityOf({ rack, apiPort }: { rack: string; apiPort: number }): string {
  return `${rack}:${apiPort}`;
}
