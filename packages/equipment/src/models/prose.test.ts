/** Messages instead of configurations, which are stable, so that reading twice does not reveal them: no model takes one for its first version. */
import { isObject } from '@skolo/base';
import { describe, expect, it } from 'vitest';
import { readTables } from '../../generate/tables.ts';
import { whyMessage } from './configuration/message-like.ts';
import { readWhole } from './configuration/whole-reading.ts';
import { loadBackups } from './load.ts';
import { answering } from './testing/answering.ts';
import { rackDevice } from './testing/outlets.ts';

const creators = [...(await loadBackups())];
const required: Record<string, Record<string, unknown>> = { generic: { commands: ['show'] } };

/** What would be stored as the first version; throws if nothing would be. */
async function stored(name: string, text: string) {
  const device = rackDevice(name, { options: required[name] ?? {} });
  const model = creators.find(([each]) => each === name)?.[1](device);
  if (model === undefined) throw new RangeError(`${name} has no backup`);
  const connection = {
    ...answering(device, () => Buffer.from(text)),
    download: async () => Buffer.from(text),
  };
  const { content } = await readWhole(model, connection, async (reading) => {
    const why =
      (await model.incomplete(reading.content)) ?? (await whyMessage(model, reading.content));
    if (why !== undefined) throw new Error(why);
  });
  return { model, content };
}

const short = [
  'The configuration is being edited by admin, please try again later.',
  'hostname lookup failed\n',
  'System is starting.\r\n\r\nversion information is not available yet.\r\n',
  'One moment.\nNothing is ready.\nContact your administrator.\nGoodbye.\n',
  'config is locked',
  // They begin like lines of configurations.
  '!Version information is not available',
  '#config-version=unknown',
  'config system is locked by admin',
  'hostname unknown',
  '## Running database is locked',
  'version 5 is required',
  'firmware-version is not known',
  '!Current Configuration: not available',
  '- set: no such command',
  'dataplane is not ready',
  'sysctl is not permitted',
  'interface unavailable',
];

const long = `${Array.from({ length: 12 }, (_, at) => `Line ${at} of a message about the configuration of the system`).join('\n')}\n`;

const names = creators.map(([name]) => name);
/** Nothing that was seen shows what is in each of their configurations. */
const unsure = readTables()
  .filter(({ table }) => isObject(table.values.has))
  .map(({ table }) => table.name)
  .concat('generic');

describe.each(names)('%s', (name) => {
  it.each(short)('does not take %j for a configuration', async (text) => {
    await expect(stored(name, text)).rejects.toThrow();
  });
});

it.each(names.filter((name) => !unsure.includes(name)))(
  '%s does not take a longer message for a configuration',
  async (name) => {
    await expect(stored(name, long)).rejects.toThrow();
  },
);

it.each(unsure)('%s takes a longer text, and says that nothing shows what it is', async (name) => {
  const { model, content } = await stored(name, long);

  expect(await model.doubt?.(content)).toMatch(/^nothing shows that it is a configuration: /);
});
