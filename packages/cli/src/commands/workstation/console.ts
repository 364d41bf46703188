import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consoleApi, machineStateApi } from '@skolo/api';
import { count, pause } from '@skolo/base';
import type { Fetch } from '@skolo/base/internet';
import type { SkoloCommand } from '../../command.ts';
import { complain } from '../../errors.ts';
import { openJumphostOf, rackNamed, readRackOf, withJumphost } from '../../reach/racks.ts';
import { explaining, newClient, placeOf, tokenFor } from '../../reach/service-client.ts';
import { untilStopped } from '../../until-stopped.ts';

/** The browser has read the file by then. */
const readWithinMs = 5000;

/** `skolo console`: the web console. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Opens a rack's web console and signs you in with your token. If you have no token, the page prompts for one. The sign-in link works only once, and expires after a minute. If you specify a rack, the command connects through its jumphost until you press Ctrl-C. For an overview of all racks, use skolo status.",
    )
    .argument('[rack]', 'rack name, as listed by skolo racks (default: the rack in rack.yaml)')
    .option('--no-open', 'only print the link')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo console rack4');

  command.action(async (given: string | undefined, { open }: { open: boolean }) => {
    const { io } = command;
    const on = given ?? command.globals().on;
    const place =
      on === undefined
        ? await placeOf(command, { service: 'machine-state' })
        : await forwarded(command, on);
    const { link, waiting, name } = await linkTo(command, place);
    if (!open) io.out(link);
    io.err(`${name}: ${count(waiting, 'machine needs', 'machines need')} attention`);
    if (open) await openInBrowser(command, link);
    if (on === undefined) return;
    const stop = untilStopped(io);
    io.err('the page is available until you press Ctrl-C');
    if (!stop.signal.aborted) {
      await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
    }
  });
}

interface Place {
  /** machine-state, for requests of this command. */
  baseUrl: string;
  rack?: string;
  fetch?: Fetch;
  /** machine-state, for the browser; default: the same. */
  page?: string;
}

/** machine-state through a rack's jumphost, until the command ends. */
async function forwarded(command: SkoloCommand, name: string): Promise<Place> {
  const rack = withJumphost(await rackNamed(command, name));
  const [{ startForward }, { serviceUrl }] = await Promise.all([
    import('@skolo/fleet'),
    import('@skolo/rack/light'),
  ]);
  const own = await readRackOf(rack);
  const baseUrl = serviceUrl(own, 'machine-state');
  const { connect, fetch } = await openJumphostOf(command, rack);
  const target = new URL(baseUrl);
  const forward = await startForward(target, connect);
  command.atEnd(forward.close);
  return { baseUrl, rack: own.name, fetch, page: `${forward.url}${target.pathname}` };
}

/** The link that signs in, and how many machines need attention. */
async function linkTo(command: SkoloCommand, { page, ...place }: Place) {
  const { baseUrl, rack } = place;
  const own = await tokenFor(command, rack);
  const token = own?.token;
  const hint = own ? `the token is from ${own.file}` : 'save your token with skolo login';
  const client = newClient({ ...machineStateApi, ...consoleApi }, { ...place, token });
  return await explaining(
    async () => {
      const { machines } = await client.machines();
      const waiting = machines.filter((each) => each.needsAttention !== undefined).length;
      const console = `${(page ?? baseUrl).replace(/\/$/, '')}/`;
      const name = rack ?? baseUrl;
      if (token === undefined) return { name, link: console, waiting };
      const { code } = await client.createLink();
      return { name, link: `${console}#/sign-in?code=${encodeURIComponent(code)}`, waiting };
    },
    command.globals(),
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
