/** Tries once what a rack is for: tokens, alerts, outlets, names and the time. Nothing is changed. */
import { errorText, nodeCommand, parseJson, script } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import { serviceUrl } from '@skolo/rack/light';
import { type Host, linesOf, type Step } from '@skolo/setup/engine';
import { type AskedService, fetchOn, kubectl, readService } from '@skolo/setup/k3s';
import { z } from 'zod';
import { routerOf } from '../address/rack-addresses.ts';
import { readFailedOver } from '../existing/failed-over.ts';

interface UsesNeeds {
  rack: Rack;
  services: readonly AskedService[];
}

/** Check only: each use has its own time limit, and does not wait for the others. */
export function usesStep({ rack, services }: UsesNeeds): Step {
  return {
    name: 'uses',
    about: 'machines get tokens, names and the time, sinks accept alerts, and outlets can be read',
    needs: ['services'],
    async check(host) {
      const failedOver = await readFailedOver(host);
      const uses = [
        ...services.map((each) => degradedParts(host, each, failedOver.has(each.name))),
        tokenUse(host, rack),
        reachUse(host, rack),
        timeUse(host),
        ...rack.jumphost.aliases.map((alias) => nameUse(host, rack, alias)),
      ];
      const found = await Promise.allSettled(uses);
      return {
        differs: found.flatMap((each) =>
          each.status === 'fulfilled' ? each.value : [`not tried: ${errorText(each.reason)}`],
        ),
      };
    },
  };
}

const Degraded = z.object({
  degraded: z.array(z.object({ what: z.string(), why: z.string() })),
});

/** Such as identities without a valid token, sinks that do not accept, and controllers that do not respond. */
async function degradedParts(
  host: Host,
  service: AskedService,
  isFailedOver: boolean,
): Promise<string[]> {
  const { name } = service;
  const address = isFailedOver ? '127.0.0.1' : undefined;
  const answers = await readService(host, service, ['/readyz'], address);
  if ('why' in answers) return [`${name}: not tried, because ${answers.why}`];
  const [ready] = answers;
  if (!ready?.status) return [`${name}: not tried, because it does not respond: ${ready?.text}`];
  const { data } = Degraded.safeParse(parseJson(ready.text));
  return (data?.degraded ?? []).map(({ what, why }) => `${name}: ${what}: ${why}`);
}

/** As the jumphost, which may have no identity. The token stays there. */
async function tokenUse(host: Host, rack: Rack): Promise<string[]> {
  if ((rack.jumphost.identity ?? rack.defaultIdentity ?? 'none') === 'none') return [];
  const at = serviceUrl(rack, 'metadata-server');
  const url = `${at}/computeMetadata/v1/instance/service-accounts/default/token`;
  const [token] = await fetchOn(host, [url], { 'metadata-flavor': 'Google' });
  if (token?.status === 200) return [];
  return [
    `the jumphost does not get a token from ${at}: ${token?.status || 'no response'}, ${token?.text.slice(0, 300).trim()}; run skolo metadata identities`,
  ];
}

/** Sinks may have a CA of their own, and services report it themselves if they do not trust it. */
const ofTrust = /self.signed|unable to (verify|get)/;

const hiddenProxy = 'the proxy is in a Secret';

/** Sets the proxy of the services. It may contain a password, so it is no argument. */
const withProxy = `export NODE_USE_ENV_PROXY=1
while read -r each; do
  case $each in '') ;; *=) echo '${hiddenProxy}' >&2; exit 1 ;; *) export "$each" ;; esac
done << END
$(${kubectl} get deployments -n skolo -o go-template='{{range .items}}{{range .spec.template.spec.containers}}{{range .env}}{{.name}}={{with .value}}{{.}}{{end}}{{"\\n"}}{{end}}{{end}}{{end}}' 2> /dev/null | grep -iE '^(https?|no)_proxy=' | sort -u)
END
`;

/**
 * A TLS handshake with Google and each sink, as programs resolve their names: routes, rules, resolvers, proxies and ports on the way are
 * not judged one by one.
 */
async function reachUse(host: Host, rack: Rack): Promise<string[]> {
  const { jumphost, services, alertmanager } = rack;
  const { 'swarming-client': _, ...others } = services;
  const { pubsub, endpoint = 'pubsub.googleapis.com' } = services['alert-to-pubsub'];
  const identities = [...rack.identities.values()];
  const hasTokens = identities.some(({ universeDomain }) => universeDomain === 'googleapis.com');
  const google = [
    ...(hasTokens ? ['https://oauth2.googleapis.com'] : []),
    ...(pubsub ? [new URL(`https://${endpoint}`).origin] : []),
  ];
  const own = [jumphost.address, ...jumphost.aliases, 'localhost'];
  const found = JSON.stringify([others, alertmanager]).matchAll(/"(https?:\/\/[^"{}]+)"/g);
  const sinks = [...found].flatMap(([, url = '']) => URL.parse(url) ?? []);
  const all = [...google.map((url) => new URL(url)), ...sinks];
  // On loopback, Pub/Sub is a simulator.
  const distant = all.filter(({ hostname }) => !own.includes(hostname) && !/^127\./.test(hostname));
  const urls = [...new Set(distant.map(({ origin }) => origin))];
  const answers = await fetchOn(host, urls, {}, withProxy);
  return urls.flatMap((url, at) => {
    const { status = 0, text = '' } = answers[at] ?? {};
    const isOwnCa = ofTrust.test(text) && !google.includes(url);
    if (status !== 0 || isOwnCa || text === hiddenProxy) return [];
    const whose = google.includes(url) ? '' : ' from rack.yaml';
    return `${url}${whose} does not respond to the jumphost (${text}); check its name, port and server, the proxy, and the routes and firewalls on the way`;
  });
}

/** chronyd selects a source some seconds after its start. If it does not run, the step `clock` reports it. */
async function timeUse(host: Host): Promise<string[]> {
  const script = `for each in $(seq 20); do
  { systemctl is-active -q chrony.service && ! chronyc -c -n sources 2> /dev/null | awk -F , '$2 == "*" && $6 > 0' | grep -q .; } || exit 0
  sleep 1
done
echo 'chronyd does not receive the time from any of its sources, so the clocks of the rack drift; check the sources (chronyc -n sources; chronyc activity), their names, and UDP port 123'`;
  return linesOf(await host.need(script, { deadlineMs: 40_000 }));
}

/** As a machine resolves it, whose name server is the gateway; if that is unknown, as the jumphost does. */
async function nameUse(host: Host, rack: Rack, alias: string): Promise<string[]> {
  const { jumphost, network } = rack;
  const server = network.gateway ?? routerOf(rack)?.address ?? '';
  const { address } = jumphost;
  const names = server === '' ? [alias] : [`${alias}.${network.domain}`, alias];
  const resolve = script(new URL('./resolve-name.mjs', import.meta.url));
  const command = nodeCommand(resolve, [server, address.includes(':') ? 6 : 4, ...names]);
  const found = (await host.need(command, { deadlineMs: 20_000 })).trim();
  if (found === address) return [];
  return [
    `machines cannot use the name ${alias}: ${server || 'the jumphost'} resolves it to ${found} instead of ${address}; fix the rack's DNS (see skolo rack render) and the jumphost's /etc/hosts`,
  ];
}
