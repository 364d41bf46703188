import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConsoleRack, consoleApi, machineStateApi } from '@skolo/api';
import { count, pause } from '@skolo/base';
import type { FleetRack } from '@skolo/fleet';
import type { SkoloCommand } from '../../command.ts';
import { complain } from '../../errors.ts';
import { plain } from '../../output/text.ts';
import { loadFleet, rackNamed, withJumphost } from '../../reach/racks.ts';
import { explaining, newClient, placeOf, tokenFor } from '../../reach/service-client.ts';
import { untilStopped } from '../../until-stopped.ts';

/** The browser has read the file by then. */
const readWithinMs = 5000;

/** `skolo console`: the web console. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Opens a rack's web console and signs you in with your token. If you have no token, the page prompts for one. The sign-in link works only once, and expires after a minute. If you specify racks, the command connects through their jumphosts until you press Ctrl-C, and the console shows all of them on one page, worst first. With several racks, ssh cannot prompt for a passphrase, so load your key with ssh-add first.",
    )
    .argument('[racks...]', 'rack names, as listed by skolo racks (default: the rack in rack.yaml)')
    .option('--all', 'open all racks in the clusters file, except GKE clusters')
    .option('--no-open', 'only print the link')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo console rack4');

  command.action(async (names: string[], options: { all?: true; open: boolean }) => {
    const { io } = command;
    const { on } = command.globals();
    if (options.all && names.length > 0) command.error("specify racks or '--all', not both");
    const racks = names.length === 0 && on !== undefined ? [on] : names;
    if (options.all || racks.length > 0) {
      const wanted = options.all ? await allRacks(command) : await named(command, racks);
      await serveRacks(command, wanted, options.open);
    } else {
      const { link, waiting, name } = await ownLink(command);
      if (!options.open) io.out(link);
      io.err(`${name}: ${attentionText(waiting)}`);
      if (options.open) await openInBrowser(command, link);
    }
  });
}

async function allRacks(command: SkoloCommand): Promise<FleetRack[]> {
  return (await loadFleet(command)).racks.filter(({ type }) => type !== 'gke');
}

async function named(command: SkoloCommand, names: readonly string[]): Promise<FleetRack[]> {
  return await Promise.all(
    [...new Set(names)].map(async (name) => withJumphost(await rackNamed(command, name))),
  );
}

/** Until Ctrl-C. */
async function serveRacks(
  command: SkoloCommand,
  wanted: readonly FleetRack[],
  open: boolean,
): Promise<void> {
  const { io } = command;
  const [{ listenOnLoopback, secretHost }, { builtPages, createRacksConsole }, { watchRack }] =
    await Promise.all([
      import('@skolo/fleet'),
      import('@skolo/console/racks'),
      import('./watch-rack.ts'),
    ]);
  const { newServer } = await import('@skolo/common/light');
  const pages = await builtPages({ rebuilds: true });
  const stop = untilStopped(io);
  function onConnection({ name, connection, why, known }: ConsoleRack) {
    const text =
      connection === 'live' ? attentionText(known?.needsAttention ?? 0) : (why ?? connection);
    io.err(plain(`${name}: ${text}`));
  }
  const isOne = wanted.length === 1;
  // A token belongs to one rack, and no other may see it.
  const tokenFile = isOne ? command.globals().tokenFile : undefined;
  const options = { tokenFile, mayAsk: isOne && io.canAsk, onConnection };
  const racks = wanted.map((rack) => watchRack(command, rack, options));
  const { name, isNamed } = secretHost();
  const workstation = createRacksConsole({ racks, pages, isNamed, now: io.now });
  const server = await listenOnLoopback(newServer({ handler: workstation.listener }));
  command.atEnd(server.close);
  const running = racks.map((rack) => rack.run(stop.signal));
  const link = `http://${name}:${server.port}/#/?code=${encodeURIComponent(workstation.createCode())}`;
  if (open) await openInBrowser(command, link);
  else io.out(link);
  io.err('the page is available until you press Ctrl-C');
  await Promise.all(running);
}

function attentionText(waiting: number): string {
  return `${count(waiting, 'machine needs', 'machines need')} attention`;
}

/** The web console of the rack in rack.yaml, or at `--url`, and how many machines need attention. */
async function ownLink(command: SkoloCommand) {
  const globals = command.globals();
  const { baseUrl, rack } = await placeOf(command, { service: 'machine-state' });
  const own = await tokenFor(command, rack);
  const token = own?.token;
  const hint = own ? `the token is from ${own.file}` : 'save your token with skolo login';
  const client = newClient({ ...machineStateApi, ...consoleApi }, { baseUrl, rack, token });
  return await explaining(
    async () => {
      const { machines } = await client.machines();
      const waiting = machines.filter((each) => each.needsAttention !== undefined).length;
      const page = `${baseUrl.replace(/\/$/, '')}/`;
      const name = rack ?? baseUrl;
      if (token === undefined) return { name, link: page, waiting };
      const { code } = await client.createLink();
      return { name, link: `${page}#/sign-in?code=${encodeURIComponent(code)}`, waiting };
    },
    globals,
    { hint, statuses: [401, 403] },
  );
}

/** Through a file that only its owner can read: all users of this computer can see a program's arguments. */
async function openInBrowser(command: SkoloCommand, link: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'skolo-console-'));
  command.atEnd(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'console.html');
  const page = `<!doctype html><meta http-equiv="refresh" content="0; url=${escaped(link)}">\n`;
  await writeFile(file, page, { mode: 0o600, flag: 'wx' });
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(program, [file], { detached: true, stdio: 'ignore' });
  child.once('error', () => {
    complain(command.io, `${program} cannot be started; use --no-open to print the link`);
  });
  child.unref();
  await pause(readWithinMs);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
