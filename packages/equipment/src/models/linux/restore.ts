/**
 * Restores a version's files on a host. Differing files are sent as an archive, with a script that first puts each file next to the one
 * it replaces. It moves them into place only when all are complete. The script is transferred completely before it starts, and continues
 * if the session dies. Files that the version does not have are kept, and listed.
 */
import { randomBytes } from 'node:crypto';
import { closing, pause, sha256, shellWord } from '@skolo/base';
import { type DeviceConnection, DeviceError, DeviceRejected } from '@skolo/equipment/transports';
import { membersToWrite, type NewMember, tarOf } from '../configuration/archive-write.ts';
import type { RestoreAbout, RestoreStep } from '../contract/backup.ts';
import {
  fetchVersion,
  onDevice,
  onWorkstation,
  portOption,
} from '../families/command-line/restore-lines.ts';
import { listed } from '../families/command-line/text-reading.ts';
import { Collected, hashOf, type VerifiedMember } from './collect.ts';
import { Host, type HostFiles } from './host.ts';
import { putScript, rehearsal } from './script.ts';

const none = Buffer.alloc(0);

/** How often, and at what interval, a host is asked again after a lost session. */
const looks = 30;
const betweenLooksMs = 2000;

export function steps(
  content: Buffer,
  { device, id, time }: RestoreAbout,
  { sudo }: HostFiles,
): RestoreStep[] {
  const file = `${device.name}.tar`;
  const where = `/var/tmp/${file}`;
  const before = `/var/tmp/${device.name}-before.tar`;
  const root = sudo ? 'sudo ' : '';
  const hash = sha256(content);
  return [
    onWorkstation(`Get the version from ${time}`, [fetchVersion({ device, id }, file)]),
    onWorkstation(
      `Copy the version to the host, as the user of the login ${device.login ?? 'in rack.yaml'}`,
      [`scp ${portOption(device, '-P')}${file} USER@${device.address ?? 'ADDRESS'}:${where}`],
    ),
    onDevice('Check that the archive is complete, and list its files', [
      `echo '${hash}  ${where}' | sha256sum -c -`,
      `tar -tvf ${where}`,
    ]),
    onDevice('Save the files that the version replaces', [
      `cd / && tar -tf ${where} | grep -v '/$' | ${root}tar -cpf ${before} -T -; ls -l ${before}`,
    ]),
    onDevice(
      'Unpack the archive. Other files are left unchanged. Reload the programs whose files have changed',
      [`${root}tar -C / -xpmf ${where}`, `rm ${where}`],
    ),
  ];
}

export async function check(
  connection: DeviceConnection,
  content: Buffer,
  about: HostFiles,
): Promise<{ accepted: boolean; said: string }> {
  const host = new Host(connection, about);
  const compared = await lookAt(host, content);
  if (compared.changes.length === 0) return { accepted: true, said: describe(compared) };
  const input = Buffer.from(rehearsal(compared.changes));
  const said = (await connection.exec(`${host.sudo}sh -s 2>&1`, { input })).toString().trim();
  const problems = said.split('\n').filter((line) => line !== '' && line !== 'end');
  if (!said.endsWith('end')) problems.push('the check did not finish');
  const all = [...problems, describe(compared)];
  return { accepted: problems.length === 0, said: all.join('\n') };
}

/** @throws DeviceRejected It cannot be unpacked or put in place: everything is then as before */
export async function apply(
  connection: DeviceConnection,
  content: Buffer,
  about: HostFiles,
  step: (text: string) => void,
): Promise<void> {
  const host = new Host(connection, about);
  const compared = await lookAt(host, content);
  step(describe(compared));
  if (compared.changes.length === 0) return;
  await load(connection, host, compared.changes, step);
  const left = await lookAt(host, content);
  if (left.changes.length > 0) {
    const what = `the files were written, but some have changed again: ${describe(left)}`;
    throw new DeviceRejected(host.name, what);
  }
  step('read back: all files match the version');
}

/** Differences between the version and the host. */
async function lookAt(host: Host, content: Buffer): Promise<Compared> {
  const archive = { bytes: content };
  const wanted = await membersToWrite(archive);
  const { paths } = await host.list();
  const asked = new Set([...paths, ...wanted.map(({ name }) => `/${name}`)]);
  await using now = closing(await Collected.of(host, [...asked]));
  const why = host.unreadable();
  if (why !== undefined) throw new DeviceRejected(host.name, why);
  return await compare(now.members, wanted);
}

async function load(
  connection: DeviceConnection,
  host: Host,
  changes: readonly NewMember[],
  step: (text: string) => void,
): Promise<void> {
  const id = randomBytes(6).toString('hex');
  const stage = await makeStage(connection, id);
  const files = { 'new.tar': await tarOf(changes), 'put.sh': Buffer.from(putScript(changes, id)) };
  for (const [name, bytes] of Object.entries(files)) {
    await connection.upload(`${stage}/${name}`, bytes);
  }
  step(`uploaded to ${stage}`);
  const sums = Object.entries(files).map(([name, bytes]) => `${sha256(bytes)}  ${name}`);
  // Prints a line occasionally, so that the session does not time out.
  const put = `cd ${stage} && sha256sum -c - >&2 && {
trap '' HUP PIPE
{ while sleep 5 </dev/null >/dev/null 2>&1; do echo; done; } & beat=$!
${host.sudo}sh put.sh > log 2>&1
kill $beat; cat log; [ -d old ] || rm -rf ${stage}; }`;
  const input = Buffer.from(`${sums.join('\n')}\n`);
  let said: string;
  try {
    said = (await connection.exec(put, { input })).toString();
  } catch (error) {
    if (!(error instanceof DeviceError) || !error.retry) throw error;
    step(`${error.message}; waiting until the files are installed`);
    said = await logOf(connection, stage);
  }
  const lines = said.split('\n').filter((line) => line !== '');
  for (const line of lines) step(line);
  if (lines.at(-1) !== 'done') {
    throw new DeviceRejected(host.name, `did not install the files: ${lines.slice(-5).join('; ')}`);
  }
}

/** The script's log, when it has ended. The restored network or sshd may only accept sessions after a while. */
async function logOf(connection: DeviceConnection, stage: string): Promise<string> {
  for (let look = 1; ; look += 1) {
    try {
      return (await connection.exec(waiting(stage), { input: none })).toString();
    } catch (error) {
      if (look === looks || !(error instanceof DeviceError) || !error.retry) throw error;
      await pause(betweenLooksMs);
    }
  }
}

/** A directory that only the account can read. */
async function makeStage(connection: DeviceConnection, id: string): Promise<string> {
  const name = `skolo-restore-${id}`;
  const script = `for dir in /var/tmp /tmp; do mkdir -m 700 "$dir/${name}" 2>/dev/null && echo "$dir/${name}" && exit; done
echo "no folder can be made in /var/tmp or /tmp" >&2; exit 1`;
  return (await connection.exec(script, { input: none })).toString().trim();
}

/** The log, after the script has ended. */
function waiting(stage: string): string {
  return `i=0; until tail -n 1 ${shellWord(stage)}/log 2>/dev/null | grep -qx 'done\\|given up' || [ $i -ge 60 ]; do sleep 1; echo; i=$((i+1)); done; cat ${shellWord(stage)}/log`;
}

/** Differences between a version and a host. */
interface Compared {
  /** Entries of the version that must be written. */
  changes: NewMember[];
  /** Absolute paths, sorted. */
  gone: string[];
  different: string[];
  /** On the host, but not in the version. */
  others: string[];
}

/** @param now the host's files, limited to those in rack.yaml or in the version */
async function compare(
  now: readonly VerifiedMember[],
  wanted: readonly NewMember[],
): Promise<Compared> {
  const present = new Map(now.map((member) => [member.name, member]));
  const result: Compared = { changes: [], gone: [], different: [], others: [] };
  for (const member of wanted) {
    const known = present.get(member.name);
    if (known && (await isSame(known, member))) continue;
    result.changes.push(member);
    (known ? result.different : result.gone).push(`/${member.name}`);
  }
  const names = new Set(wanted.map(({ name }) => name));
  for (const { name, type } of now) {
    if (!names.has(name) && type !== 'folder') result.others.push(`/${name}`);
  }
  return result;
}

/** For people, one line per kind. */
function describe({ gone, different, others }: Compared): string {
  const lines = [
    ...line('missing on the host', gone),
    ...line('different on the host', different),
    ...line('not in the version, so left unchanged', others),
  ];
  return lines.length === 0 ? 'all files match the version' : lines.join('\n');
}

function line(what: string, paths: readonly string[]): string[] {
  if (paths.length === 0) return [];
  return [`${what}: ${listed(paths, 20)}`];
}

async function isSame(known: VerifiedMember, wanted: NewMember): Promise<boolean> {
  if (known.type !== wanted.type || known.uid !== wanted.uid || known.gid !== wanted.gid)
    return false;
  // Linux links have no modes.
  if (wanted.type === 'link') return known.target === wanted.target;
  if (known.mode !== wanted.mode || known.size !== wanted.size) return false;
  return wanted.type !== 'file' || known.sha256 === (await hashOf(wanted));
}
