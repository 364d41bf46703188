import { existsSync } from 'node:fs';
import { glob, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isLong } from '@skolo/base/durable/fault-injection';
import {
  createTokens,
  startAgents,
  startMachineState,
  startMetadataServer,
  startPowerCycleDaemon,
  startPubSubRacks,
  startRouterBackup,
} from '@skolo/scripted-services';
import { lacks } from '@skolo/simulators';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { CommandLines, Shell } from './testing/command-lines.ts';
import { createHistory, createObjects } from './testing/copies.ts';
import { abridged, canTty, createPlace, type Place, replay, steadied } from './testing/session.ts';

const own = fileURLToPath(new URL('../', import.meta.url));
const sessions = join(own, 'testdata/sessions');
/** Names in pages that differ in the directory `testdata/files`, where their examples run, signed in. */
const ofPages = new Map([
  ['http://jumphost-rack4:8004', '$STATE'],
  [' kube/base kube/components', ' $KUBE/base $KUBE/components'],
  ['\nkube/', '\n$KUBE/'],
]);
const pages = await pagesWithExamples();
const names = (await readdir(sessions)).filter((name) => name.endsWith('.session'));

// In the full run, each command is a separate process.
const shared = isLong || !existsSync('/proc/self/fd') ? undefined : new CommandLines();
/** Sessions about the process: the modules it loads, its output and its exit. */
const ofProcesses = ['startup.session', 'terminal.session'];
const shell = new Shell();
afterAll(async () => {
  await shared?.close();
  await shell.close();
});

/** Adding a file adds a test. None is sampled: a change to what they print is seen at once, not by chance days later. */
describe('skolo prints', () => {
  it.for(names)('%s', async (name, { skip }) => {
    const session = await readFile(join(sessions, name), 'utf8');
    if (/\b(tty|typed) \d/.test(session) && !(await canTty()))
      skip('script of util-linux is not there');
    if (/\| jq /.test(session) && lacks('jq')) skip('jq is not installed');
    const place = await placeFor(session, ofProcesses.includes(name) ? undefined : shared);

    const printed = await replay(session, place, shell);

    // The secret in all fixtures: it may appear in commands, but not in their output.
    expect(printed.replaceAll(/^\$ .*$/gm, '')).not.toContain('hunter2');
    await expect(printed).toMatchFileSnapshot(join(sessions, name));
  });

  it.for(pages)('the examples in $name', async ({ blocks }) => {
    const unsigned = await placeFor(blocks.join('\n'), shared);
    const { env } = unsigned;
    const place = { ...unsigned, env: { ...env, SKOLO_TOKEN_FILE: `${env.HOME}/.skolo-token` } };

    for (const block of blocks) {
      const expected = steadied(block.replaceAll('/srv/racks', place.dir), place);
      expect(abridged(await replay(block, place, shell), expected)).toBe(expected);
    }
  });
});

/** Pages with blocks in the language `console`. */
async function pagesWithExamples() {
  const root = join(own, '../..');
  const documents = [
    'README.md',
    'kube/README.md',
    'docs/*/*.md',
    '{services,packages}/*/README.md',
  ];
  const found = [];
  for await (const name of glob(documents, { cwd: root })) {
    const text = await readFile(join(root, name), 'utf8');
    const blocks = [...text.matchAll(/```console\n(.*?)```/gs)].map(([, block = '']) =>
      [...ofPages].reduce((known, [word, there]) => known.replaceAll(word, there), block),
    );
    if (blocks.length > 0) found.push({ name, blocks });
  }
  return found;
}

async function placeFor(session: string, lines: CommandLines | undefined): Promise<Place> {
  const tokens = await createTokens();
  onTestFinished(tokens.remove);
  const metadata = /skolo (metadata|audit) /.test(session)
    ? await startMetadataServer({ tokens })
    : undefined;
  if (metadata) onTestFinished(metadata.close);
  const power = /skolo (power|equipment|login) /.test(session)
    ? await startPowerCycleDaemon({ tokens })
    : undefined;
  if (power) onTestFinished(power.close);
  const backup = /skolo (backup|equipment|check cabling)\b/.test(session)
    ? await startRouterBackup({ tokens })
    : undefined;
  if (backup) onTestFinished(backup.close);
  const alerts = session.includes('skolo alerts ') ? await startPubSubRacks({ tokens }) : undefined;
  if (alerts) onTestFinished(alerts.close);
  const agents = session.includes('skolo machine ') ? await startAgents() : undefined;
  for (const { close } of agents?.values() ?? []) onTestFinished(close);
  const state =
    /\$STATE|skolo (show|console|timeline|machine (?!status|log|clear|repair|reboot|replace|join|leave))/.test(
      session,
    )
      ? await startMachineState({ tokens })
      : undefined;
  if (state) onTestFinished(state.close);
  const servers = { metadata, power, backup, alerts, agents, state, tokens };
  const place = await createPlace(join(own, 'testdata/files'), servers, lines?.script);
  onTestFinished(place.remove);
  const placeholders = [
    ...(place.placeholders ?? []),
    ...(session.includes('history.git') ? await createHistory(place.dir) : []),
    ...(/--from (objects|encrypted)/.test(session) ? await createObjects(place.dir) : []),
  ];
  return { ...place, placeholders: new Map(placeholders) };
}
