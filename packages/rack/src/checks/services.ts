/** Checks settings of services against each other. */
import { isDeepStrictEqual } from 'node:util';

import { claims, type Draft, type Report, within } from '../draft/draft.ts';
import type { Path } from '../issues/issues.ts';
import { didYouMean } from '../issues/suggest.ts';
import { swarmingSettings } from '../rack/overrides.ts';
import { expandNames, RangeSyntaxError } from '../ranges/ranges.ts';
import { servicePorts } from '../schema/service-ports.ts';
import { defaultSettings, type ServicesSettings } from '../schema/settings/settings.ts';
import { checkAlerts } from './alerts.ts';
import { checkRequest } from './requests.ts';

/** Settings of the agent that only a bot uses. */
const settingsOfBot = [
  'server',
  'servers',
  'python',
  'backoffSeconds',
  'taskGraceSeconds',
  'afterTask',
  'isolatedCacheBytes',
  'dimensions',
];

export function checkServices(draft: Draft, report: Report): void {
  const { services } = draft.rack;
  checkCallers(services['metadata-server'], report);
  checkBackup(services['router-backup'], report);
  for (const equipment of draft.rack.equipment.values()) {
    const { backupLimits: own } = equipment;
    if (own === undefined) continue;
    // Report the key that the device sets.
    const low = own.idleSeconds === undefined ? 'totalSeconds' : 'idleSeconds';
    inOrder(
      { ...services['router-backup'], ...own },
      'idleSeconds',
      'totalSeconds',
      within(draft, equipment, 'backup'),
      report,
      low,
    );
  }
  checkPowerCycles(draft, report);
  checkAlerts(services['alert-to-pubsub'], report);
  checkAgent(services['swarming-client'], report);
  for (const machine of draft.rack.machines.values()) {
    const own = Object.keys(machine.swarming);
    if (own.length === 0) continue;
    const path = within(draft, machine, 'swarming');
    const settings = swarmingSettings(draft.rack, machine);
    checkAgent(settings, report, path, own);
    if (settings.bot !== 'none') continue;
    const why =
      machine.swarming.bot === 'none'
        ? 'the entry also has `bot: none`; remove one of them'
        : '`services.swarming-client` has `bot: none`; remove this key, or add `bot: swarming` to the entry';
    for (const key of settingsOfBot.filter((each) => own.includes(each))) {
      report([...path, key], 'bot', `applies only to a bot, but ${why}`);
    }
  }
  checkNoBots(draft, report);
}

/** Without any bot, a server contradicts `bot: none`. The other settings may stay for when there are bots again. */
function checkNoBots({ rack }: Draft, report: Report): void {
  const settings = rack.services['swarming-client'];
  const machines = [...rack.machines.values()];
  if (settings.bot !== 'none' || machines.some(({ swarming }) => swarming.bot === 'swarming')) {
    return;
  }
  const usual: object = defaultSettings()['swarming-client'];
  for (const key of ['server', 'servers']) {
    if (isDeepStrictEqual(Reflect.get(settings, key), Reflect.get(usual, key))) continue;
    const why =
      'applies only to a bot, but `bot` is `none` for all machines; remove this key or `bot: none`';
    report(['services', 'swarming-client', key], 'bot', why);
  }
}

/** The first of two values must not be more than the second. */
function inOrder(
  values: object,
  low: string,
  high: string,
  path: Path,
  report: Report,
  where = low,
): void {
  const first = Number(Reflect.get(values, low));
  const second = Number(Reflect.get(values, high));
  if (first > second) {
    report([...path, where], 'order', `${low} (${first}) is greater than ${high} (${second})`);
  }
}

function checkCallers({ callers }: ServicesSettings['metadata-server'], report: Report): void {
  const firstOf = claims<string>();
  callers.forEach(({ cidr, identity }, i) => {
    const path = ['services', 'metadata-server', 'callers', i, 'cidr'];
    const other = firstOf(cidr, identity);
    if (other === undefined) return;
    report(path, 'twice', `${cidr} is also used with the identity "${other}"`);
  });
}

function checkBackup(settings: ServicesSettings['router-backup'], report: Report): void {
  const { upload, git, encrypt } = settings;
  const path = ['services', 'router-backup'];
  const key = upload === undefined ? ['git', 'remote'] : ['upload'];
  if ((upload ?? git.remote) !== undefined && encrypt === undefined) {
    const choice = '`encrypt: [age1…]` or `encrypt: none`';
    report(
      [...path, ...key],
      'encrypt',
      `sends data out of the rack, which requires \`encrypt\`; set ${choice}`,
    );
  }
  if (settings.webhook) checkRequest(settings.webhook, [...path, 'webhook'], report);
  inOrder(settings, 'idleSeconds', 'totalSeconds', path, report);
}

function checkPowerCycles({ rack, declared, omitted }: Draft, report: Report): void {
  const settings = rack.services['power-cycle-daemon'];
  const path = ['services', 'power-cycle-daemon'];
  const { port, aliases = [] } = settings.endpoints.pdudaemon ?? {};
  const machines = [...rack.machines.values()];
  const phones = machines.flatMap(({ devices }) => devices.map(({ fullName }) => fullName));
  const names = new Set([...rack.machines.keys(), ...phones, ...rack.equipment.keys()]);
  const broken = [...declared.machines, ...declared.equipment, ...omitted].filter(
    (name) => !names.has(name),
  );
  aliases.forEach((alias, i) => {
    const why = aliasProblem(alias, names, broken);
    if (why) report([...path, 'endpoints', 'pdudaemon', 'aliases', i], 'alias', why);
  });
  if (port === servicePorts['power-cycle-daemon'].port) {
    const what = `${port} is also used by the service itself`;
    report([...path, 'endpoints', 'pdudaemon', 'port'], 'twice', what);
  }
  inOrder(settings.holds, 'defaultHours', 'maxHours', [...path, 'holds'], report);
  inOrder(settings.probeSeconds, 'first', 'most', [...path, 'probeSeconds'], report);
}

/** @param broken of entries with errors; the phones of such a machine are unknown */
function aliasProblem(
  alias: string,
  names: ReadonlySet<string>,
  broken: readonly string[],
): string | undefined {
  const isBroken = (name: string) =>
    broken.some((each) => name === each || name.startsWith(`${each}-`));
  try {
    const unknown = expandNames(alias).find((name) => !names.has(name) && !isBroken(name));
    return unknown && `unknown name "${unknown}"${didYouMean(unknown, names)}`;
  } catch (error) {
    if (error instanceof RangeSyntaxError) return error.message;
    throw error;
  }
}

function checkAgent(
  { thresholds, host, deviceModels, backoffSeconds }: ServicesSettings['swarming-client'],
  report: Report,
  path: Path = ['services', 'swarming-client'],
  only?: string[],
): void {
  const isOf = (key: string) => only === undefined || only.includes(key);
  const checkThresholds = (values: object, at: Path) => {
    inOrder(values, 'batteryLowPercent', 'batteryGoodPercent', at, report);
    inOrder(values, 'coolCelsius', 'hotCelsius', at, report);
    inOrder(values, 'coolProcessorCelsius', 'hotProcessorCelsius', at, report);
  };
  if (isOf('thresholds')) checkThresholds(thresholds, [...path, 'thresholds']);
  if (isOf('deviceModels')) {
    for (const [model, own] of Object.entries(deviceModels)) {
      checkThresholds({ ...thresholds, ...own }, [...path, 'deviceModels', model]);
    }
  }
  if (isOf('host')) {
    inOrder(host, 'diskLowPercent', 'diskGoodPercent', [...path, 'host'], report);
    inOrder(host, 'coolCelsius', 'hotCelsius', [...path, 'host'], report);
  }
  if (isOf('backoffSeconds'))
    inOrder(backoffSeconds, 'first', 'most', [...path, 'backoffSeconds'], report);
}
