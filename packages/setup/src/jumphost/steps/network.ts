/** Decides whether a jumphost's network works: the kernel sends packets to the rack and the internet, and programs can resolve names. */
import { script, withArguments } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import { fewOf, type Host, linesOf, type Step } from '@skolo/setup/engine';
import { lastResort } from '@skolo/setup/k3s';
import { isIn } from '../address/fixed-address.ts';
import { equipmentOf, familyOf, outside } from '../address/rack-addresses.ts';

/**
 * Asks the kernel for its route to each address, because each table (`ip rule`) may have one, and the resolver of programs for names,
 * because nsswitch.conf and /etc/hosts also decide.
 *
 * @param subnet of the rack
 */
export function networkStep(rack: Rack, subnet: string): Step {
  const { address } = rack.jumphost;
  // A jumphost may be the rack's router.
  const addresses = equipmentOf(rack).filter((each) => each !== address);
  const internet = outside[familyOf(address)];
  async function check(host: Host) {
    const to = [internet, ...addresses].join(' ');
    const read = withArguments(
      script(new URL('./read-network.sh', import.meta.url)),
      address,
      to,
      namesIn(rack).join(' '),
    );
    const [device = '', ...lines] = linesOf(await host.need(read, { deadlineMs: 120_000 }));
    const routes = lines.flatMap((line) => {
      const [, to, via, mtu = '1500'] = /^route (\S+) (\S*?)(?: mtu (\d+))?$/.exec(line) ?? [];
      return to === undefined || via === undefined ? [] : [{ to, via, mtu: Number(mtu) }];
    });
    const small = routes.filter(({ to, mtu }) => isIn(to, subnet) && mtu < 1500);
    const wrong = routes.filter(({ to, via }) =>
      isIn(to, subnet) ? via !== device : ['', 'lo', lastResort].includes(via),
    );
    const elsewhere = wrong.filter(({ to }) => to !== internet);
    const named = elsewhere.map(({ to, via }) => `${to} (${via || 'no route'})`);
    const names = lines.flatMap((line) => /^name (.+)$/.exec(line)?.[1] ?? []);
    return {
      differs: [
        ...lines.filter((line) => !/^(?:route|name) /.test(line)),
        ...(elsewhere.length < wrong.length
          ? [
              `there is no default route, so the internet is unreachable; add the gateway to the network settings (ip route get ${internet})`,
            ]
          : []),
        ...(named.length > 0
          ? [
              `${named.length} of ${addresses.length} addresses in rack.yaml are not routed over ${device}: ${fewOf(named)}; remove the route or rule (ip rule; ip route show table all)`,
            ]
          : []),
        ...(small.length > 0
          ? [
              `large packets to ${fewOf(small.map(({ to, mtu }) => `${to} (MTU ${mtu})`))} are lost, because of their route; run ip route get ${small[0]?.to}, and remove its mtu from the network settings, or run ip route flush cache`,
            ]
          : []),
        ...(names.length > 0
          ? [
              `${fewOf(names)} cannot be resolved; check the name servers in /etc/resolv.conf, \`hosts\` in /etc/nsswitch.conf, and the internet connection`,
            ]
          : []),
      ],
    };
  }
  return {
    name: 'network',
    about: 'the jumphost has routes to the internet and all equipment, and can resolve names',
    check,
  };
}

/** Hosts in the URLs that the jumphost's services use. */
function namesIn({
  services: { 'swarming-client': _, ...services },
  alertmanager,
}: Rack): string[] {
  const text = JSON.stringify([services, alertmanager]);
  const hosts = text.matchAll(/"(?:https?|ssh|mqtts?):\/\/(?:[^@/"]*@)?([a-z][\w.-]*\w)/gi);
  return [...new Set([...hosts].flatMap(([, host]) => host ?? []))];
}
