/** Decides which login reads a device: one that may only read, where it suffices. */
import { models, type Readable } from '@skolo/equipment/models';
import type { Equipment, Rack } from './rack.ts';

/**
 * The name of the login with which `what` is read: `read` of the device's login if the model's facts state that read access suffices, and
 * if that login has an account for the transport. Otherwise the device's own login, which also makes all changes.
 */
export function loginToRead(
  { logins }: Pick<Rack, 'logins'>,
  { model, transport, login }: Pick<Equipment, 'model' | 'transport' | 'login'>,
  what: Readable,
): string | undefined {
  const reader = logins.get(logins.get(login ?? '')?.read ?? '');
  const suffices = models.get(model)?.readOnly?.includes(what) ?? false;
  const account = transport === 'snmp' ? reader?.snmp : (reader?.username ?? reader?.token);
  return suffices && account !== undefined ? reader?.name : login;
}
