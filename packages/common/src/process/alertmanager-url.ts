/** Decides which Alertmanager the services use: that of rack.yaml or, by default, that in the cluster. */
import { Resolver } from 'node:dns/promises';
import type { Rack } from '@skolo/rack';

/** Of the Service in kube/base. */
const inKubernetes = 'http://alertmanager.skolo.svc:9093';

/** The URL in rack.yaml or, in a pod, that of kube/base. Undefined: none. */
export function alertmanagerUrl(
  { alertmanager }: Pick<Rack, 'alertmanager'>,
  apiServer = process.env.KUBERNETES_SERVICE_HOST,
): string | undefined {
  const url = alertmanager ?? (apiServer ? inKubernetes : undefined);
  return url === 'none' ? undefined : url;
}

/** Whether an alert with this `externalURL` is from the Alertmanager at `url`. That of kube/base has a name for browsers. */
export function isAlertmanagerAt(url: string, externalUrl = ''): boolean {
  const name = externalUrl.replace(/\/+$/, '');
  return name === url || (url === inKubernetes && name === 'https://alertmanager');
}

/**
 * The URL with a Service's address instead of its name. Pods that use the jumphost's resolver, so that they do not depend on cluster DNS,
 * cannot resolve Services. k3s and kubeadm assign the first address of their network to the API server, and the tenth to cluster DNS.
 *
 * @throws Error Cluster DNS does not respond, or there is no such Service.
 */
export async function withServiceAddress(
  url: string,
  dns = process.env.KUBERNETES_SERVICE_HOST?.replace(/\d+$/, '10'),
): Promise<string> {
  const [, host, domain] = /^http:\/\/([\w.-]+\.svc)(\.cluster\.local)?(?=[:/]|$)/.exec(url) ?? [];
  if (host === undefined || !dns) return url;
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  resolver.setServers([dns]);
  const [address = host] = await resolver.resolve4(`${host}.cluster.local`);
  return url.replace(`${host}${domain ?? ''}`, address);
}
