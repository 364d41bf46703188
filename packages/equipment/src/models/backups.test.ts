/** The backups of all models with simulated equipment: whatever faults it has, a version has its exact content, or there is none. */

import { isDeepStrictEqual } from 'node:util';
import { isLong } from '@skolo/base/durable/fault-injection';
import { DeviceError, DeviceTimeout, SignInRejected } from '@skolo/equipment/transports';
import { type DeviceFault, deviceFaults, sessionOf } from '@skolo/simulators';
import { describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { memberBytes, readSmallTar, type TarMember } from './configuration/archive.ts';
import { isSame } from './configuration/text.ts';
import { models } from './index.ts';
import type { Outcomes } from './testing/backed-up.ts';
import { isMasked, stepsOf } from './testing/configurations.ts';
import { rackDevice } from './testing/outlets.ts';
import { enablePassword, proofsWith } from './testing/proofs.ts';
import { account, backUp, bytesOf, setFault, simulated } from './testing/simulated-device.ts';

/** The expected result of each fault; a proof may have another one. */
const usual: Outcomes = {
  down: 'failed',
  'drops-mid-way': 'failed',
  'drops-mid-configuration': 'failed',
  'silent-mid-configuration': 'failed',
  'cut-short': 'failed',
  'empty-answer': 'failed',
  'error-text': 'failed',
  garbled: 'failed',
  'rejects-login': 'failed',
  'password-expired': 'failed',
  'new-password-inside': 'failed',
  'pager-stays': 'whole',
  'prompt-in-banner': 'whole',
  'prompt-in-configuration': 'either',
  'long-banner': 'whole',
  trickles: 'whole',
  slow: 'whole',
  'odd-line-ends': 'whole',
  'odd-bytes': 'whole',
  'log-lines-between': 'whole',
  'logs-behind-prompt': 'whole',
  // Each of its empty lines waits for two seconds of silence.
  ...(isLong && { 'odd-logs-behind-prompt': 'whole' }),
  'log-inside-line': 'whole',
  'line-like-log': 'whole',
  'control-bytes': 'whole',
  'huge-configuration': 'whole',
  'password-twice': 'either',
};
const inChannels: Outcomes = { 'prompt-in-configuration': 'whole', 'password-twice': 'whole' };

/** Of a configuration. */
const hugeBytes = isLong ? 20 * 1024 * 1024 : 512 * 1024;

/** Each fault is always tried with these, over ssh and telnet; with the others, one for each outcome. */
const always: Readonly<Record<string, 'ssh' | 'telnet'>> = {
  'cisco-ios': 'ssh',
  edgeswitch: 'telnet',
};

/** With these, a session waits in silence, whatever the model. Only long runs try other models than the two above with them. */
const waits: readonly DeviceFault[] = [
  'password-twice',
  'logs-behind-prompt',
  'silent-mid-configuration',
];

const cases = proofsWith('backup').flatMap(({ model, proof }) => {
  const { backup } = proof;
  if ('needs' in backup) return [];
  const own = { name: model, model, proof, backup };
  if (backup.also === undefined) return [own];
  const other = { ...backup, ...backup.also, incomplete: [] };
  return [own, { ...own, name: `${model}, ${backup.also.entry}`, backup: other }];
});
type Case = (typeof cases)[number];

function faultsOf({ model, backup }: Case) {
  const expected = { ...usual, ...(backup.inChannels && inChannels), ...backup.outcomes };
  return (['whole', 'failed', 'either'] as const).flatMap((outcome) => {
    const all = deviceFaults.filter((fault) => expected[fault] === outcome);
    const own = isLong ? all : all.filter((fault) => !waits.includes(fault));
    const tried = model in always ? all : own;
    return tried.map((fault) => ({ fault, outcome }));
  });
}

async function sit({ model, proof, backup }: Case, configuration?: string) {
  const { backup: supported, transports } = models.get(model) ?? {};
  const start = backup.start ?? proof.start;
  if (start === undefined || supported === undefined || 'no' in supported)
    throw new Error(`${model} has nothing to back up`);
  vi.stubEnv('SKOLO_TEST_ENABLE', enablePassword);
  const { options } = rackDevice(model, { options: parse(`{ ${backup.entry ?? ''} }`) });
  const sitting = await simulated(
    (login) =>
      start({
        ...login,
        enablePassword,
        secondMs: 1,
        legacyOnly: false,
        ...(transports?.includes('telnet') && { telnetPort: 0 }),
        ...(configuration !== undefined && { configuration }),
      }),
    {
      model,
      options,
      login: { enablePassword: { env: 'SKOLO_TEST_ENABLE' } },
      transport: always[model] ?? transports?.[0] ?? 'ssh',
    },
  );
  return { ...sitting, model: (await supported.load()).backup(sitting.inventory) };
}

type Sat = Awaited<ReturnType<typeof sit>>;

/** Whether it is what the device shows: but for times, byte by byte. */
async function isShown({ backup }: Case, got: Buffer, { device, model }: Sat): Promise<boolean> {
  if (backup.contents) {
    const read = (file: TarMember) => [file.name, memberBytes({ bytes: got }, file)] as const;
    return isDeepStrictEqual(new Map(readSmallTar(got).map(read)), backup.contents(device));
  }
  const shown = backup.shows?.(device) ?? device.running();
  const lines = (text: Buffer) => Buffer.from(text.toString('latin1').trimEnd(), 'latin1');
  if (backup.ticks) return await isSame(got, shown, model);
  return lines(got).equals(lines(shown));
}

describe.each(cases)('a backup of $name', (about) => {
  const { proof, backup } = about;

  it('is what the equipment shows, with its serial number and name', async () => {
    const sat = await sit(about);

    const { content, identity, startup, changedBy } = await backUp(sat.model, sat.connect());

    expect(await isShown(about, bytesOf(content), sat)).toBe(true);
    expect(identity).toEqual(backup.identity);
    expect(changedBy ?? '').toMatch(backup.changedBy ?? /^$/);
    if (!backup.tellsUnsaved) expect(startup).toBeUndefined();
    else expect(startup && (await isSame(bytesOf(content), startup, sat.model))).toBe(true);
    expect(sat.transcript.join('')).not.toMatch(/canary/);
  });

  it.each(faultsOf(about))(
    'is whole or not at all: $fault ($outcome)',
    async ({ fault, outcome }) => {
      const sat = await sit(about);
      const { device, model, connect } = sat;
      device.faults.slowMs = fault === 'slow' ? 50 : 300;
      device.faults.hugeBytes = hugeBytes;
      if (!setFault(device, fault)) return;

      const isSilent = fault === 'silent-mid-configuration';
      // A hanging device times out soon; a slow one, as under load in tests, does not.
      const idleMs = outcome === 'whole' ? 60_000 : isSilent ? 800 : 2500;
      const [result] = await Promise.allSettled([backUp(model, connect({ idleMs }))]);

      if (result.status === 'rejected') {
        if (isSilent) expect(result.reason).toBeInstanceOf(DeviceTimeout);
        if (isAboutPassword(fault)) expect(result.reason).toBeInstanceOf(SignInRejected);
        expect(device.received.map(({ text }) => text).join()).not.toContain('new password');
        expect(outcome, String(result.reason)).not.toBe('whole');
        expect(isFailure(result.reason), String(result.reason)).toBe(true);
        expect(String(result.reason)).not.toContain(account.password);
        return;
      }
      expect(outcome).not.toBe('failed');
      expect(await isShown(about, bytesOf(result.value.content), sat)).toBe(true);
    },
  );

  it.each(backup.incomplete ?? [])('is not %j', async (text, why) => {
    const { model } = await sit(about);

    expect(await model.incomplete({ bytes: Buffer.from(text) })).toContain(why);
  });

  const { masks } = backup;
  if (masks)
    it('shows none of its secrets once they are masked', async () => {
      const { device, model } = await sit(about);

      isMasked((backup.shows?.(device) ?? device.running()).toString(), model, masks);
    });

  const { replays } = proof;
  if (replays)
    it('is restored by the steps, which were typed in a session', async () => {
      const { configuration, dialect, begin, before = [] } = replays;
      const sitting = await sit(about, configuration);
      const typed = sessionOf(about.model).map((exchange) => exchange.typed);
      const cli = await sitting.connect().cli(dialect);

      const lines = stepsOf(sitting, sitting.device.running()).flatMap((step) => step.lines);
      for (const line of lines) await cli.run(line);

      const recorded = typed.slice(typed.lastIndexOf(begin));
      expect(lines.map((line) => line.trim())).toEqual([...before, ...recorded]);
    });
});

function isAboutPassword(fault: DeviceFault): boolean {
  return ['rejects-login', 'password-expired', 'new-password-inside'].includes(fault);
}

/** An error that the service has a class for. */
function isFailure(error: unknown): boolean {
  if (error instanceof DeviceError) return true;
  return error instanceof Error && error.message.startsWith('incomplete: ');
}
