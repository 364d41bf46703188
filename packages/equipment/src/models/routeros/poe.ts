/** RouterOS's PoE values, which are the same at its console and in its REST API. */
import type { OutletReading } from '../contract/outlets.ts';

/** `auto-on`, `forced-on`, `forced-on-bt` and what later versions add. */
export function isOnMode(mode: string): boolean {
  return /^(?:auto|forced)-on(?:-[a-z]{1,10})?$/.test(mode);
}

/** short-circuit, overload, voltage-too-low, current-too-low, controller_error. */
const faultStatus = /short|overload|too[-_](?:low|high)|error/;

/** @param setting `poe-out`, @param status `poe-out-status` */
export function poeReading(
  setting: string,
  status: string | undefined,
  watts: number | undefined,
): OutletReading {
  // While a port is being cycled, its setting stays the same.
  const isOn = isOnMode(setting) && !/^power[-_]reset$/.test(status ?? '');
  return {
    state: isOn ? 'on' : setting === 'off' || isOnMode(setting) ? 'off' : 'unknown',
    delivering: status === undefined ? undefined : status === 'powered-on',
    fault: isOn && faultStatus.test(status ?? '') ? status : undefined,
    watts,
    mode: isOn ? setting : undefined,
  };
}
