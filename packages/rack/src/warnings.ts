/** Likely oversights: nothing that stops a service, but worth a look. */
import { type Draft, type Report, reportTo, within } from './draft.ts';
import type { Problem } from './issues.ts';
import { models } from './models/index.ts';
import type { Rack } from './rack.ts';

export function warningsOf(rack: Rack, draft: Draft): Problem[] {
  const problems: Problem[] = [];
  const report = reportTo(problems);
  warnOfMachines(rack, draft, report);
  warnOfInfrastructure(rack, draft, report);
  warnOfUnused(rack, draft, report);
  warnOfServices(rack, report);
  return problems;
}

function warnOfMachines(rack: Rack, draft: Draft, report: Report): void {
  const { jumphost, machines } = rack;
  if (jumphost.power.length === 0)
    report(['jumphost'], 'power', 'has no `power`: what must never be cut is not known', 'key');
  if (!jumphost.uplink)
    report(['jumphost'], 'uplink', 'has no `uplink`: what must never be cut is not known', 'key');
  for (const machine of machines.values()) {
    const path = within(draft, machine);
    if (machine.power.length === 0)
      report(path, 'power', 'has no `power`: nobody can cycle it', 'key');
    if (!machine.uplink)
      report(path, 'uplink', 'has no `uplink`: it is not known which switch it hangs on', 'key');
    if (!machine.address)
      report(
        path,
        'address',
        'has no `address`: it gets no identity, and is never seen back',
        'key',
      );
    if (machine.identity === undefined && rack.defaultIdentity === undefined) {
      report(
        path,
        'identity',
        'has no `identity`, and there is no `defaultIdentity`: it gets no token',
        'key',
      );
    }
  }
}

function warnOfInfrastructure(rack: Rack, draft: Draft, report: Report): void {
  for (const device of rack.infrastructure.values()) {
    const path = within(draft, device);
    const model = models.get(device.model);
    if (device.login === undefined && needsLogin(device.transport)) {
      report(
        path,
        'login',
        `has no \`login\`: nobody can sign in to it over ${device.transport}`,
        'key',
      );
    }
    if (model?.backup !== true && model !== undefined) {
      report(path, 'backup', `is not backed up: ${model.backup.no}`, 'key');
    } else if (!device.backup) {
      report([...path, 'backup'], 'backup', 'is not backed up: rack.yaml says so', 'key');
    }
  }
}

function needsLogin(transport: string): boolean {
  return (
    transport === 'ssh' || transport === 'telnet' || transport === 'snmp' || transport === 'ipmi'
  );
}

function warnOfUnused(rack: Rack, draft: Draft, report: Report): void {
  const machines = [...rack.machines.values()];
  const identities = new Set([
    rack.defaultIdentity,
    rack.jumphost.identity,
    ...machines.map(({ identity }) => identity),
    ...rack.services['metadata-server'].callers.map(({ identity }) => identity),
  ]);
  for (const identity of rack.identities.values()) {
    if (!identities.has(identity.name))
      report(within(draft, identity), 'unused', 'is used by nobody', 'key');
  }
  const logins = new Set([
    ...[...rack.infrastructure.values()].map(({ login }) => login),
    ...machines.flatMap(({ login, devices }) => [login, ...devices.map((device) => device.login)]),
  ]);
  for (const login of rack.logins.values()) {
    if (!logins.has(login.name)) report(within(draft, login), 'unused', 'is used by nobody', 'key');
  }
}

function warnOfServices(rack: Rack, report: Report): void {
  const { services } = rack;
  const { repair } = services['power-cycle-daemon'];
  if (repair.uplink.enabled && !hasSelfCyclingRouter(rack)) {
    report(
      ['services', 'power-cycle-daemon', 'repair', 'uplink'],
      'uplink',
      'can do nothing: no device with `uplink: internet` is fed by an outlet that cycles by itself',
    );
  }
  const agent = services['swarming-client'];
  if (agent.server === undefined && !agent.servers.some(({ prefix }) => prefix === '')) {
    report(
      ['services', 'swarming-client', 'servers'],
      'servers',
      'has no `prefix: ""`: machines with another name get no bot',
    );
  }
}

function hasSelfCyclingRouter({ infrastructure }: Rack): boolean {
  return [...infrastructure.values()].some(
    ({ uplink, power }) =>
      uplink === 'internet' &&
      power.some(
        ({ device }) => models.get(infrastructure.get(device)?.model ?? '')?.power?.nativeCycle,
      ),
  );
}
