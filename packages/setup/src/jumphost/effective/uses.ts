/** Tries once what a rack is for: tokens, alerts, outlets, names and the time. Nothing is changed. */
import { errorText, parseJson, shellWord } from '@skolo/base';
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
        ...services.map((each) => serviceUses(host, rack, each, failedOver.has(each.name))),
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

/** Degraded parts, and what the metrics of a service show. */
async function serviceUses(
  host: Host,
  rack: Rack,
  service: AskedService,
  isFailedOver: boolean,
): Promise<string[]> {
  const { name } = service;
  const answer = await readService(host, service, isFailedOver ? '127.0.0.1' : undefined);
  if ('why' in answer) return [`${name}: not tried, because ${answer.why}`];
  const { ready, metrics } = answer;
  if (ready.status === 0) return [`${name}: not tried, because it does not respond: ${ready.text}`];
  const { data } = Degraded.safeParse(parseJson(ready.text));
  const degraded = (data?.degraded ?? []).map(({ what, why }) => `${name}: ${what}: ${why}`);
  return [...degraded, ...(usesOf[name]?.(samplesIn(metrics.text), rack) ?? [])];
}

type Samples = (metric: string) => ReadonlyMap<string, number>;

/** By the value of the first label. */
function samplesIn(text: string): Samples {
  return (metric) => {
    const lines = text.matchAll(new RegExp(`^${metric}\\{\\w+="([^"]*)".*\\} (\\S+)$`, 'gm'));
    return new Map([...lines].map(([, label = '', value]) => [label, Number(value)]));
  };
}

const usesOf: Readonly<Record<string, (samples: Samples, rack: Rack) => string[]>> = {
  'metadata-server': (samples) =>
    [...samples('skolo_metadata_token_remaining_seconds')].flatMap(([identity, left]) =>
      left > 0
        ? []
        : [`the identity ${identity} has no valid token; run skolo metadata identities`],
    ),
  'alert-to-pubsub': (samples) =>
    [...samples('skolo_alerts_sink_accepted_timestamp_seconds')].flatMap(([sink, at]) =>
      at > 0
        ? []
        : [
            `the sink ${sink} has not accepted anything since its settings changed; run skolo alerts send`,
          ],
    ),
  'power-cycle-daemon'(samples, { jumphost, machines, equipment }) {
    const read = [...samples('skolo_power_outlet_on').keys()];
    const fed = [jumphost, ...machines.values(), ...equipment.values()];
    const controllers = new Set(fed.flatMap(({ power }) => power.map(({ device }) => device)));
    return [...controllers].flatMap((name) =>
      // A hub on a machine is read on request only.
      machines.has(name) || read.some((outlet) => outlet.startsWith(`${name}/`))
        ? []
        : [`${name}: none of its outlets has been read; run skolo power controllers`],
    );
  },
};

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
  const script = `left=20
while systemctl is-active -q chrony.service; do
  ! chronyc -c -n sources 2> /dev/null | awk -F , '$2 == "*" && $6 > 0' | grep -q . || exit 0
  left=$((left - 1))
  [ "$left" -gt 0 ] || { echo 'chronyd does not receive the time from any of its sources, so the clocks of the rack drift; check the sources (chronyc -n sources), their names, and UDP port 123'; exit 0; }
  sleep 1
done`;
  return linesOf(await host.need(script, { deadlineMs: 40_000 }));
}

/** As a machine resolves it, whose name server is the gateway. */
async function nameUse(host: Host, rack: Rack, alias: string): Promise<string[]> {
  const { jumphost, network } = rack;
  const gateway = network.gateway ?? routerOf(rack)?.address;
  if (gateway === undefined) return [];
  const { address } = jumphost;
  const type = address.includes(':') ? 'AAAA' : 'A';
  const script = `
import { Resolver } from 'node:dns/promises';
const [server, type, ...names] = process.argv.slice(1);
const resolver = new Resolver({ timeout: 2000, tries: 2 });
resolver.setServers([server]);
let why;
for (const name of names) {
  const found = await resolver.resolve(name, type).catch((error) => { why = error.code; });
  if (found) { console.log(found.join()); process.exit(); }
}
console.log('nothing (' + why + ')');`;
  const names = [`${alias}.${network.domain}`, alias];
  const args = [script, gateway, type, ...names].map(shellWord).join(' ');
  const found = (
    await host.need(`/usr/bin/node --input-type=module -e ${args}`, { deadlineMs: 20_000 })
  ).trim();
  if (found === address) return [];
  return [
    `machines cannot use the name ${alias}: ${gateway} resolves it to ${found} instead of ${address}; fix the rack's DNS (see skolo rack render)`,
  ];
}
