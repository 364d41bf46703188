/** Plays sessions of `testdata/sessions`: those of both tiers, and the examples of pages. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
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
import { expect, onTestFinished, type TestContext } from 'vitest';
import { CommandLines, Shell } from './command-lines.ts';
import { createHistory, createObjects } from './copies.ts';
import { abridged, canTty, createPlace, type Place, replay, steadied } from './session.ts';

const ownFolder = fileURLToPath(new URL('../../', import.meta.url));
const sessions = join(ownFolder, 'testdata/sessions');
/** Sessions about the process: the modules it loads, its output and its exit. */
const processSessions = ['startup.slow.session', 'terminal.slow.session'];

/** The names of the sessions of a tier: `NAME.slow.session` is in the second one. */
export async function sessionNames(tier: 'first' | 'slow'): Promise<string[]> {
  const names = (await readdir(sessions)).filter((name) => name.endsWith('.session'));
  return names.filter((name) => name.endsWith('.slow.session') === (tier === 'slow'));
}

/** Plays sessions one after the other, with one process for their commands, and one shell. */
export class SessionPlayer {
  /** In `npm run test:long`, each command is a process of its own: half a second for each of hundreds. */
  readonly #lines = isLong || !existsSync('/proc/self/fd') ? undefined : new CommandLines();
  readonly #shell = new Shell();

  /** Compares what the commands of a session print with its file. */
  async play(name: string, { skip }: TestContext): Promise<void> {
    const session = await readFile(join(sessions, name), 'utf8');
    if (/\b(tty|typed) \d/.test(session) && !(await canTty()))
      skip('script of util-linux is not there');
    if (/\| jq /.test(session) && lacks('jq')) skip('jq is not installed');
    const lines = processSessions.includes(name) ? undefined : this.#lines;
    const place = await placeFor(session, lines);

    const printed = await replay(session, place, this.#shell);

    // The secret in all fixtures: it may appear in commands, but not in their output.
    expect(printed.replaceAll(/^\$ .*$/gm, '')).not.toContain('hunter2');
    await expect(printed).toMatchFileSnapshot(join(sessions, name));
  }

  /** Compares what the commands of a page print with the page. */
  async playExamples(blocks: readonly string[]): Promise<void> {
    const unsigned = await placeFor(blocks.join('\n'), this.#lines);
    const { env } = unsigned;
    const place = { ...unsigned, env: { ...env, SKOLO_TOKEN_FILE: `${env.HOME}/.skolo-token` } };
    for (const block of blocks) {
      const expected = steadied(block.replaceAll('/srv/racks', place.dir), place);
      expect(abridged(await replay(block, place, this.#shell), expected)).toBe(expected);
    }
  }

  async close(): Promise<void> {
    await this.#lines?.close();
    await this.#shell.close();
  }
}

/** Starts the services that the commands of a session use, and creates the directory for it. All of it ends with the test. */
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
  const place = await createPlace(join(ownFolder, 'testdata/files'), servers, lines?.script);
  onTestFinished(place.remove);
  const placeholders = [
    ...(place.placeholders ?? []),
    ...(session.includes('history.git') ? await createHistory(place.dir) : []),
    ...(/--from (objects|encrypted)/.test(session) ? await createObjects(place.dir) : []),
  ];
  return { ...place, placeholders: new Map(placeholders) };
}
