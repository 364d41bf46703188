/** Configures a running Pi's Wi-Fi with NetworkManager or netplan. */
import {
  ComputerError,
  type Guard,
  guardedStep,
  type Step,
  type TextFile,
} from '@skolo/setup/engine';
import { stringify } from 'yaml';
import { netplanOf, type Wifi, wifiFile } from '../boot/network.ts';
import type { PiSetup } from '../setup.ts';

const netplanFile = '/etc/netplan/60-skolo-wifi.yaml';

/** Undone automatically if no session can be opened after it. The kernel requires the country, which is also on its command line. */
export function wifiStep(setup: PiSetup, wifi: Wifi, guard: Guard): Step {
  const { wifis } = netplanOf({ ...setup, wifi }, 'cloud-init').network;
  const netplan: TextFile = {
    path: netplanFile,
    content: stringify({ network: { version: 2, wifis } }, { version: '1.1', lineWidth: 0 }),
    mode: 0o600,
  };
  return guardedStep(
    {
      name: 'wifi',
      about: `${wifi.ssid}, ${wifi.country}`,
      async files(host) {
        const { stdout } = await host.run(
          'if systemctl is-active -q NetworkManager.service; then echo NetworkManager; elif command -v netplan > /dev/null; then echo netplan; fi',
        );
        const program = stdout.trim();
        if (program !== '') return [program === 'netplan' ? netplan : wifiFile(wifi)];
        throw new ComputerError(
          'NetworkManager is not running, and netplan is not installed; set up Wi-Fi manually and omit --wifi',
        );
      },
      activate: `rfkill unblock wifi 2>/dev/null || true
iw reg set ${wifi.country} 2>/dev/null || true
if systemctl is-active -q NetworkManager.service; then nmcli radio wifi on && nmcli connection reload
else netplan apply
fi`,
      verify: `for each in /sys/class/rfkill/*; do
  [ "$(cat "$each/type" 2>/dev/null)" != wlan ] || [ "$(cat "$each/soft")" = 0 ] || echo 'the Wi-Fi radio is turned off'
done`,
    },
    guard,
  );
}
