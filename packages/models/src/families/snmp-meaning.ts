/** Numbers that devices report over SNMP. */
import { DeviceRefused } from '@skolo/equipment';

/** @throws DeviceRefused The number means nothing, or is missing. */
export function meaningOf<T>(
  device: string,
  outlet: string,
  number: number | undefined,
  meanings: ReadonlyMap<number, T>,
): T {
  const meaning = number === undefined ? undefined : meanings.get(number);
  if (meaning !== undefined) return meaning;
  throw new DeviceRefused(device, `the state ${number} of outlet ${outlet} means nothing`);
}
