/** Backups of equipment that a table describes, or rack.yaml in two to four keys, from sessions that others recorded with real equipment. */
import { startPlayback } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readTables } from '../../../generate/tables.ts';
import { createMask } from '../configuration/mask.ts';
import { isSame } from '../configuration/text.ts';
import { generic } from '../generic/facts.ts';
import { loadBackups } from '../load.ts';
import { hasRecordings, recordedLines, recordedTalks } from '../testing/recordings.ts';
import { backUp, bytesOf, simulated } from '../testing/simulated-device.ts';

interface Case {
  recording: string;
  model: string;
  /** The recorded command with the configuration. */
  command: string;
  isExec?: true;
  /** Of an entry with `model: generic`. */
  options?: Record<string, unknown>;
}

const Described = z.object({ commands: z.tuple([z.string()]), exec: z.boolean().optional() });
const named: Case[] = readTables().flatMap(({ table: { name, values }, proof }) =>
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

const mask = createMask(Buffer.from('a key for tests'));

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
    .replaceAll(/--More-- ?(?:[\b ]*\r?|\r +\r)/g, '')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what devices send.
    .replaceAll(/[\r\b]|\x1b\[[\d;?]*[A-Za-z]/g, '');
  return text.split('\n').slice(1, -1).join('\n').trim();
}

async function open({ recording, model, options = {}, isExec }: Case) {
  const described = model === 'generic' ? z.strictObject(generic.options).parse(options) : {};
  const started = async (account: { username: string; password: string }) => {
    const talks = recordedTalks(recording, isExec);
    const {
      host,
      ports,
      hostKey = '',
      close,
    } = await startPlayback({ transport: 'ssh', talks }, account);
    return { host, port: ports.ssh ?? 0, hostKey, close };
  };
  const { inventory, connect } = await simulated(started, { model, options: described });
  const create = (await loadBackups()).get(model);
  if (create === undefined) throw new Error(`${model} has no backup`);
  return { backup: create(inventory), connection: connect() };
}

describe.skipIf(!hasRecordings)('equipment that was recorded', () => {
  it.each([...named, ...unnamed])('$recording is read exactly as $model', async (about) => {
    const { backup, connection } = await open(about);

    const { content } = await backUp(backup, connection);

    const text = bytesOf(content).toString('latin1');
    const lines = (all: string) =>
      all
        .split('\n')
        .map((line) => line.trimEnd())
        .filter(Boolean);
    expect(lines(text)).toEqual(lines(configurationIn(about)));
  });

  it.each(named)('$recording has no secret that $model does not mask', async (about) => {
    const { backup, connection } = await open(about);
    const text = bytesOf((await backUp(backup, connection)).content).toString('latin1');

    const masked = mask.text(text, backup.secrets);

    for (const secret of recordedLines(`${about.recording}__secret`).fail) {
      expect(masked).not.toContain(secret);
    }
  });

  it('a change of what a FortiGate encrypts anew is none', async () => {
    const fortigate = named.find(({ model }) => model === 'fortigate');
    if (fortigate === undefined) throw new Error('there is no such case');
    const { backup, connection } = await open(fortigate);
    const { content } = await backUp(backup, connection);
    const text = bytesOf(content).toString('latin1');
    const { pass, fail } = recordedLines(`${fortigate.recording}__significant_changes`);
    const counts = async (line: string) =>
      !(await isSame(Buffer.from(text), Buffer.from(text.replace(line, `${line} x`)), backup));

    for (const line of pass) expect(await counts(line), line).toBe(text.includes(line));
    for (const line of fail) expect(await counts(line), line).toBe(false);
  });
});

const prompts = [
  ['aoscx', 'aosw', 'asa', 'cumulus', 'fastiron', 'fortigate', 'fortios', 'fsos', 'h3c', 'ios'],
  ['linuxgeneric', 'mlnxos', 'netgear', 'perle', 'sonicos', 'tnsr', 'tplink', 'vyos'],
].flat();

describe.skipIf(!hasRecordings)('the usual prompt', () => {
  const usual = new RegExp(z.object(generic.options).parse({ commands: ['show'] }).prompt);
  const shown = (text: string) =>
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what devices send.
      .replaceAll(/\x1b\[[\d;?]*[A-Za-z]|\x1b[=>]|^[^\r]*\x08[^\r]*(?=\r)|\r/g, '')
      .trim();

  it.each(prompts)('is that of %s', (name) => {
    const { pass, fail } = recordedLines(`${name}__generic__prompt`);

    for (const text of pass) expect(usual.test(shown(text)), text).toBe(true);
    for (const text of fail) expect(usual.test(shown(text)), text).toBe(false);
  });

  it.each([
    'Password:',
    '############################################',
    '# Authorised access only #',
    '*** --- SHUTDOWN in 0:05:00 --- ***',
    '----------------------------------->',
    'Are you sure? [y/n]:',
  ])('is not %s', (text) => {
    expect(usual.test(text)).toBe(false);
  });
});
