/** The off-site destinations in rack.yaml, and for which recipients copies are encrypted. */

import {
  directoryPlace,
  type GetToken,
  GitMirror,
  gcsPlace,
  metadataServerToken,
  type OffsitePlace,
  serviceAccountToken,
  shownRemote,
} from '@skolo/backup';
import { readSecret } from '@skolo/base/secrets';
import { BackupError } from '@skolo/equipment/models/configuration';
import { type Rack, serviceUrl } from '@skolo/rack';

export interface Destination {
  /** Identifies it in the journal; without secrets. */
  id: string;
  kind: 'upload' | 'git';
  /** For people, without secrets. */
  url: string;
  /** Changes with each of its settings. */
  settings: string;
  /** Its name in `/readyz`. */
  condition: string;
}

/** Its name in `LastSuccess`. */
export function successOf({ url }: Pick<Destination, 'url'>): string {
  return `offsite ${url}`;
}

export function destinationsOf(rack: Rack): Destination[] {
  const { upload, uploadKey, encrypt, git } = rack.services['router-backup'];
  const server = serviceUrl(rack, 'metadata-server');
  const destinations: Destination[] = [];
  if (upload !== undefined) {
    const settings = JSON.stringify([upload, uploadKey, encrypt, server]);
    const id = `upload ${upload}`;
    destinations.push({ id, kind: 'upload', url: upload, settings, condition: 'upload' });
  }
  if (git.remote !== undefined) {
    const url = shownRemote(git.remote);
    const settings = JSON.stringify([git, encrypt]);
    const id = `git ${url} ${git.branch}`;
    destinations.push({ id, kind: 'git', url, settings, condition: 'git remote' });
  }
  return destinations;
}

/**
 * The recipients that each copy is encrypted for.
 *
 * @throws BackupError `rejected`: rack.yaml has neither recipients nor `none`
 */
export function recipientsOf(rack: Rack): readonly string[] | 'none' {
  const { encrypt } = rack.services['router-backup'];
  if (encrypt !== undefined) return encrypt;
  throw new BackupError(
    'rejected',
    'nothing is copied off site until services.router-backup.encrypt is set to encryption recipients (`[age1…]`) or to `none`',
  );
}

/**
 * The bucket or directory, opened with the current key.
 *
 * @param isKnown whether anything was stored in it before
 * @throws BackupError, SecretError
 */
export async function openPlace(rack: Rack, isKnown: () => boolean): Promise<OffsitePlace> {
  const { upload = '' } = rack.services['router-backup'];
  if (!upload.startsWith('gs://')) return directoryPlace(upload, { isKnown });
  return gcsPlace(upload, { token: await tokenFor(rack) });
}

async function tokenFor(rack: Rack): Promise<GetToken> {
  const { uploadKey } = rack.services['router-backup'];
  if (uploadKey === undefined) return metadataServerToken(serviceUrl(rack, 'metadata-server'));
  return serviceAccountToken(await readSecret(rack, uploadKey));
}

/**
 * The git remote, opened with the current key.
 *
 * @throws BackupError, SecretError
 */
export async function openMirror(
  rack: Rack,
  folders: { history: string; folder: string },
): Promise<GitMirror> {
  const { remote = '', branch, privateKey, hostKey } = rack.services['router-backup'].git;
  return new GitMirror({
    ...folders,
    remote,
    branch,
    recipients: recipientsOf(rack),
    rack: rack.name,
    privateKey: privateKey && (await readSecret(rack, privateKey)),
    hostKey,
  });
}
