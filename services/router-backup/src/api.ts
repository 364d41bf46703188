/** The HTTP API: requests become runs, and answers are what the service knows. No decisions are taken here. */
import type { BackupDevice, routerBackupApi } from '@skolo/api';
import type { Version } from '@skolo/backup';
import { type AuditLog, type Caller, HttpProblem, type RouteHandlers } from '@skolo/common';
import type { HostKeys } from '@skolo/equipment';
import type { HistoryLoss } from './history/loss.ts';
import type { Readable } from './history/readable.ts';
import { jumphostSteps } from './jumphost/backup.ts';
import type { Uploads } from './offsite/copies.ts';
import type { StationReadings } from './read/connected-hosts.ts';
import { type StatusSources, statusOf, statusOfAll } from './report/device-status.ts';
import type { Restores } from './restore/device.ts';
import type { HistoryRestore } from './restore/history.ts';
import type { Inventory } from './runs/inventory.ts';
import { jumphostModel, noSuchDevice } from './targets.ts';
import { throwProblem } from './to-problem.ts';

interface ApiDeps {
  sources: StatusSources;
  inventory: Inventory;
  readable: Readable;
  restores: Restores;
  stations: Pick<StationReadings, 'read'>;
  uploads: Pick<Uploads, 'status'>;
  hostKeys: HostKeys;
  loss: HistoryLoss;
  historyRestore: HistoryRestore;
  audit: Pick<AuditLog, 'begin'>;
}

export function apiHandlers(deps: ApiDeps): RouteHandlers<typeof routerBackupApi> {
  const { sources, readable, restores, hostKeys, loss, historyRestore } = deps;
  const { runs, versions, transcripts, state, rack } = sources;

  async function known(name: string): Promise<BackupDevice> {
    const status = await statusOf(sources, name);
    if (status !== undefined) return status;
    const all = await statusOfAll(sources);
    throw noSuchDevice(
      name,
      all.map((device) => device.name),
    );
  }

  async function find(device: string, version: string): Promise<Version> {
    await known(device);
    return await versions.find(device, version).catch(throwProblem);
  }

  /** Admits an admin, and records that in the audit log first. */
  async function readWithSecrets({ name: who, role }: Caller, target: string): Promise<void> {
    if (role !== 'admin') {
      const detail = `secrets are shown to the role admin, and ${who} has ${role}; without secrets=true they are masked`;
      throw new HttpProblem(403, detail);
    }
    await deps.audit.begin({ who, role, what: 'read with secrets', target, outcome: 'done' });
  }

  return {
    requestBackup: async ({ body, caller }) => {
      // A person who requests a backup of all devices has confirmed the list in rack.yaml.
      if (body.devices === undefined) await deps.inventory.check({ isConfirmed: true });
      const run = await runs
        .request({ ...body, origin: 'person', by: caller.name })
        .catch(throwProblem);
      return { status: 202 as const, body: run };
    },
    backups: ({ query }) => ok({ backups: runs.list().slice(0, query.limit) }),
    backup: ({ params }) => ok(runs.find(params.id)),
    devices: async ({ query }) => {
      const all = await statusOfAll(sources);
      const devices = all.filter((each) => query.retired === 'true' || each.state !== 'retired');
      return ok({ devices, offsite: deps.uploads.status(), lost: loss.list() });
    },
    device: async ({ params }) => ok(await known(params.device)),
    stations: async ({ params }) => ok(await deps.stations.read(params.device).catch(throwProblem)),
    versions: async ({ params, query }) => {
      await known(params.device);
      const list = await versions.list(params.device, query.limit).catch(throwProblem);
      return ok({ versions: list.map(sized) });
    },
    content: async ({ params, query, caller }) => {
      const version = await versions.find(params.device, params.version).catch(throwProblem);
      const headers = {
        'x-skolo-version': version.id,
        ...(version.sha1 !== undefined && { 'x-skolo-sha1': version.sha1 }),
      };
      if (query.secrets === 'true') {
        await readWithSecrets(caller, `${version.device} ${version.id}`);
        const body = await versions.content(version).catch(throwProblem);
        return { status: 200 as const, headers, type: 'application/octet-stream' as const, body };
      }
      if (version.model === jumphostModel) {
        const detail = 'it is an encrypted archive; request it as it is, with secrets=true';
        throw new HttpProblem(409, detail);
      }
      const body = await readable.text(version, false).catch(throwProblem);
      return { ...ok(body), headers };
    },
    diff: async ({ params, query, caller }) => {
      const { device } = params;
      const [from, to] = [await find(device, query.from), await find(device, query.to)];
      if (from.model === jumphostModel) {
        throw new HttpProblem(409, 'encrypted archives cannot be compared here');
      }
      const showsSecrets = query.secrets === 'true';
      if (showsSecrets) await readWithSecrets(caller, `${device} ${from.id} ${to.id}`);
      const diff = await readable.diff(from, to, showsSecrets).catch(throwProblem);
      return ok({ from: sized(from), to: sized(to), diff });
    },
    transcript: async ({ params }) => {
      await known(params.device);
      const transcript = await transcripts.read(params.device);
      if (transcript === undefined) {
        throw new HttpProblem(404, `the last attempt at ${params.device} left no transcript`);
      }
      return ok(transcript);
    },
    restoreSteps: async ({ params, caller }) => {
      const version = await find(params.device, params.version);
      await readWithSecrets(caller, `${version.device} ${version.id}`);
      if (version.model === jumphostModel) {
        return ok({ version: sized(version), ...jumphostSteps(version) });
      }
      const device = rack().infrastructure.get(version.device);
      const model = readable.model(version);
      if (device === undefined || model === undefined) {
        const how = `skolo backup show ${version.device} --version ${version.id.slice(0, 12)} --secrets`;
        const why = `${version.device} is not in rack.yaml, so that its steps are not known`;
        throw new HttpProblem(409, `${why}; its configuration is: ${how}`);
      }
      const { restore } = model;
      const content = await versions.content(version).catch(throwProblem);
      return ok({
        version: sized(version),
        comment: restore.comment,
        steps: restore.steps(content, { device, id: version.id, time: version.time }),
        canApply: restore.apply !== undefined,
        canCheck: restore.check !== undefined,
      });
    },
    checkRestore: async ({ params }) => {
      const version = await find(params.device, params.version);
      const rehearsal = await restores.check(version).catch(throwProblem);
      return ok({ version: sized(version), ...rehearsal });
    },
    restore: async ({ params, body, caller }) => {
      const version = await find(params.device, params.version);
      const { reason } = body;
      const occasion = { run: 'restore', by: caller.name, reason, isByHand: true };
      const restored = await restores.apply(version, body.running, occasion).catch(throwProblem);
      return ok({ version: sized(version), ...restored });
    },
    receiveHistory: async ({ body }) => {
      const piece = Buffer.from(body.data, 'base64');
      const size = await historyRestore.receive(body.offset, piece).catch(throwProblem);
      return ok({ size });
    },
    restoreHistory: async ({ body }) =>
      ok(await historyRestore.restore(body.sha256).catch(throwProblem)),
    acceptLoss: async () => ok({ accepted: await loss.accept().catch(throwProblem) }),
    hostKeys: () => ok({ hostKeys: hostKeys.list() }),
    forgetHostKey: async ({ params }) => {
      const { device } = params;
      const record = state.devices.get(device);
      const hadIdentity = record?.identity !== undefined;
      if (record !== undefined && hadIdentity) {
        const { identity: _, ...rest } = record;
        await state.write([state.devices.put(rest)]).catch(throwProblem);
      }
      const hadKey = await hostKeys.forget(device);
      return ok({ device, forgotten: hadKey || hadIdentity });
    },
  };
}

function ok<T>(body: T) {
  return { status: 200 as const, body };
}

function sized({ size, ...version }: Version) {
  return { ...version, size: size ?? 0 };
}
