/** Backups of simulated equipment that has faults: a version has its exact content, or there is none. */
import { isDeepStrictEqual } from 'node:util';
import { isLong } from '@skolo/base/durable/fault-injection';
import { DeviceError, DeviceTimeout, SignInRejected } from '@skolo/equipment/transports';
import { type DeviceFault, deviceFaults } from '@skolo/simulators';
import { expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { memberBytes, readSmallTar, type TarMember } from '../configuration/archive.ts';
import { isSame } from '../configuration/text.ts';
import { models } from '../index.ts';
import type { Outcomes } from './backed-up.ts';
import { rackDevice } from './outlets.ts';
import { enablePassword, proofsWith } from './proofs.ts';
import { account, backUp, bytesOf, setFault, simulated } from './simulated-device.ts';

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
  'odd-logs-behind-prompt': 'whole',
  'log-inside-line': 'whole',
  'line-like-log': 'whole',
  'control-bytes': 'whole',
  'huge-configuration': 'whole',
  'password-twice': 'either',
};
const inChannels: Outcomes = { 'prompt-in-configuration': 'whole', 'password-twice': 'whole' };

/** Of a configuration. */
const hugeBytes = isLong ? 20 * 1024 * 1024 : 512 * 1024;

/** In the first tier, these are also tried with faults that let a session wait, one over SSH and one over telnet. */
const always: Readonly<Record<string, 'ssh' | 'telnet'>> = {
  'cisco-ios': 'ssh',
  edgeswitch: 'telnet',
};

/** Faults with which a session waits in silence, whatever the model. */
const waits: readonly DeviceFault[] = [
  'password-twice',
  'logs-behind-prompt',
  'silent-mid-configuration',
];
/** A fault with many empty lines, each of which waits for two seconds of silence. */
const waitsOften: DeviceFault = 'odd-logs-behind-prompt';

export const cases = proofsWith('backup').flatMap(({ model, proof }) => {
  const { backup } = proof;
  if ('needs' in backup) return [];
  const own = { name: model, model, proof, backup };
  if (backup.also === undefined) return [own];
  const other = { ...backup, ...backup.also, incomplete: [] };
  return [own, { ...own, name: `${model}, ${backup.also.entry}`, backup: other }];
});
type Case = (typeof cases)[number];

/** Faults, and the outcome of each, in a tier of tests. Both together have all of them. */
function faultsOf({ model, backup }: Case, tier: 'first' | 'slow') {
  const expected = { ...usual, ...(backup.inChannels && inChannels), ...backup.outcomes };
  const isSlow = (fault: DeviceFault) =>
    fault === waitsOften || (waits.includes(fault) && !(model in always));
  return (['whole', 'failed', 'either'] as const).flatMap((outcome) =>
    deviceFaults
      .filter((fault) => expected[fault] === outcome && isSlow(fault) === (tier === 'slow'))
      .map((fault) => ({ fault, outcome })),
  );
}

/** Starts the simulated equipment of a case, with its model. */
export async function sit({ model, proof, backup }: Case, configuration?: string) {
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

/** Reports whether it is what the device shows: but for times, byte by byte. */
export async function isShown(
  { backup }: Case,
  got: Buffer,
  { device, model }: Sat,
): Promise<boolean> {
  if (backup.contents) {
    const read = (file: TarMember) => [file.name, memberBytes({ bytes: got }, file)] as const;
    return isDeepStrictEqual(new Map(readSmallTar(got).map(read)), backup.contents(device));
  }
  const shown = backup.shows?.(device) ?? device.running();
  const lines = (text: Buffer) => Buffer.from(text.toString('latin1').trimEnd(), 'latin1');
  if (backup.ticks) return await isSame(got, shown, model);
  return lines(got).equals(lines(shown));
}

/** Tests of a backup with the faults of a tier. */
export function isWholeOrNotAtAll(about: Case, tier: 'first' | 'slow'): void {
  it.each(faultsOf(about, tier))(
    'is whole or not at all: $fault ($outcome)',
    async ({ fault, outcome }) => {
      const sat = await sit(about);
      const { device, model, connect } = sat;
      device.faults.slowMs = fault === 'slow' ? 50 : 300;
      device.faults.hugeBytes = hugeBytes;
      if (!setFault(device, fault)) return;

      const isSilent = fault === 'silent-mid-configuration';
      // A hanging device times out soon; one that responds, or a computer that is slow, does not.
      const responds = outcome === 'whole' || isAboutPassword(fault);
      const idleMs = responds ? 60_000 : isSilent ? 800 : 2500;
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
}

function isAboutPassword(fault: DeviceFault): boolean {
  return ['rejects-login', 'password-expired', 'new-password-inside'].includes(fault);
}

/** An error that the service has a class for. */
function isFailure(error: unknown): boolean {
  if (error instanceof DeviceError) return true;
  return error instanceof Error && error.message.startsWith('incomplete: ');
}
