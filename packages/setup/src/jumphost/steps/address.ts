/** Sets the jumphost's fixed address from rack.yaml, because after a power cut, the rack must not wait for a router. */
import { shellWord } from '@skolo/base';
import { checkByScript, type Guard, type Step, unconfirmed } from '@skolo/setup/engine';
import { changeAddress } from '../address/fixed-address.ts';

/** @param subnet of the rack */
export function addressStep(address: string, subnet: string, guard: Guard): Step {
  const family = address.includes(':') ? '-6' : '-4';
  return {
    name: 'address',
    about: `${address} is configured statically, not by DHCP`,
    check: checkByScript(`${unconfirmed}
line=$(ip ${family} -o address show to ${shellWord(address)})
case "$line" in
  '') echo 'no interface has ${address}, the address in rack.yaml' ;;
  *' dynamic '*) echo '${address} comes from DHCP, so the jumphost cannot get it if it boots without the router' ;;
esac`),
    apply: (host) => changeAddress(host, { address, subnet }, guard),
  };
}
