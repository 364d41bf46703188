/** The address of rack.yaml, fixed: after a power cut the rack must not wait for a router. */
import { checkByScript } from '../files.ts';
import { quote } from '../host.ts';
import type { Step } from '../step.ts';

/** Only checked: Debian has three programs that set addresses, and a person has chosen one of them. */
export function addressStep(address: string): Step {
  const family = address.includes(':') ? '-6' : '-4';
  return {
    name: 'address',
    about: `${address}, and not from DHCP`,
    check: (host) =>
      checkByScript(
        host,
        `line=$(ip ${family} -o address show to ${quote(address)})
case "$line" in
  '') echo 'no interface has the address ${address} of rack.yaml; set it, for example in /etc/network/interfaces, or correct jumphost.address' ;;
  *' dynamic '*) echo 'the address ${address} comes from DHCP, and a start without the router would wait for it; make it fixed, for example in /etc/network/interfaces' ;;
esac`,
      ),
  };
}
