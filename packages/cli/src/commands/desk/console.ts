import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { consoleApi, machineStateApi } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { savedTokenFile } from '../../desk-files.ts';
import { complain } from '../../errors.ts';
import { rackNamed } from '../../fleet.ts';
import { count, plain } from '../../output/text.ts';
import { loadRack } from '../../rack-file.ts';
import { explaining, newClient, readToken } from '../../service-client.ts';
import { untilStopped } from '../../until-stopped.ts';
import { findTarget } from './forward.ts';

/** A console, and how this computer reaches it. */
interface Place {
  rack: string;
  /** For machine-state's API. */
  baseUrl: string;
  fetch?: typeof fetch;
  /** For the browser. */
  url: string;
}

/** The browser has read the file by then. */
const readWithinMs = 5000;

/** `skolo console`: the console in the browser. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Opens the console of a rack in the browser, and signs you in with your token through a link that works once, within a minute. With names of racks it goes through their jumphosts and stays until Ctrl-C; each rack has a page of its own, and the one with the most machines that need a person is opened first. Without a token the page asks for one.',
    )
    .argument('[racks...]', 'names in the list of racks; default the rack of --rack')
    .option('--no-open', 'only print the links')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo console rack4');

  command.action(async (names: string[], { open }: { open: boolean }) => {
    const { io } = command;
    const { on } = command.globals();
    const racks = names.length === 0 && on !== undefined ? [on] : names;
    const places =
      racks.length === 0 ? [await ownPlace(command)] : await forwardedPlaces(command, racks);
    const links = await Promise.all(places.map((place) => linkTo(command, place)));
    links.sort((a, b) => b.waiting - a.waiting);
    for (const { rack, link, waiting } of links) {
      if (!open) io.out(link);
      const verb = waiting === 1 ? 'needs' : 'need';
      io.err(plain(`${rack}: ${count(waiting, 'machine')} ${verb} a person`));
    }
    if (open) await openInBrowser(command, links);
    if (racks.length === 0) return;
    const stop = untilStopped(io);
    io.err('the links work until Ctrl-C');
    if (!stop.signal.aborted) {
      await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
    }
  });
}

async function ownPlace(command: SkoloCommand): Promise<Place> {
  const { serviceUrl } = await import('@skolo/rack/service-urls');
  const { url } = command.globals();
  if (url !== undefined) return { rack: url, baseUrl: url, url };
  const rack = await loadRack(command.globals());
  const baseUrl = serviceUrl(rack, 'machine-state');
  return { rack: rack.name, baseUrl, url: baseUrl };
}

async function forwardedPlaces(command: SkoloCommand, names: readonly string[]): Promise<Place[]> {
  const [{ startForward }, { readRack }, { serviceUrl }] = await Promise.all([
    import('@skolo/fleet'),
    import('@skolo/rack'),
    import('@skolo/rack/service-urls'),
  ]);
  const places: Place[] = [];
  // One after the other: each may ask for a passphrase.
  for (const name of new Set(names)) {
    const rack = await rackNamed(command, name);
    const { jumphost, target } = await findTarget(command, rack, 'machine-state');
    const forward = await startForward(target, jumphost.connect);
    command.atEnd(forward.close);
    const baseUrl = serviceUrl(await readRack(join(rack.overlay, 'rack.yaml')), 'machine-state');
    places.push({ rack: name, baseUrl, fetch: jumphost.fetch, url: forward.url });
  }
  return places;
}

interface Link {
  rack: string;
  link: string;
  /** Machines that need a person. */
  waiting: number;
}

async function linkTo(command: SkoloCommand, { rack, url, ...place }: Place): Promise<Link> {
  const globals = command.globals();
  const file = globals.tokenFile ?? (await savedTokenFile(command.io.env, rack));
  const token = file === undefined ? undefined : await readToken(file);
  const hint =
    file === undefined ? 'save your token with skolo login' : `the token is from ${file}`;
  const client = newClient({ ...machineStateApi, ...consoleApi }, { ...place, token });
  return await explaining(
    async () => {
      const { machines } = await client.machines();
      const waiting = machines.filter((each) => each.needsPerson !== undefined).length;
      const page = `${url.replace(/\/$/, '')}/`;
      if (token === undefined) return { rack, link: page, waiting };
      const { code } = await client.createLink();
      return { rack, link: `${page}#/sign-in?code=${encodeURIComponent(code)}`, waiting };
    },
    globals,
    { hint, statuses: [401, 403] },
  );
}

/** By files that only their owner can read: arguments of programs are seen by all users of this computer. */
async function openInBrowser(command: SkoloCommand, links: readonly Link[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'skolo-console-'));
  command.atEnd(() => rm(folder, { recursive: true, force: true }));
  for (const [at, { link }] of links.entries()) {
    const file = join(folder, `${at}.html`);
    const page = `<!doctype html><meta http-equiv="refresh" content="0; url=${escaped(link)}">\n`;
    await writeFile(file, page, { mode: 0o600, flag: 'wx' });
    const program = process.platform === 'darwin' ? 'open' : 'xdg-open';
    const child = spawn(program, [file], { detached: true, stdio: 'ignore' });
    child.once('error', () => {
      complain(command.io, `${program} cannot be started; --no-open prints the link`);
    });
    child.unref();
  }
  await sleep(readWithinMs);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
