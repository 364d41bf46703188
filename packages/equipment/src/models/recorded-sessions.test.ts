/** Sessions of other people's backup program with real devices, repeated: our backup of each is exact, by models, tables, and keys of `generic`. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readTables } from '../../generate/tables.ts';
import { isLikePrompt } from '../transports/cli/prompt.ts';
import { shownLines } from '../transports/cli/terminal-text.ts';
import { ciscoIos } from './cisco-ios/dialect.ts';
import { createMask } from './configuration/mask.ts';
import { isSame } from './configuration/text.ts';
import type { Device } from './contract/device.ts';
import { linuxShell } from './families/unix/linux-shell.ts';
import { vyatta } from './families/vyatta/dialect.ts';
import { vyattaSecrets } from './families/vyatta/secrets.ts';
import { generic } from './generic/facts.ts';
import { genericDialect } from './generic/generic.ts';
import { models } from './index.ts';
import { hiddenLines } from './testing/configurations.ts';
import { rackDevice } from './testing/outlets.ts';
import {
  noRecordings,
  recordedLines,
  recordedNames,
  recordedSession,
  recordedTalks,
  recordedTexts,
} from './testing/recordings.ts';
import { backUp, bytesOf, repeating } from './testing/simulated-device.ts';

interface Case {
  recording: string;
  model: string;
  /** The recorded command with the configuration. */
  command: string;
  /** Whether its commands run in channels, without echo and prompt. */
  isExec?: true;
  /** Of an entry with `model: generic`. */
  options?: Record<string, unknown>;
  serial?: string;
  hostname?: string;
}

const written: Case[] = [
  {
    recording: 'ios__asr920_16.8.1b',
    model: 'cisco-ios',
    command: 'show running-config',
    serial: 'CAT12345699',
    hostname: 'hostname',
  },
  {
    recording: 'ios__C9800-L-F-K9_17.06.05',
    model: 'cisco-ios',
    command: 'show running-config',
    serial: 'FCL2XXXXXXX',
    hostname: 'OXIDIZED-WLC1',
  },
  {
    recording: 'nxos__N5548_7.3.13',
    model: 'nxos',
    command: 'show running-config',
    serial: 'SSI00000001',
    hostname: 'TEST-12345',
  },
  {
    recording: 'eos__DCS-7050SX3-48YC8_4.29.2F',
    model: 'eos',
    command: 'show running-config | no-more | exclude ! Time:',
    hostname: 'eos-test-01',
  },
  {
    recording: 'junos__srx300_22.4',
    model: 'junos',
    command: 'show configuration | display omit',
    serial: 'AA0000AA0000',
    isExec: true,
  },
  {
    recording: 'junos__srx300_22.4_wo_cluster',
    model: 'junos',
    command: 'show configuration | display omit',
    serial: 'AA0000AA0000',
    isExec: true,
  },
  {
    recording: 'routeros__CHR_7.10.1',
    model: 'routeros',
    command: '/export show-sensitive',
    serial: 'XXX',
    isExec: true,
  },
  {
    recording: 'routeros__CHR_7.16',
    model: 'routeros',
    command: '/export show-sensitive',
    serial: 'XXXX',
    isExec: true,
  },
];

/** Models that are tables. */
const Described = z.object({ commands: z.tuple([z.string()]), exec: z.boolean().optional() });
const tables: Case[] = readTables().flatMap(({ table: { name, values }, proof }) =>
  (proof.recorded ?? []).map((recording) => {
    const { commands, exec } = Described.parse(values);
    return { recording, model: name, command: commands[0], ...(exec && { isExec: true as const }) };
  }),
);

/** Described as a stranger does, in `commands` and a few other keys. */
const unnamed: Case[] = [
  ['eatonnetwork__NetworkM3_2.2.0', 'save_configuration -p', { exec: true }],
  [
    'quantaos__snippets',
    'show run',
    { enable: 'enable', pagingOff: ['terminal length 0'], logout: 'quit' },
  ],
  ['ios__asr920_16.8.1b', 'show running-config', { pagingOff: ['terminal length 0'] }],
  ['eos__DCS-7050SX3-48YC8_4.29.2F', 'show running-config | no-more | exclude ! Time:', {}],
  ['nxos__N5548_7.3.13', 'show running-config', { pagingOff: ['terminal length 0'] }],
  ['vyos__Supermicro_1.4.3', 'show configuration commands | no-more', {}],
  [
    'efos__BES-53248_3.12.0.1',
    'show running-config',
    { enable: 'enable', pagingOff: ['terminal length 0'], logout: 'logout' },
  ],
  ['routeros__CHR_7.16', '/export show-sensitive', { exec: true }],
  ['fortios__FMG-VM64_7.4.6', 'show', {}],
  ['tplink__DS-P7001-08_1.0.0', 'show running-config', { pagingOff: ['terminal length 0'] }],
].map(([recording, command, options]) => ({
  recording: String(recording),
  model: 'generic',
  command: String(command),
  options: { commands: [command], ...Object(options) },
  ...(Object(options).exec === true && { isExec: true as const }),
}));

/** The text of the session, without echo, prompt, pager and what is not shown. */
function configurationIn({ recording, command, isExec }: Case): string {
  const talks = recordedTalks(recording, isExec);
  const text = talks
    .flatMap((talk) => {
      if (talk.kind === 'exec') return talk.sent.trim() === command ? [`\n${talk.received}\n`] : [];
      const from = talk.said.findIndex((each) => 'sent' in each && each.sent === command);
      const until = talk.said.findIndex((each, at) => at > from && 'sent' in each);
      return talk.said
        .slice(from, until === -1 ? undefined : until)
        .map(({ received }) => received);
    })
    .join('')
    .replaceAll(/--More-- ?(?:[\b]+ +[\b]+|[\b ]*\r?|\r +\r)/g, '')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what devices send.
    .replaceAll(/[\r\b]|\x1b\[[\d;?]*[A-Za-z]/g, '');
  return text.split('\n').slice(1, -1).join('\n').trim();
}

/** People who recorded it removed lines, so the reported size is that of what is left. */
function shortened(text: string): string {
  const [, body = ''] =
    /^Current configuration : \d+ bytes\r?\n([\s\S]*?\nend)\r?\n/m.exec(text) ?? [];
  return text.replace(/^(Current configuration : )\d+/m, `$1${body.length}`);
}

const plain = (command: string) => command.replace(/ \| no-more\b.*/, '');

/** Whether the model is neither a table nor described in rack.yaml. */
function hasCode(model: string): boolean {
  return models.get(model)?.base === undefined && model !== 'generic';
}

/** The session with commands as the model sends them. */
function played({ recording, model, isExec }: Pick<Case, 'recording' | 'model' | 'isExec'>) {
  const talks = recordedTalks(recording, isExec);
  if (!hasCode(model)) return talks;
  return talks.map((talk) => {
    if (talk.kind === 'exec') return { ...talk, received: `${talk.received}\n` };
    const said = talk.said.map((each) => {
      const received = shortened(each.received);
      if (!('sent' in each)) return { ...each, received };
      const sent = plain(each.sent);
      return { sent, received: received.replace(each.sent, sent) };
    });
    return { ...talk, said };
  });
}

async function open(about: Pick<Case, 'recording' | 'model' | 'isExec' | 'options'>) {
  const { model, options = {} } = about;
  const device = { model, options: rackDevice(model, { options }).options };
  const talks = played(about);
  return await repeating(talks, device, (command) => {
    const shorter = talks.find((talk) => talk.kind === 'exec' && talk.sent === plain(command));
    if (shorter?.kind === 'exec') return shorter.received;
    return /\bterminal /.test(command) ? '' : "% Invalid input detected at '^' marker.";
  });
}

async function modelOf(device: Device) {
  const backup = models.get(device.model)?.backup;
  if (backup === undefined || 'no' in backup) throw new Error(`${device.model} has no backup`);
  return (await backup.load()).backup(device);
}

function linesOf(text: string): string[] {
  const all = text.replace(/^Current configuration : \d+/m, '').split('\n');
  return all.map((line) => line.trimEnd()).filter(Boolean);
}

const mask = createMask(Buffer.from('a key for tests'));

describe.skipIf(noRecordings)('a recorded session', () => {
  it.each([...written, ...tables, ...unnamed])(
    '$recording is read exactly as $model',
    async (about) => {
      const { model, recording, serial, hostname } = about;
      const { inventory, connect } = await open(about);
      const backup = await modelOf(inventory);

      const { content, identity } = await backUp(backup, connect());
      const again = await backUp(backup, connect());

      const text = bytesOf(content).toString('latin1');
      expect(linesOf(text)).toEqual(linesOf(configurationIn(about)));
      expect(await isSame(bytesOf(content), bytesOf(again.content), backup)).toBe(true);
      expect(identity).toEqual({ serial, hostname });

      if (model === 'generic') return;
      const masked = mask.text(text, backup.secrets);
      for (const secret of recordedLines(`${recording}__secret`).fail)
        expect(masked).not.toContain(secret);
      if (hasCode(model)) expect(hiddenLines(text, masked)).toEqual([]);
      const { pass, fail } = recordedLines(`${recording}__significant_changes`);
      const counts = async (line: string) =>
        !(await isSame(Buffer.from(text), Buffer.from(text.replace(line, `${line} x`)), backup));
      // What is not in a configuration changes nothing.
      for (const line of pass) expect(await counts(line), line).toBe(text.includes(line));
      for (const line of fail) expect(await counts(line), line).toBe(false);
    },
  );

  it('of a VyOS router has no secret that is not masked', () => {
    const { answers } = recordedSession('vyos__Supermicro_1.4.3');
    const text = answers.get('show configuration commands | no-more') ?? '';
    const { fail } = recordedLines('vyos__Supermicro_1.4.3__secret');

    const masked = mask.text(text, vyattaSecrets);

    expect(fail.length).toBeGreaterThan(0);
    for (const secret of fail) expect(masked).not.toContain(secret);
  });
});

describe.skipIf(noRecordings)('the common rules mask', () => {
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

describe.skipIf(noRecordings)('a recorded prompt', () => {
  it('of VyOS is found between escape sequences', async () => {
    const { connect } = await open({ recording: 'vyos__Supermicro_1.4.3', model: 'vyos' });
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

const prompts = [
  ['aoscx', 'aosw', 'asa', 'cumulus', 'fastiron', 'fortigate', 'fortios', 'fsos', 'h3c', 'ios'],
  ['linuxgeneric', 'mlnxos', 'netgear', 'perle', 'sonicos', 'tnsr', 'tplink', 'vyos'],
].flat();

const backupTables = readTables().filter(({ table: { base } }) => base === 'generic');

/** The dialect of the table with this name in Oxidized; without one, the usual one. */
function dialectNamed(name: string) {
  const values = backupTables.find(({ table: { name: own, elsewhere = [] } }) =>
    [own, ...elsewhere].includes(name),
  )?.table.values;
  return genericDialect(z.object(generic.options).parse({ commands: ['show'], ...values }));
}

describe.skipIf(noRecordings)('the usual prompt, or that of a table,', () => {
  const isPrompt = (text: string, name: string) =>
    isLikePrompt(shownLines(text).at(-1)?.trimEnd() ?? '', dialectNamed(name));

  it.each(prompts)('is that of %s', (name) => {
    const { pass, pass_with_expect: painted, fail } = recordedLines(`${name}__generic__prompt`);

    for (const text of [...pass, ...painted]) expect(isPrompt(text, name), text).toBe(true);
    for (const text of fail) expect(isPrompt(text, name), text).toBe(false);
  });

  it.each(prompts)('of %s is enough to sign in', async (name) => {
    const { pass, pass_with_expect: painted } = recordedLines(`${name}__generic__prompt`);

    for (const prompt of [pass[0], ...painted].filter((text) => text !== undefined)) {
      expect(await answerBehind(prompt, name), prompt).toBe('as asked');
    }
  });

  it.each([
    'Password:',
    '############################################',
    '# Authorised access only #',
    '*** --- SHUTDOWN in 0:05:00 --- ***',
    '----------------------------------->',
    'Are you sure? [y/n]:',
  ])('is not %s', (text) => {
    expect(isPrompt(text, 'generic')).toBe(false);
  });
});

describe('the prompt of Onyx', () => {
  it.each([
    ['without a name', '\r [standalone: master] > '],
    ['painted', '\r\x1b[K\x1b[?1l\x1b>\r [standalone: master] > '],
    ['with a name', '\rleaf-1.lab [standalone: master] > '],
    ['of a cluster', 'leaf-2 [rack 4: slave] > '],
    ['with a name only', 'leaf-3 > '],
    ['of a login that has all rights', '\r [standalone: master] # '],
  ])('%s is enough to sign in', async (_what, prompt) => {
    expect(await answerBehind(prompt, 'onyx')).toBe('as asked');
  });

  it('is cut off a configuration, whose lines begin with blanks and signs', async () => {
    const configuration = (time: string) => `##
## Running database "initial"
## Generated at 2026/11/30 ${time} +0000
## Hostname: leaf-1
##

##
## Interface configuration
##
   interface ethernet 1/1 description " [standalone: master] of leaf-2"
   vlan 2
`;
    const prompt = '\r [standalone: master] # ';
    let seconds = 10;
    const { inventory, connect } = await repeating(
      [{ kind: 'shell', said: [{ received: prompt }] }],
      { model: 'onyx' },
      (command) => {
        seconds += 1;
        return command === 'show running-config' ? configuration(`10:00:${seconds}`) : '';
      },
    );
    const model = await modelOf(inventory);

    const { content } = await backUp(model, connect());

    const text = bytesOf(content).toString().trimEnd();
    expect(text.replace(/\d\d:\d\d:\d\d/, '*')).toBe(configuration('*').trimEnd());
    expect(await model.doubt?.(content)).toBeUndefined();
  });

  it.each([' >', ' #', '## Hostname: leaf-1', ' Authorised access only >', '#'])(
    'is not %j',
    (line) => {
      expect(isLikePrompt(line, dialectNamed('onyx'))).toBe(false);
    },
  );
});

/** What a device with this prompt answers to a command after the sign-in, in the mode of the dialect. */
async function answerBehind(prompt: string, name: string): Promise<string> {
  const dialect = dialectNamed(name);
  const enable = dialect.privilege?.command ?? 'enable';
  const privileged = prompt.replace(/>(\s*)$/, '#$1');
  const said = [{ received: prompt }, { sent: enable, received: `${enable}\r\n${privileged}` }];
  const sitting = await repeating([{ kind: 'shell', said }], { model: 'generic' }, (command) =>
    command === 'show it' ? 'as asked' : '',
  );
  const cli = await sitting.connect().cli(dialect);
  return (await cli.run('show it')).toString().trim();
}
