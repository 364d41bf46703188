/** Sessions of other people's backup program with real devices, repeated by an ssh server: our backup of each is complete. */
import { startRecording } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { ciscoIos } from './cisco-ios/dialect.ts';
import { createMask } from './configuration/mask.ts';
import { isSame } from './configuration/text.ts';
import type { Device } from './contract/device.ts';
import { linuxShell } from './families/unix/linux-shell.ts';
import { vyatta } from './families/vyatta/dialect.ts';
import { vyattaSecrets } from './families/vyatta/secrets.ts';
import { models } from './index.ts';
import { hiddenLines } from './testing/configurations.ts';
import { rackDevice } from './testing/outlets.ts';
import {
  hasRecordings,
  recordedLines,
  recordedNames,
  recordedSession,
  recordedTexts,
} from './testing/recordings.ts';
import { backUp, bytesOf, simulated } from './testing/simulated-device.ts';

interface Case {
  name: string;
  model: string;
  /** The recorded command with the configuration. */
  command: string;
  serial: string | undefined;
  hostname: string | undefined;
  /** Whether its commands run in channels, without echo and prompt. */
  isExec?: true;
}

const cases: Case[] = [
  {
    name: 'ios__asr920_16.8.1b',
    model: 'cisco-ios',
    command: 'show running-config',
    serial: 'CAT12345699',
    hostname: 'hostname',
  },
  {
    name: 'ios__C9800-L-F-K9_17.06.05',
    model: 'cisco-ios',
    command: 'show running-config',
    serial: 'FCL2XXXXXXX',
    hostname: 'OXIDIZED-WLC1',
  },
  {
    name: 'nxos__N5548_7.3.13',
    model: 'nxos',
    command: 'show running-config',
    serial: 'SSI00000001',
    hostname: 'TEST-12345',
  },
  {
    name: 'eos__DCS-7050SX3-48YC8_4.29.2F',
    model: 'eos',
    command: 'show running-config | no-more | exclude ! Time:',
    serial: undefined,
    hostname: 'eos-test-01',
  },
  {
    name: 'junos__srx300_22.4',
    model: 'junos',
    command: 'show configuration | display omit',
    serial: 'AA0000AA0000',
    hostname: undefined,
    isExec: true,
  },
  {
    name: 'junos__srx300_22.4_wo_cluster',
    model: 'junos',
    command: 'show configuration | display omit',
    serial: 'AA0000AA0000',
    hostname: undefined,
    isExec: true,
  },
  {
    name: 'routeros__CHR_7.10.1',
    model: 'routeros',
    command: '/export show-sensitive',
    serial: 'XXX',
    hostname: undefined,
    isExec: true,
  },
  {
    name: 'routeros__CHR_7.16',
    model: 'routeros',
    command: '/export show-sensitive',
    serial: 'XXXX',
    hostname: undefined,
    isExec: true,
  },
];

/** The configuration as it is in the recording: without echo and prompt. */
function configurationIn({ name, command, isExec }: Case): string {
  const text = (recordedSession(name).answers.get(command) ?? '').replaceAll('\r', '');
  return isExec ? text.trimEnd() : text.split('\n').slice(1, -1).join('\n').trim();
}

/** People who recorded it removed lines, so the reported size is that of what is left. */
function shortened(text: string): string {
  const [, body = ''] =
    /^Current configuration : \d+ bytes\r?\n([\s\S]*?\nend)\r?\n/m.exec(text) ?? [];
  return text.replace(/^(Current configuration : )\d+/m, `$1${body.length}`);
}

async function open({ name, model, isExec }: Pick<Case, 'name' | 'model' | 'isExec'>) {
  const { answers, greeting } = recordedSession(name);
  const plain = (command: string) => command.replace(/ \| no-more\b.*/, '');
  const known = new Map([...answers].map(([command, text]) => [plain(command), text]));
  const prompt = greeting.slice(greeting.lastIndexOf('\n') + 1);
  const recording = {
    greeting,
    rejection: "% Invalid input detected at '^' marker.",
    answer(command: string) {
      const text = known.get(plain(command));
      if (text === undefined) {
        return /\bterminal /.test(command) ? `${command}\n${prompt}` : undefined;
      }
      return isExec ? `${command}\n${text}\n` : shortened(text).replace(/^[^\r\n]*/, command);
    },
  };
  return await simulated((account) => startRecording(recording, account), {
    model,
    options: rackDevice(model, {}).options,
  });
}

async function modelOf(device: Device) {
  const backup = models.get(device.model)?.backup;
  if (backup === undefined || 'no' in backup) throw new Error(`${device.model} has no backup`);
  return (await backup.load()).backup(device);
}

const mask = createMask(Buffer.from('a key for tests'));

describe.skipIf(!hasRecordings)('a recorded session', () => {
  it.each(cases)('of $name gives a complete backup, twice the same', async (about) => {
    const { inventory, connect } = await open(about);
    const model = await modelOf(inventory);

    const reading = await backUp(model, connect());
    const again = await backUp(model, connect());

    const text = bytesOf(reading.content).toString('latin1');
    const said = text.replace(/^Current configuration : \d+/m, '');
    const expected = configurationIn(about).replace(/^Current configuration : \d+/m, '');
    expect(said.trim().split(/\n+/)).toEqual(expected.trim().split(/\n+/));
    expect(await isSame(bytesOf(reading.content), bytesOf(again.content), model)).toBe(true);
    expect(reading.identity).toEqual({ serial: about.serial, hostname: about.hostname });

    const masked = mask.text(text, model.secrets);
    for (const secret of recordedLines(`${about.name}__secret`).fail) {
      expect(masked).not.toContain(secret);
    }
    expect(hiddenLines(text, masked)).toEqual([]);
    const { pass, fail } = recordedLines(`${about.name}__significant_changes`);
    const counts = async (line: string) => {
      const other = text.replace(line, `${line} x`);
      if (other === text) return undefined;
      return !(await isSame(Buffer.from(text), Buffer.from(other), model));
    };
    // What is not in a configuration changes nothing.
    for (const line of pass) expect([true, undefined], line).toContain(await counts(line));
    for (const line of fail) expect([false, undefined], line).toContain(await counts(line));
  });

  it('of a VyOS router has no secret that is not masked', () => {
    const { answers } = recordedSession('vyos__Supermicro_1.4.3');
    const text = answers.get('show configuration commands | no-more') ?? '';
    const { fail } = recordedLines('vyos__Supermicro_1.4.3__secret');

    const masked = mask.text(text, vyattaSecrets);

    expect(fail.length).toBeGreaterThan(0);
    for (const secret of fail) expect(masked).not.toContain(secret);
  });
});

describe.skipIf(!hasRecordings)('the common rules mask', () => {
  const answersOf = (name: string) => [...recordedSession(name).answers.values()].join('\n');

  it.each(recordedNames('secret'))('each secret of %s', (name) => {
    const { fail } = recordedLines(`${name}__secret`);

    const masked = mask.text(answersOf(name), []);

    expect(fail.length).toBeGreaterThan(0);
    for (const secret of fail) {
      // Oxidized removes these fields with their names.
      if (/^".*"$/.test(secret))
        expect(masked).not.toMatch(new RegExp(`${secret}: *"(?!<secret )`));
      else expect(masked).not.toContain(secret);
    }
  });

  it.each([
    ['genie', 0],
    ['napalm', 0.004],
  ])('little of the outputs in %s, and no name of a VLAN', (collection, mostShare) => {
    const texts = recordedTexts(collection);
    const masks = /<secret [0-9a-f]{12}>/g;

    const masked = texts.map((text) => mask.text(text, []));

    const lengths = (all: string[]) => all.reduce((sum, { length }) => sum + length, 0);
    const left = lengths(masked.map((text) => text.replace(masks, '')));
    expect(lengths(texts)).toBeGreaterThan(50_000);
    expect(1 - left / lengths(texts)).toBeLessThanOrEqual(mostShare);
    const renamed = texts.map((text) => text.replace(/^( +name \S+)$/gm, '$1-2'));
    const names = renamed.flatMap((text) => text.match(/^ +name \S+-2$/gm) ?? []);
    const shown = new Set(renamed.flatMap((text) => mask.text(text, []).split('\n')));
    expect(names.length).toBeGreaterThanOrEqual(collection === 'napalm' ? 20 : 0);
    expect(names.filter((name) => !shown.has(name))).toEqual([]);
  });
});

describe.skipIf(!hasRecordings)('a recorded prompt', () => {
  it('of VyOS is found between escape sequences', async () => {
    const { connect } = await open({ name: 'vyos__Supermicro_1.4.3', model: 'vyos' });
    const cli = await connect().cli(vyatta);

    const said = await cli.run('show version');

    expect(models.get('vyos')?.reported?.firmware.exec(said.toString())?.[1]).toBe('1.4.3');
    expect(said.toString()).toMatch(
      /^Version: +VyOS 1\.4\.3\n[ -~\n]*Copyright:.*contributors\n?$/,
    );
  });

  it.each([
    ['ios', ciscoIos],
    ['linuxgeneric', linuxShell],
    ['vyos', vyatta],
  ])('of %s', (name, dialect) => {
    const { pass, fail } = recordedLines(`${name}__generic__prompt`);
    for (const text of pass) expect(dialect.prompt.test(text.trimEnd()), text).toBe(true);
    for (const text of fail) expect(dialect.prompt.test(text.trimEnd()), text).toBe(false);
  });
});
