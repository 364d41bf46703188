/** The HTTP API: what is asked for becomes a run, what is known is shown. Nothing is decided here. */
import type { routerBackupApi } from '@skolo/api';
import type { Version } from '@skolo/backup';
import {
  type AuditLog,
  type Caller,
  type Clock,
  HttpProblem,
  type RouteHandlers,
} from '@skolo/common';
import type { HostKeys } from '@skolo/equipment';
import { didYouMean, type Rack } from '@skolo/rack';
import type { HistoryRestore } from './history-restore.ts';
import type { Inventory } from './inventory.ts';
import { jumphostSteps } from './jumphost-steps.ts';
import type { LostHistory } from './lost-history.ts';
import type { Offsite } from './offsite.ts';
import { problemOf } from './problems.ts';
import type { Readable } from './readable.ts';
import type { Restores } from './restore.ts';
import type { Runs } from './runs.ts';
import { findShown, shownDevices, type View } from './shown.ts';
import type { State } from './state.ts';
import { jumphostModel } from './targets.ts';
import type { Transcripts } from './transcript.ts';
import type { Versions } from './versions.ts';

export interface ApiDeps {
  rack: () => Rack;
  view: View;
  runs: Runs;
  inventory: Inventory;
  state: State;
  versions: Versions;
  readable: Readable;
  restores: Restores;
  transcripts: Transcripts;
  offsite: Pick<Offsite, 'status'>;
  hostKeys: HostKeys;
  lost: LostHistory;
  historyRestore: HistoryRestore;
  audit: Pick<AuditLog, 'append'>;
  clock: Clock;
}

export function apiHandlers(deps: ApiDeps): RouteHandlers<typeof routerBackupApi> {
  const { view, runs, versions, readable, restores, transcripts, hostKeys, state } = deps;
  const { lost, historyRestore } = deps;

  async function noSuchDevice(name: string): Promise<HttpProblem> {
    const names = (await shownDevices(view)).map((device) => device.name);
    const guess = didYouMean(name, names);
    return new HttpProblem(404, `${name}: no such device${guess}; skolo backup status lists them`);
  }

  async function known(device: string): Promise<void> {
    if ((await findShown(view, device)) === undefined) throw await noSuchDevice(device);
  }

  async function find(device: string, version: string): Promise<Version> {
    await known(device);
    return await versions.find(device, version).catch(problemOf);
  }

  /** Lets through an admin, and puts that into the audit log first. */
  async function readWithSecrets({ name: who, role }: Caller, target: string): Promise<void> {
    if (role !== 'admin') {
      const detail = `secrets are shown to the role admin, and ${who} has ${role}; without secrets=true they are masked`;
      throw new HttpProblem(403, detail);
    }
    await deps.audit.append({ who, role, what: 'read with secrets', target, outcome: 'done' });
  }

  return {
    requestBackup: async ({ body, caller }) => {
      // Who asks for everything has seen what rack.yaml lists.
      if (body.devices === undefined) await deps.inventory.look({ isMeant: true });
      const run = await runs
        .request({
          origin: 'person',
          by: caller.name,
          ...(body.devices && { devices: body.devices }),
          ...(body.reason !== undefined && { reason: body.reason }),
        })
        .catch(problemOf);
      return { status: 202 as const, body: run };
    },
    backups: ({ query }) => ({
      status: 200 as const,
      body: { backups: runs.list().slice(0, query.limit) },
    }),
    backup: ({ params }) => {
      return { status: 200 as const, body: runs.find(params.id) };
    },
    devices: async ({ query }) => {
      const devices = await shownDevices(view);
      const shown = devices.filter(({ state }) => query.retired === 'true' || state !== 'retired');
      const [offsite, lost] = [deps.offsite.status(), deps.lost.list()];
      return { status: 200 as const, body: { devices: shown, offsite, lost } };
    },
    device: async ({ params }) => {
      const device = await findShown(view, params.device);
      if (device === undefined) throw await noSuchDevice(params.device);
      return { status: 200 as const, body: device };
    },
    versions: async ({ params, query }) => {
      await known(params.device);
      const list = await versions.list(params.device, query.limit).catch(problemOf);
      return { status: 200 as const, body: { versions: list.map(shownVersion) } };
    },
    content: async ({ params, query, caller }) => {
      const version = await versions.find(params.device, params.version).catch(problemOf);
      const headers = {
        'x-skolo-version': version.id,
        ...(version.sha1 !== undefined && { 'x-skolo-sha1': version.sha1 }),
      };
      if (query.secrets === 'true') {
        await readWithSecrets(caller, `${version.device} ${version.id}`);
        const body = await versions.content(version).catch(problemOf);
        return { status: 200 as const, headers, type: 'application/octet-stream' as const, body };
      }
      if (version.model === jumphostModel) {
        const detail = 'it is an encrypted archive: ask for it as it is, with secrets=true';
        throw new HttpProblem(409, detail);
      }
      const body = await readable.text(version, false).catch(problemOf);
      return { status: 200 as const, headers, body };
    },
    diff: async ({ params, query, caller }) => {
      const { device } = params;
      const [from, to] = [await find(device, query.from), await find(device, query.to)];
      if (from.model === jumphostModel) {
        throw new HttpProblem(409, 'encrypted archives cannot be compared here');
      }
      const showsSecrets = query.secrets === 'true';
      if (showsSecrets) await readWithSecrets(caller, `${device} ${from.id} ${to.id}`);
      const diff = await readable.diff(from, to, showsSecrets).catch(problemOf);
      return {
        status: 200 as const,
        body: { from: shownVersion(from), to: shownVersion(to), diff },
      };
    },
    transcript: async ({ params }) => {
      await known(params.device);
      const transcript = await transcripts.read(params.device);
      if (transcript === undefined) {
        throw new HttpProblem(404, `the last attempt at ${params.device} left no transcript`);
      }
      return { status: 200 as const, body: transcript };
    },
    restoreSteps: async ({ params, caller }) => {
      const version = await find(params.device, params.version);
      await readWithSecrets(caller, `${version.device} ${version.id}`);
      if (version.model === jumphostModel) {
        const body = { version: shownVersion(version), ...jumphostSteps(version) };
        return { status: 200 as const, body };
      }
      const device = deps.rack().infrastructure.get(version.device);
      const model = readable.model(version);
      if (device === undefined || model === undefined) {
        const how = `skolo backup show ${version.device} --version ${version.id.slice(0, 12)} --secrets`;
        throw new HttpProblem(
          409,
          `${version.device} is not in rack.yaml, so that its steps are not known; its configuration is: ${how}`,
        );
      }
      const { restore } = model;
      const content = await versions.content(version).catch(problemOf);
      return {
        status: 200 as const,
        body: {
          version: shownVersion(version),
          comment: restore.comment,
          steps: restore.steps(content, { device, id: version.id, time: version.time }),
          canApply: restore.apply !== undefined,
          canCheck: restore.check !== undefined,
        },
      };
    },
    checkRestore: async ({ params }) => {
      const version = await find(params.device, params.version);
      const rehearsal = await restores.check(version).catch(problemOf);
      return { status: 200 as const, body: { version: shownVersion(version), ...rehearsal } };
    },
    restore: async ({ params, body, caller }) => {
      const version = await find(params.device, params.version);
      const restored = await restores
        .apply(version, body.running, {
          run: 'restore',
          by: caller.name,
          reason: body.reason,
          isByHand: true,
        })
        .catch(problemOf);
      return { status: 200 as const, body: { version: shownVersion(version), ...restored } };
    },
    receiveHistory: async ({ body }) => {
      const piece = Buffer.from(body.data, 'base64');
      const size = await historyRestore.receive(body.offset, piece).catch(problemOf);
      return { status: 200 as const, body: { size } };
    },
    restoreHistory: async ({ body }) => {
      const restored = await historyRestore.restore(body.sha256).catch(problemOf);
      return { status: 200 as const, body: restored };
    },
    acceptLoss: async () => {
      const accepted = await lost.accept().catch(problemOf);
      return { status: 200 as const, body: { accepted } };
    },
    hostKeys: () => ({ status: 200 as const, body: { hostKeys: hostKeys.list() } }),
    forgetHostKey: async ({ params }) => {
      const { device } = params;
      const record = state.devices.get(device);
      const hadIdentity = record?.identity !== undefined;
      if (record !== undefined && hadIdentity) {
        const { identity: _, ...rest } = record;
        await state.write([state.devices.put(rest)]).catch(problemOf);
      }
      const hadKey = await hostKeys.forget(device);
      return { status: 200 as const, body: { device, forgotten: hadKey || hadIdentity } };
    },
  };
}

function shownVersion({ size, ...version }: Version) {
  return { ...version, size: size ?? 0 };
}
