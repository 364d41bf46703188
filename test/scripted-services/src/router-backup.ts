/**
 * A router backup without routers: the API over a real socket, with the conventions of every service (sign-in, schemas, problems), and
 * devices with scripted answers. Each request for a run finds the next two devices done.
 */

import { createHash } from 'node:crypto';
import {
  routerBackupApi as api,
  type BackupRun,
  type BackupVersion,
  type LostHistory,
} from '@skolo/api';
import { difference } from '@skolo/backup';
import { sha256 } from '@skolo/base';
import { createApp, HttpProblem, type RouteHandlers, type ServiceContext } from '@skolo/common';
import { ago } from './ago.ts';
import { exampleBackups } from './example/backups.ts';
import { type Place, type ScriptedService, startScriptedService } from './service.ts';
import type { TestTokens } from './tokens.ts';
import type { BackupWorld, Version } from './worlds.ts';

interface BackupOptions {
  tokens: Pick<TestTokens, 'file'>;
  world?: BackupWorld;
  place?: Place;
}

/** Default: the rack of the examples. */
export function startRouterBackup({
  tokens,
  world = exampleBackups,
  place,
}: BackupOptions): Promise<ScriptedService> {
  const handler = (context: ServiceContext) =>
    createApp(context, { api, handlers: handlersOf(world) });
  return startScriptedService('router-backup', tokens, handler, place);
}

type Handlers = RouteHandlers<typeof api>;

function handlersOf(world: BackupWorld): Handlers {
  return {
    ...runHandlers(world),
    ...deviceHandlers(world),
    ...versionHandlers(world),
    restoreSteps: stepsHandler(world),
    ...restoreHandlers(world),
    ...historyHandlers(world),
  };
}

function versionOf(world: BackupWorld, device: string, wanted: string): Version {
  const versions = world.versionsOf(device);
  if (versions.length === 0) {
    throw new HttpProblem(
      404,
      `${device}: no such equipment; to list all names, run skolo backup status`,
    );
  }
  const number = /^latest(?:~(\d+))?$/.exec(wanted);
  const place = number
    ? Number(number[1] ?? 0)
    : versions.findIndex(({ version: { id } }) => wanted.length >= 4 && id.startsWith(wanted));
  const found = versions[place];
  if (found !== undefined) return found;
  throw new HttpProblem(404, `${device}: there is no version ${wanted}; it has ${versions.length}`);
}

function known(world: BackupWorld, names: readonly string[]): string[] {
  const all = world.devices().map(({ name }) => name);
  const unknown = names.find((name) => !all.includes(name));
  if (unknown === undefined) return [...names];
  throw new HttpProblem(404, `${unknown}: rack.yaml has no equipment of that name`);
}

function runHandlers(world: BackupWorld) {
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
      const all = world
        .devices()
        .filter(({ state }) => state !== 'retired' && state !== 'never')
        .map(({ name }) => name);
      const run: BackupRun = {
        id: `r${++ids}`,
        origin: 'person',
        by: caller.name,
        ...(reason !== undefined && { reason }),
        requestedAt: ago(0),
        equipment: known(world, equipment ?? all).map((name) => ({
          equipment: name,
          state: 'waiting',
        })),
      };
      runs.set(run.id, run);
      return { status: 202, body: run };
    },
    backups: ({ query: { limit } }) => {
      const newestFirst = [...runs.values()].sort((a, b) =>
        b.requestedAt.localeCompare(a.requestedAt),
      );
      return { status: 200, body: { backups: newestFirst.slice(0, limit) } };
    },
    backup: ({ params: { id } }) => {
      const run = runs.get(id);
      if (run === undefined) {
        throw new HttpProblem(404, `${id}: no such run; to list all runs, run skolo backup runs`);
      }
      return { status: 200, body: advance(run) };
    },
  } satisfies Partial<Handlers>;
}

function deviceHandlers(world: BackupWorld) {
  return {
    equipment: ({ params: { equipment: device } }) => {
      const found = world.devices().find(({ name }) => name === device);
      if (found === undefined) throw new HttpProblem(404, `${device}: there is no such equipment`);
      return { status: 200, body: found };
    },
    connectedHosts: ({ params: { equipment: device } }) => {
      const hosts = world.connectedHostsOf(device);
      if (hosts !== undefined) return { status: 200, body: hosts };
      throw new HttpProblem(502, `${device}: no response within 20 s`);
    },
    transcript: ({ params: { equipment: device } }) => {
      if (device !== 'switch-2') throw new HttpProblem(404, `${device}: nothing failed there`);
      const transcript =
        '(switch-2) #show running-config\r\n!Current Configuration:\r\n\u001b[1;1H--More-- or (q)uit';
      return { status: 200, body: { at: ago(20.5 * 60), transcript } };
    },
    hostKeys: () => ({
      status: 200,
      body: {
        hostKeys: [
          {
            equipment: 'router',
            fingerprint: 'SHA256:Jk2Nn9Ff0xT1XqKx2l7vC6mWb2gF0mYv3oH5cXk0t1Q',
            firstSeen: ago(60.5 * 86_400),
          },
        ],
      },
    }),
    forgetHostKey: ({ params: { equipment: device } }) => ({
      status: 200,
      body: { equipment: device, forgotten: device === 'router' },
    }),
  } satisfies Partial<Handlers>;
}

function versionHandlers(world: BackupWorld) {
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
    versions: ({ params: { equipment: device }, query: { limit } }) => {
      versionOf(world, device, 'latest');
      const versions = world.versionsOf(device).map(({ version }) => version);
      return { status: 200, body: { versions: versions.slice(0, limit) } };
    },
    diff: ({ params: { equipment: device }, query: { from, to, secrets } }) => {
      const [a, b] = [versionOf(world, device, from), versionOf(world, device, to)];
      const name = ({ id, time }: BackupVersion) => `${device} ${id.slice(0, 12)}, ${time}`;
      const show = secrets === 'true' ? (text: string) => text : world.masked;
      const diff = difference(show(a.content), show(b.content), {
        from: name(a.version),
        to: name(b.version),
      });
      return { status: 200, body: { from: a.version, to: b.version, diff } };
    },
  } satisfies Partial<Handlers>;
}

function stepsHandler(world: BackupWorld): Handlers['restoreSteps'] {
  return ({ params: { equipment: device, version: wanted } }) => {
    const { version, content } = versionOf(world, device, wanted);
    if (device === 'switch-1') {
      const steps = [
        { title: 'all of it', where: 'equipment' as const, lines: ['configure', 'exit'] },
      ];
      const body = { version, comment: '', steps, canApply: false, canCheck: false };
      return { status: 200, body };
    }
    const steps = [
      { title: 'begin', where: 'equipment' as const, lines: ['configure'] },
      {
        title: 'load it; without step 4 it reboots after 10 minutes, with what it had',
        where: 'equipment' as const,
        lines: [
          ...(content.match(/vif \d+/g) ?? []).map((vif) => `set interfaces ethernet eth1 ${vif}`),
          'set system login user admin authentication encrypted-password $6$s3same',
          'commit-confirm 10',
        ],
      },
      {
        title: 'see that it answers',
        where: 'workstation' as const,
        lines: ['ping -c 3 192.168.1.1'],
      },
      { title: 'keep it', where: 'equipment' as const, lines: ['confirm', 'save', 'exit'] },
    ];
    return {
      status: 200,
      body: { version, comment: '#', steps, canApply: true, canCheck: true },
    };
  };
}

function restoreHandlers(world: BackupWorld) {
  function between(from: Version, to: Version, names: { from: string; to: string }): string {
    return difference(world.masked(from.content), world.masked(to.content), names);
  }
  return {
    checkRestore: ({ params: { equipment: device, version: wanted } }) => {
      const [now, then] = [versionOf(world, device, 'latest'), versionOf(world, device, wanted)];
      if (device === 'switch-1') {
        const body = {
          version: then.version,
          running: 'sha1:4',
          diff: '',
          rehearsed: false,
          canApply: false,
        };
        return { status: 200, body };
      }
      const place = world
        .versionsOf(device)
        .findIndex(({ version }) => version.id === then.version.id);
      return {
        status: 200,
        body: {
          version: then.version,
          running: 'sha1:0123',
          diff: between(now, then, { from: 'as it runs now', to: wanted }),
          rehearsed: true,
          accepted: place < 2,
          said:
            place < 2 ? '' : 'system host-name ubnt\n  is not a valid name\n\n  Commit failed\n',
          canApply: true,
        },
      };
    },
    restore: ({ params: { equipment: device, version: wanted }, body: { running, reason } }) => {
      const [now, then] = [versionOf(world, device, 'latest'), versionOf(world, device, wanted)];
      if (running !== 'sha1:0123' || reason === 'too late') {
        throw new HttpProblem(409, `${device}: the configuration has changed since it was checked`);
      }
      const isHalf = reason === 'by halves';
      const remaining = between(now, then, { from: 'as it runs now', to: wanted });
      return {
        status: 200,
        body: {
          version: then.version,
          restored: reason !== 'in vain' && !isHalf,
          remaining: isHalf ? remaining : '',
          steps: [
            'loaded, to be confirmed within 10 min',
            reason === 'in vain'
              ? 'no answer after that; it undoes it by itself'
              : 'read back, confirmed and saved',
          ],
        },
      };
    },
  } satisfies Partial<Handlers>;
}

function historyHandlers(world: BackupWorld) {
  let received = Buffer.alloc(0);
  /** Reported after an incomplete copy was restored. */
  let lost: LostHistory[] = [];
  return {
    allEquipment: () => ({
      status: 200,
      body: { equipment: world.devices(), offsite: world.offsite(), lost },
    }),
    receiveHistory: ({ body: { offset, data: piece } }) => {
      if (offset === 0) received = Buffer.alloc(0);
      received = Buffer.concat([received, Buffer.from(piece, 'base64')]);
      return { status: 200, body: { size: received.length } };
    },
    restoreHistory: ({ body: { sha256: sum } }) => {
      if (sha256(received) !== sum) {
        throw new HttpProblem(
          409,
          'the received history differs from the one that was sent; send it again',
        );
      }
      // The header of a git bundle.
      if (!received.toString('latin1').startsWith('# v2 git bundle\n')) {
        throw new HttpProblem(409, 'this is not a valid history');
      }
      lost = world.lost();
      return { status: 200, body: { equipment: 3, versions: 5, lost } };
    },
    acceptLoss: () => {
      const accepted = lost;
      lost = [];
      return { status: 200, body: { accepted } };
    },
  } satisfies Partial<Handlers>;
}
