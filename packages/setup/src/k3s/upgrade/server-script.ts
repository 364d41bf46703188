/**
 * Upgrades the k3s server, keeps a snapshot of its database, and rolls back: a program on the jumphost itself, which does not depend on
 * a workstation. It continues if the workstation, the connection or the power is lost, and rolls back automatically if the new version
 * does not run.
 *
 * Sources: docs.k3s.io, Upgrades (Rolling Back K3s) and Datastore (Backup and Restore): the SQLite database is its directory, copied
 * while k3s is stopped, and is useless without the token.
 */
import { script, shellWord, withVariables } from '@skolo/base';
import { type FileContent, onlyRootProgram } from '@skolo/setup/engine';
import { z } from 'zod';
import { binary } from '../program/unit.ts';

export const folder = '/var/lib/skolo-steps/k3s-upgrade';
export const unit = 'skolo-k3s-upgrade.service';

/** States between two checks by the workstation, and final states. */
export const ServerState = z.enum([
  /** The snapshot is created while k3s is stopped. */
  'begin',
  'switching',
  'starting',
  /** The new version runs. The workstation must judge it. */
  'ready',
  'returning',
  'done',
  /** Nothing was changed. */
  'rejected',
  /** It runs the previous version with its database. */
  'returned',
  /** It is between two versions. */
  'broken',
]);
export type ServerState = z.infer<typeof ServerState>;

interface ServerPlan {
  from: string;
  to: string;
  node: string;
  /** Time for a version to start. */
  seconds: number;
  /** Who and why, for the jumphost's log. */
  by: string;
  /** Name of the file with k3s's images. */
  images: string;
}

/** The program and its unit. The state is written separately, after everything else. */
export function serverFiles(plan: ServerPlan): FileContent[] {
  return [
    { path: `${folder}/plan`, content: planText(plan), mode: 0o600 },
    { path: `${folder}/run`, content: program, mode: 0o700 },
    onlyRootProgram,
    { path: `/etc/systemd/system/${unit}`, content: unitText },
  ];
}

function planText(plan: ServerPlan): string {
  return Object.entries(plan)
    .map(([key, value]) => `${key}=${shellWord(`${value}`)}\n`)
    .join('');
}

const unitText = `# Written by \`skolo jumphost upgrade\`.
[Unit]
Description=skolo: upgrade k3s
ConditionPathExists=${folder}/state
RequiresMountsFor=${folder} /var/lib/rancher /usr/local
[Service]
Type=exec
ExecStart=${onlyRootProgram.path} ${folder}/run
[Install]
WantedBy=multi-user.target
`;

const program = withVariables(script(new URL('./upgrade-server.sh', import.meta.url)), {
  at: folder,
  k3s: binary,
});
