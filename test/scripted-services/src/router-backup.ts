/** The answers of a router backup without routers. Each request for a run finds the next two pieces of equipment done. */

import { createHash } from 'node:crypto';
import type {
  BackupEquipment,
  BackupRun,
  BackupVersion,
  ConnectedHosts,
  LostHistory,
  OffsiteStatus,
  RunEquipment,
} from '@skolo/api';
import { difference } from '@skolo/backup';
import { sha256 } from '@skolo/base';
import { HttpProblem } from '@skolo/common';
import { ago } from './ago.ts';
import type { Answers, ApiOf } from './service.ts';

/** What it knows. */
export interface BackupWorld {
  equipment(): BackupEquipment[];
  offsite(): OffsiteStatus[];
  /** Newest first. */
  versionsOf(equipment: string): Version[];
  masked(text: string): string;
  pastRuns(): BackupRun[];
  /** The result of each, whenever it is read. */
  resultOf(equipment: string): RunEquipment;
  /** After an incomplete copy was restored. */
  lost(): LostHistory[];
  /** Undefined: it does not respond. */
  connectedHostsOf(equipment: string): ConnectedHosts | undefined;
}

export interface Version {
  version: BackupVersion;
  content: string;
}

type BackupAnswers = Answers<ApiOf<'router-backup'>>;

export function backupAnswers(world: BackupWorld): BackupAnswers {
  return {
    ...runAnswers(world),
    ...equipmentAnswers(world),
    ...versionAnswers(world),
    ...restoreAnswers(world),
    ...historyAnswers(world),
  };
}

function versionOf(world: BackupWorld, equipment: string, wanted: string): Version {
  const versions = world.versionsOf(equipment);
  if (versions.length === 0) {
    const hint = 'no such equipment; to list all names, run skolo backup status';
    throw new HttpProblem(404, `${equipment}: ${hint}`);
  }
  const number = /^latest(?:~(\d+))?$/.exec(wanted);
  const place = number
    ? Number(number[1] ?? 0)
    : versions.findIndex(({ version: { id } }) => wanted.length >= 4 && id.startsWith(wanted));
  const found = versions[place];
  if (found !== undefined) return found;
  const hint = `there is no version ${wanted}; it has ${versions.length}`;
  throw new HttpProblem(404, `${equipment}: ${hint}`);
}

function runAnswers(world: BackupWorld): BackupAnswers {
  const runs = new Map<string, BackupRun>(world.pastRuns().map((run) => [run.id, run]));
  let ids = 1000;

  function advance(run: BackupRun): BackupRun {
    const open = run.equipment.filter(({ state }) => state !== 'done').slice(0, 2);
    const equipment = run.equipment.map((each) =>
      open.includes(each) ? world.resultOf(each.equipment) : each,
    );
    const isOver = equipment.every(({ state }) => state === 'done');
    // The duration of a run in the story, not in the test.
    const end = new Date(Date.parse(run.requestedAt) + 41_000).toISOString();
    const next = { ...run, equipment, ...(isOver && { finishedAt: run.finishedAt ?? end }) };
    runs.set(run.id, next);
    return next;
  }

  return {
    requestBackup: ({ body: { equipment, reason }, caller }) => {
      const all = world.equipment();
      const unknown = equipment?.find((name) => all.every((each) => each.name !== name));
      if (unknown !== undefined) {
        throw new HttpProblem(404, `${unknown}: rack.yaml has no equipment of that name`);
      }
      const current = all.filter(({ state }) => state !== 'retired' && state !== 'never');
      const names = equipment ?? current.map(({ name }) => name);
      const run: BackupRun = {
        id: `r${++ids}`,
        origin: 'person',
        by: caller.name,
        ...(reason !== undefined && { reason }),
        requestedAt: ago(0),
        equipment: names.map((name) => ({ equipment: name, state: 'waiting' })),
      };
      runs.set(run.id, run);
      return run;
    },
    backups: ({ query: { limit } }) => {
      const all = [...runs.values()];
      const newestFirst = all.sort((a, b) => b.requestedAt.localeCompare(a.requestedAt));
      return { backups: newestFirst.slice(0, limit) };
    },
    backup: ({ params: { id } }) => {
      const run = runs.get(id);
      if (run !== undefined) return advance(run);
      throw new HttpProblem(404, `${id}: no such run; to list all runs, run skolo backup runs`);
    },
  };
}

function equipmentAnswers(world: BackupWorld): BackupAnswers {
  return {
    connectedHosts: ({ params: { equipment } }) => {
      const hosts = world.connectedHostsOf(equipment);
      if (hosts !== undefined) return hosts;
      throw new HttpProblem(502, `${equipment}: no response within 20 s`);
    },
    transcript: ({ params: { equipment } }) => {
      if (equipment !== 'switch-2')
        throw new HttpProblem(404, `${equipment}: nothing failed there`);
      const transcript =
        '(switch-2) #show running-config\r\n!Current Configuration:\r\n\u001b[1;1H--More-- or (q)uit';
      return { at: ago(20.5 * 60), transcript };
    },
    hostKeys: () => {
      const fingerprint = 'SHA256:Jk2Nn9Ff0xT1XqKx2l7vC6mWb2gF0mYv3oH5cXk0t1Q';
      const firstSeen = ago(60.5 * 86_400);
      return { hostKeys: [{ equipment: 'router', fingerprint, firstSeen }] };
    },
    forgetHostKey: ({ params: { equipment } }) => {
      return { equipment, forgotten: equipment === 'router' };
    },
  };
}

function versionAnswers(world: BackupWorld): BackupAnswers {
  return {
    content: ({ params, query, caller }) => {
      const withSecrets = query.secrets === 'true';
      if (withSecrets && caller.role !== 'admin') {
        const detail = `secrets require the admin role, but ${caller.name} has the ${caller.role} role; omit secrets=true to get them masked`;
        throw new HttpProblem(403, detail);
      }
      const { version, content } = versionOf(world, params.equipment, params.version);
      const sha1 = createHash('sha1').update(content).digest('hex');
      return {
        status: 200,
        headers: { 'x-skolo-version': version.id, ...(withSecrets && { 'x-skolo-sha1': sha1 }) },
        type: 'application/octet-stream',
        body: withSecrets ? content : world.masked(content),
      };
    },
    versions: ({ params: { equipment }, query: { limit } }) => {
      versionOf(world, equipment, 'latest');
      const versions = world.versionsOf(equipment).map(({ version }) => version);
      return { versions: versions.slice(0, limit) };
    },
    diff: ({ params: { equipment }, query: { from, to, secrets } }) => {
      const [a, b] = [versionOf(world, equipment, from), versionOf(world, equipment, to)];
      const name = ({ id, time }: BackupVersion) => `${equipment} ${id.slice(0, 12)}, ${time}`;
      const show = secrets === 'true' ? (text: string) => text : world.masked;
      const names = { from: name(a.version), to: name(b.version) };
      const diff = difference(show(a.content), show(b.content), names);
      return { from: a.version, to: b.version, diff };
    },
  };
}

/** Of any version of the router; switch-1 can neither check nor load one. The reason for a restore decides what becomes of it. */
function restoreAnswers(world: BackupWorld): BackupAnswers {
  function compared(equipment: string, wanted: string) {
    const [now, then] = [
      versionOf(world, equipment, 'latest'),
      versionOf(world, equipment, wanted),
    ] as const;
    const names = { from: 'as it runs now', to: wanted };
    const diff = difference(world.masked(now.content), world.masked(then.content), names);
    return { ...then, diff };
  }
  return {
    restoreSteps: ({ params: { equipment, version: wanted } }) => {
      const { version, content } = versionOf(world, equipment, wanted);
      const step = (title: string, lines: string[]) => {
        return { title, where: 'equipment' as const, lines };
      };
      if (equipment === 'switch-1') {
        const steps = [step('all of it', ['configure', 'exit'])];
        return { version, comment: '', steps, canApply: false, canCheck: false };
      }
      const vifs = content.match(/vif \d+/g) ?? [];
      const steps = [
        step('begin', ['configure']),
        step('load it; without step 4 it reboots after 10 minutes, with what it had', [
          ...vifs.map((vif) => `set interfaces ethernet eth1 ${vif}`),
          'set system login user admin authentication encrypted-password $6$s3same',
          'commit-confirm 10',
        ]),
        {
          ...step('see that it answers', ['ping -c 3 192.168.1.1']),
          where: 'workstation' as const,
        },
        step('keep it', ['confirm', 'save', 'exit']),
      ];
      return { version, comment: '#', steps, canApply: true, canCheck: true };
    },
    checkRestore: ({ params: { equipment, version: wanted } }) => {
      const { version, content, diff } = compared(equipment, wanted);
      if (equipment === 'switch-1') {
        return { version, running: 'sha1:4', diff: '', rehearsed: false, canApply: false };
      }
      const accepted = !content.includes('host-name ubnt');
      const said = accepted
        ? ''
        : 'system host-name ubnt\n  is not a valid name\n\n  Commit failed\n';
      const result = { version, running: 'sha1:0123', diff, accepted, said };
      return { ...result, rehearsed: true, canApply: true };
    },
    restore: ({ params: { equipment, version: wanted }, body: { running, reason } }) => {
      const { version, diff } = compared(equipment, wanted);
      if (running !== 'sha1:0123' || reason === 'too late') {
        const detail = 'the configuration has changed since it was checked';
        throw new HttpProblem(409, `${equipment}: ${detail}`);
      }
      const last =
        reason === 'in vain'
          ? 'no answer after that; it undoes it by itself'
          : 'read back, confirmed and saved';
      return {
        version,
        restored: reason !== 'in vain' && reason !== 'by halves',
        remaining: reason === 'by halves' ? diff : '',
        steps: ['loaded, to be confirmed within 10 min', last],
      };
    },
  };
}

function historyAnswers(world: BackupWorld): BackupAnswers {
  let received = Buffer.alloc(0);
  /** Reported after an incomplete copy was restored. */
  let lost: LostHistory[] = [];
  return {
    allEquipment: () => ({ equipment: world.equipment(), offsite: world.offsite(), lost }),
    receiveHistory: ({ body: { offset, data } }) => {
      received = Buffer.concat([received.subarray(0, offset), Buffer.from(data, 'base64')]);
      return { size: received.length };
    },
    restoreHistory: ({ body: { sha256: sum } }) => {
      if (sha256(received) !== sum) {
        const detail = 'the received history differs from the one that was sent; send it again';
        throw new HttpProblem(409, detail);
      }
      // The header of a git bundle.
      if (!received.toString('latin1').startsWith('# v2 git bundle\n')) {
        throw new HttpProblem(409, 'this is not a valid history');
      }
      lost = world.lost();
      return { equipment: 3, versions: 5, lost };
    },
    acceptLoss: () => ({ accepted: lost.splice(0) }),
  };
}
