/**
 * Restores a version in FRR by typing the differences. FRR has no commit: typed lines are active immediately, and a restart reverts unsaved
 * ones. So it saves last, after reading back that the running configuration matches the version.
 */

import { count } from '@skolo/base';
import { type DeviceConnection, DeviceError, DeviceRejected } from '@skolo/equipment/transports';
import { withoutSecrets } from '../configuration/mask.ts';
import { listed } from '../families/command-line/text-reading.ts';
import { type Change, changesBetween, isLeftover } from './changes.ts';
import {
  type Block,
  body,
  configurationFault,
  givenLines,
  parseConfiguration,
  settable,
} from './configuration.ts';
import { openVtysh, type Vtysh } from './vtysh.ts';

const mostRounds = 30;
const mostDropped = 3;

/** @throws DeviceRejected FRR does not accept all of it; it has its previous configuration again, unless the message says otherwise */
export async function apply(
  connection: DeviceConnection,
  content: Buffer,
  step: (text: string) => void,
): Promise<void> {
  const { name } = connection.device;
  const vtysh = await openVtysh(connection);
  const previous = whole(name, vtysh.text);
  const wanted = whole(name, content);
  for (const text of leftAlone(previous, wanted)) step(text);
  const rest = await converge(name, vtysh, wanted, step);
  if (rest.changes.length > 0) {
    const what = `did not accept the whole version, which still differs in ${shown(rest.changes)}${rest.said}`;
    throw new DeviceRejected(name, `${what}; ${await putBack(name, vtysh, previous, step)}`);
  }
  step('read back: the running configuration matches the version');
  const said = await vtysh.save();
  if (!said.includes('[OK]') || /^%|can't open/im.test(said)) {
    const what = `is running the version, but did not save it: ${said.slice(-300)}`;
    throw new DeviceRejected(
      name,
      `${what}; until the version is saved, a restart of FRR loads a different configuration`,
    );
  }
  step('saved with write memory');
}

/** Asks vtysh whether it understands every line. The daemons, which might reject some, are not asked. */
export async function check(
  connection: DeviceConnection,
  content: Buffer,
): Promise<{ accepted?: boolean; said: string }> {
  const vtysh = await openVtysh(connection);
  const { name } = connection.device;
  const changes = difference(name, vtysh.text, whole(name, content));
  const plan = `${count(changes.length, 'line')} would be entered`;
  if (vtysh.shell === undefined) {
    return {
      said: `${plan}; without a shell, skolo cannot check whether FRR accepts this version`,
    };
  }
  const script = `umask 077; f=$(mktemp) || exit; cat > "$f"
vtysh -C -f "$f"; echo "status $?"; rm -f "$f" "$f.lock"`;
  const said = withoutSecrets(await vtysh.shell(script, Buffer.from(fileOf(content))));
  const status = /^status (\d+)$/m.exec(said)?.[1];
  const rest = said.replace(/^status \d+$/m, '').trim();
  return { accepted: status === '0', said: rest === '' ? plan : `${rest}\n${plan}` };
}

/** As in frr.conf. */
export function fileOf(content: Buffer): string {
  return `${body(content.toString()).join('\n').trim()}\n`;
}

interface Rest {
  changes: Change[];
  /** FRR's last message, for an error. */
  said: string;
}

/**
 * Types the differences until there are none. First all together: FRR stops at a rejected line, and the next round types the rest. If that
 * makes no progress, line by line, then with fewer words.
 */
async function converge(
  name: string,
  vtysh: Vtysh,
  wanted: readonly Block[],
  step: (text: string) => void,
): Promise<Rest> {
  let text = await vtysh.running();
  let changes = difference(name, text, wanted);
  let said = '';
  let stuck = 0;
  for (let round = 1; round <= mostRounds && stuck <= mostDropped + 1; round += 1) {
    if (changes.length === 0) break;
    step(`round ${round}: ${shown(changes)}`);
    try {
      said = stuck === 0 ? await vtysh.configure(changes) : await oneByOne(vtysh, changes);
    } catch (error) {
      if (!(error instanceof DeviceError) || !error.retry) throw error;
      step(`${error.message}; checking which lines the router accepted`);
    }
    if (said !== '') step(`the router responded: ${said.slice(0, 300)}`);
    const before = text;
    text = await vtysh.running();
    if (text.equals(before)) stuck += 1;
    changes = difference(name, text, wanted, Math.max(0, stuck - 1));
    if (stuck > 1 && changes.every(isLeftover)) break;
  }
  const left = difference(name, text, wanted).filter((change) => !isLeftover(change));
  return {
    changes: left,
    said: said === '' ? '' : `; the router responded: ${said.slice(0, 300)}`,
  };
}

/** A rejected line does not prevent the others from being typed. */
async function oneByOne(vtysh: Vtysh, changes: readonly Change[]): Promise<string> {
  const said: string[] = [];
  for (const change of changes) said.push(await vtysh.configure([change]));
  return said.filter((text) => text !== '').join('\n');
}

function difference(name: string, text: Buffer, wanted: readonly Block[], dropped = 0): Change[] {
  return changesBetween(settable(whole(name, text)), settable(wanted), dropped);
}

/** @throws DeviceRejected Parts are missing, so that far too much would be removed or typed again */
function whole(name: string, text: Buffer): Block[] {
  const fault = configurationFault(text.toString());
  if (fault === undefined) return parseConfiguration(text.toString());
  const start = withoutSecrets(text.toString().trim().slice(0, 100));
  const what = `nothing can be loaded, because the configuration is incomplete: ${fault}`;
  throw new DeviceRejected(name, `${what}; it starts with ${JSON.stringify(start)}`);
}

async function putBack(
  name: string,
  vtysh: Vtysh,
  previous: readonly Block[],
  step: (text: string) => void,
): Promise<string> {
  step('restoring the previous configuration');
  const { changes } = await converge(name, vtysh, previous, step);
  if (changes.length === 0) return 'the previous configuration was restored, and nothing was saved';
  return `the previous configuration could not be restored completely, and still differs in ${shown(changes)}; nothing was saved, so restarting FRR restores the saved configuration`;
}

/** Lines that no command changes and that differ in the version. */
function leftAlone(now: readonly Block[], wanted: readonly Block[]): string[] {
  const [has, wants] = [givenLines(now), givenLines(wanted)];
  const missing = wants.filter((line) => !has.includes(line));
  return missing.map((line) => `not restored, because no command can set this line: ${line}`);
}

function shown(changes: readonly Change[]): string {
  const lines = changes.map(({ path, line }) => withoutSecrets([...path, line].join(' / ')));
  return `${count(lines.length, 'line')}: ${listed(lines)}`;
}
