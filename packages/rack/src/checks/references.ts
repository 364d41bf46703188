/** Checks references to identities and logins. */

import type { Login } from '@skolo/base/secrets';
import { type Draft, type Report, type Spot, within } from '../draft/draft.ts';
import { didYouMean } from '../issues/suggest.ts';
import type { Equipment } from '../rack/rack.ts';

export function checkReferences(draft: Draft, report: Report): void {
  const { rack, declared } = draft;

  function identity(name: string | undefined, spot: Spot): void {
    if (name === undefined || name === 'none' || declared.identities.has(name)) return;
    report(
      spot,
      'identity',
      `unknown identity "${name}"${didYouMean(name, [...declared.identities, 'none'])}`,
      undefined,
      { missing: { section: 'identities', name } },
    );
  }

  function login(name: string | undefined, spot: Spot): Login | undefined {
    if (name === undefined) return undefined;
    if (!declared.logins.has(name)) {
      const message = `unknown login "${name}"${didYouMean(name, declared.logins)}`;
      report(spot, 'login', message, undefined, { missing: { section: 'logins', name } });
    }
    return rack.logins.get(name);
  }

  for (const { name, read } of rack.logins.values()) login(read, ['logins', name, 'read']);
  identity(rack.defaultIdentity, ['defaultIdentity']);
  identity(rack.jumphost?.identity, ['jumphost', 'identity']);
  rack.services['metadata-server'].callers.forEach((caller, i) => {
    identity(caller.identity, ['services', 'metadata-server', 'callers', i, 'identity']);
  });
  for (const equipment of rack.equipment.values()) {
    const spot = () => within(draft, equipment, 'login');
    const found = login(equipment.login, spot);
    const lack = found && lacking(found, equipment);
    if (lack)
      report(
        spot,
        'login',
        `"${equipment.login}" has no ${lack}, which ${equipment.model} requires over ${equipment.transport}`,
      );
  }
  for (const machine of rack.machines.values()) {
    identity(machine.identity, () => within(draft, machine, 'identity'));
    const spot = () => within(draft, machine, 'login');
    const found = login(machine.login, spot);
    if (found && !found.username)
      report(spot, 'login', `"${machine.login}" has no \`username\`, which SSH requires`);
    // Tasks are root on machines. A key only signs, and is not sent to them.
    if (found?.password)
      report(
        spot,
        'login',
        `"${machine.login}" has a \`password\`, which SSH would send to anyone who is root on the machine; remove it, and use \`privateKey\``,
      );
    for (const device of machine.devices) login(device.login, () => within(draft, device, 'login'));
  }
}

function lacking(login: Login, { transport }: Equipment): string | undefined {
  if (transport === 'snmp') return login.snmp ? undefined : '`snmp`';
  const named = transport === 'ssh' || transport === 'ipmi';
  return named && !login.username ? '`username`' : undefined;
}
