/**
 * `main.js archive-jumphost`: runs on the jumphost itself, for a router-backup in a pod, which cannot read the host's directories. A
 * systemd unit starts it when the service wants an archive, as root that may read everything, but may only write what belongs to root: into the
 * shared directory, and that of k3s' database, where SQLite keeps its locks. Its output is encrypted.
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errorText, tempFolder } from '@skolo/base';
import { readRack } from '@skolo/rack';
import { neverArchived } from '@skolo/rack/jumphost';
import { archiveJumphost } from './archive.ts';
import { acceptRequest, respond } from './archive-request.ts';

/** Weeks of graphs: larger than all the rest, and useless for a new jumphost. */
const tooLarge = '/var/lib/skolo/prometheus';

/** @returns the exit code */
export async function archiveAsProgram(args: readonly string[]): Promise<number> {
  const options = { rack: { type: 'string' }, folder: { type: 'string' } } as const;
  const { rack: file, folder: given } = parseArgs({ args: [...args], options }).values;
  if (file === undefined || given === undefined) {
    console.error('usage: main.js archive-jumphost --rack FILE --folder FOLDER');
    return 2;
  }
  const folder = resolve(given);
  const { history } = await acceptRequest(folder);
  // The pod must not read copies of databases. systemd gives the program a private one.
  await using scratch = await tempFolder('skolo-archive-', '/var/tmp');
  const stop = new AbortController();
  process.once('SIGTERM', () => stop.abort(new Error('ended by SIGTERM')));
  try {
    const rack = await readRack(file);
    const { jumphost, encrypt } = rack.services['router-backup'];
    const archive = await archiveJumphost({
      rack,
      folder,
      recipients: encrypt,
      paths: [...jumphost.paths, file],
      exclude: [
        tooLarge,
        ...neverArchived.map((name) => resolve(folder, '../router-backup', name)),
      ],
      history,
      scratch: join(scratch.path, 'databases'),
      signal: stop.signal,
      now: Date.now(),
    });
    await respond(folder, { archive });
    console.log(`${archive.files} files, ${archive.size} bytes, ${archive.left.length} omitted`);
    return 0;
  } catch (error) {
    await respond(folder, { failed: errorText(error) });
    console.error(errorText(error));
    return 1;
  }
}
