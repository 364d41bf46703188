/** Decides which warnings rack.yaml gets: likely oversights, which do not stop any service. */

import { models, type Transport, whyUnsure } from '@skolo/equipment/models';
import { type Draft, type Report, reportTo, within } from '../draft/draft.ts';
import type { Problem } from '../issues/issues.ts';
import { swarmingSettings } from '../rack/overrides.ts';
import { sharedPort } from '../rack/wiring.ts';
import type { ServiceName } from '../schema/service-ports.ts';

/**
 * For a draft without problems.
 *
 * @param listed services that the file has settings for
 */
export function warningsOf(draft: Draft, listed: readonly string[]): Problem[] {
  const problems: Problem[] = [];
  const report = reportTo(problems);
  const uses = (service: ServiceName, isNeeded: boolean) => isNeeded || listed.includes(service);
  const { identities, equipment, machines } = draft.rack;
  const fed = [...equipment.values(), ...machines.values()];
  const isBackedUp = [...equipment.values()].some(
    ({ model, backup }) => backup && 'load' in (models.get(model)?.backup ?? {}),
  );
  const used = {
    power: uses(
      'power-cycle-daemon',
      fed.some(({ power }) => power.length > 0),
    ),
    tokens: uses('metadata-server', identities.size > 0),
    backups: uses('router-backup', isBackedUp),
  };
  if (used.power) warnOfJumphost(draft, report);
  warnOfMachines(draft, used, report);
  warnOfEquipment(draft, used, report);
  if (used.backups) warnOfDescriptions(draft, report);
  warnOfLogins(draft, report);
  warnOfSharedPasswords(draft, report);
  warnOfAgentKey(draft, report);
  warnOfUnused(draft, report);
  warnOfEmails(draft, report);
  warnOfServices(draft, report);
  warnOfAlerts(draft, report);
  return problems;
}

function warnOfJumphost({ rack: { jumphost } }: Draft, report: Report): void {
  const why = "the power-cycle daemon cannot protect the jumphost's";
  if (!jumphost?.power.length)
    report(['jumphost'], 'power', `has no \`power\`, so ${why} power supply`, 'key');
  if (!jumphost?.uplink)
    report(['jumphost'], 'uplink', `has no \`uplink\`, so ${why} network connection`, 'key');
}

function warnOfAgentKey({ rack: { access } }: Draft, report: Report): void {
  if (access.agents === undefined || access.agents.publicKey !== undefined) return;
  const why = 'agents do not accept orders; `skolo secrets generate` prints it';
  report(['access', 'agents'], 'publicKey', `has no \`publicKey\`, so ${why}`, 'key');
}

/** Parts of the inventory that a service uses. */
interface Used {
  power: boolean;
  tokens: boolean;
  backups: boolean;
}

function warnOfMachines(draft: Draft, used: Used, report: Report): void {
  const { machines, defaultIdentity } = draft.rack;
  const addresses = new Map<string, string>();
  for (const machine of machines.values()) {
    const { name, power, uplink, address, identity = defaultIdentity } = machine;
    const lacks = (key: string, why: string) => {
      report(() => within(draft, machine), key, `has no \`${key}\`${why}`, 'key');
    };
    if (used.power && power.length === 0) lacks('power', ', so it cannot be power-cycled');
    if (used.power && !uplink) lacks('uplink', ', so its switch is unknown');
    if (!address)
      lacks(
        'address',
        ', so the metadata server cannot identify the machine, and power cycles cannot verify that it is up again',
      );
    const hasBot = swarmingSettings(draft.rack, machine).bot !== 'none';
    if (used.tokens && !identity && hasBot)
      lacks('identity', ' and rack.yaml has no `defaultIdentity`, so it does not receive a token');
    for (const device of machine.devices) {
      const shared = sharedPort(machine, device)?.fullName;
      if (shared === undefined) continue;
      const why = `a power cycle of ${shared} may also cut its power, because a Raspberry Pi switches all its USB ports together (see \`powerVerified\`)`;
      report(() => within(draft, device), 'power', `has no \`power\`, but ${why}`, 'key');
    }
    const first = address && addresses.get(address);
    if (address && first === undefined) addresses.set(address, name);
    else if (first) {
      const why = `the metadata server identifies callers by address and treats both as ${first}`;
      report(
        () => within(draft, machine, 'address'),
        'address',
        `is also the address of ${first}, but ${why}`,
      );
    }
  }
}

function warnOfEquipment(draft: Draft, { backups }: Used, report: Report): void {
  for (const equipment of draft.rack.equipment.values()) {
    const { login, transport, backup } = equipment;
    const path = within(draft, equipment);
    const model = models.get(equipment.model);
    if (login === undefined && needsLogin(transport)) {
      report(
        path,
        'login',
        `has no \`login\`, so services cannot sign in over ${transport}`,
        'key',
      );
    }
    if (!backups) continue;
    if (model !== undefined && 'no' in model.backup) {
      report(path, 'backup', `is not backed up: ${model.backup.no}`, 'key');
    } else if (!backup) {
      report([...path, 'backup'], 'backup', 'is false, so it is not backed up', 'key');
    }
  }
}

/** Descriptions by which a message is stored as a configuration, if the equipment repeats it. */
function warnOfDescriptions(draft: Draft, report: Report): void {
  for (const lab of draft.labModels.values()) {
    const why = lab?.base.name === 'generic' && whyUnsure(lab.values);
    if (lab && why) report(lab.path, 'has', why, 'key');
  }
  for (const equipment of draft.rack.equipment.values()) {
    const { model, description, backup, options } = equipment;
    if (model !== 'generic' || description !== undefined || !backup) continue;
    const why = whyUnsure(options);
    if (why) report(within(draft, equipment), 'has', why, 'key');
  }
}

/** How many devices may know the same password. */
const mostSharing = 5;

/** A compromised device learns the password of each session, and so does everybody on the path of a telnet session. */
function warnOfSharedPasswords({ rack }: Draft, report: Report): void {
  const { equipment, machines } = rack;
  for (const { name, password, privateKey } of rack.logins.values()) {
    if (password === undefined) continue;
    const isSent = (transport: Transport | undefined) =>
      transport !== 'snmp' && (transport !== 'ssh' || privateKey === undefined);
    const shown = [
      ...[...equipment.values()].filter(({ login }) => login === name),
      ...[...machines.values()].flatMap(({ login }) =>
        login === name ? [{ transport: 'ssh' as const }] : [],
      ),
    ].filter(({ transport }) => isSent(transport));
    const overTelnet = shown.filter(({ transport }) => transport === 'telnet').length;
    const path = ['logins', name, 'password'];
    if (overTelnet > 0 && overTelnet < shown.length) {
      const why = 'telnet sends it unencrypted; use a separate login for telnet';
      report(path, 'password', `is also used without telnet, but ${why}`);
    } else if (shown.length > mostSharing) {
      const why = `each of them, if compromised, learns it; use several logins, or \`privateKey\``;
      report(path, 'password', `is the password of ${shown.length} hosts, and ${why}`);
    }
  }
}

/** OpenSSL 3 has DES only in its legacy provider, which Node does not load. */
function warnOfLogins({ rack }: Draft, report: Report): void {
  for (const { name, snmp } of rack.logins.values()) {
    if (snmp?.privProtocol !== 'des') continue;
    const path = ['logins', name, 'snmp', 'privProtocol'];
    report(path, 'privProtocol', 'is des, which is not supported; use aes if it is supported');
  }
}

/** Whether services cannot sign in over this transport without a login. */
export function needsLogin(transport: Transport): boolean {
  return ['ssh', 'telnet', 'snmp', 'ipmi'].includes(transport);
}

function warnOfUnused(draft: Draft, report: Report): void {
  const { rack } = draft;
  const machines = [...rack.machines.values()];
  const identities = new Set([
    rack.defaultIdentity,
    rack.jumphost?.identity,
    ...machines.map(({ identity }) => identity),
    ...rack.services['metadata-server'].callers.map(({ identity }) => identity),
  ]);
  const logins = new Set([
    ...[...rack.equipment.values()].map(({ login }) => login),
    ...[...rack.logins.values()].map(({ read }) => read),
    ...machines.flatMap(({ login, devices }) => [login, ...devices.map((device) => device.login)]),
  ]);
  const unused = [
    ...[...rack.identities.values()].filter(({ name }) => !identities.has(name)),
    ...[...rack.logins.values()].filter(({ name }) => !logins.has(name)),
  ];
  const descriptions = new Set([...rack.equipment.values()].map(({ description }) => description));
  const unusedModels = [...draft.labModels.keys()].filter((name) => !descriptions.has(name));
  const paths = [
    ...unused.map((entry) => within(draft, entry)),
    ...unusedModels.map((name) => ['models', name]),
  ];
  for (const path of paths) report(path, 'unused', 'is not used', 'key');
}

/** Clients of Google's metadata server request the e-mail address of the account. */
function warnOfEmails(draft: Draft, report: Report): void {
  const silent = ['fixed', 'refreshToken', 'externalAccount'];
  for (const identity of draft.rack.identities.values()) {
    const { email, credentials } = identity;
    if (email !== undefined || !silent.includes(credentials.kind)) continue;
    const why = `the credentials (${credentials.kind}) might not provide the address, although clients request it`;
    report(within(draft, identity), 'email', `has no \`email\`, and ${why}`, 'key');
  }
}

function warnOfServices({ rack }: Draft, report: Report): void {
  const { services } = rack;
  if (services['power-cycle-daemon'].repair.internet.enabled && !hasSelfCyclingRouter(rack)) {
    const who =
      'no equipment with `uplink: internet` is powered by an outlet that can cycle autonomously';
    const path = ['services', 'power-cycle-daemon', 'repair', 'internet'];
    report(path, 'internet', `has no effect, because ${who}`);
  }
  const { bot, server, servers } = services['swarming-client'];
  if (bot !== 'none' && server === undefined && !servers.some(({ prefix }) => prefix === '')) {
    const path = ['services', 'swarming-client', 'servers'];
    report(
      path,
      'servers',
      'has no `prefix: ""`, so machines without a matching prefix do not run a bot',
    );
  }
}

/** Its requests come from the jumphost, or from a network in `callers`. */
function warnOfAlerts({ rack }: Draft, report: Report): void {
  const { jumphost, defaultIdentity, services } = rack;
  const { callers } = services['metadata-server'];
  if (services['alert-to-pubsub'].credentials !== 'metadata') return;
  if ((jumphost?.identity ?? defaultIdentity) !== undefined || callers.length > 0) return;
  report(
    ['services', 'alert-to-pubsub', 'credentials'],
    'identity',
    'is `metadata`, but the service does not receive a token, because the jumphost has no `identity` and rack.yaml has no `defaultIdentity`',
  );
}

function hasSelfCyclingRouter({ equipment }: Draft['rack']): boolean {
  const cyclesByItself = (name: string) =>
    models.get(equipment.get(name)?.model ?? '')?.power?.nativeCycle === true;
  return [...equipment.values()].some(
    ({ uplink, power }) =>
      uplink === 'internet' && power.some(({ device }) => cyclesByItself(device)),
  );
}
