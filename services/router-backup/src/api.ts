/** The HTTP API: requests become runs, and answers are what the service knows. No decisions are taken here. */
import type { BackupDevice, routerBackupApi } from '@skolo/api';
import type { Version } from '@skolo/backup';
import { type AuditLog, type Caller, HttpProblem, type RouteHandlers } from '@skolo/common';
import type { HostKeys } from '@skolo/equipment';
import type { HistoryLoss } from './history/loss.ts';
import type { Readable } from './history/readable.ts';
import { jumphostSteps } from './jumphost/backup.ts';
import type { OffsiteCopies } from './offsite/copies.ts';
import type { ConnectedHostReadings } from './read/connected-hosts.ts';
import { type StatusSources, statusOf, statusOfAll } from './report/device-status.ts';
import type { DeviceRestores } from './restore/device.ts';
import type { HistoryRestore } from './restore/history.ts';
import type { Inventory } from './runs/inventory.ts';
import { jumphostModel, noSuchDevice } from './targets.ts';
import { throwProblem } from './to-problem.ts';

interface ApiDeps {
  sources: StatusSources;
  inventory: Inventory;
  readable: Readable;
  restores: DeviceRestores;
  connectedHosts: Pick<ConnectedHostReadings, 'read'>;
  copies: Pick<OffsiteCopies, 'status'>;
  hostKeys: HostKeys;
  loss: HistoryLoss;
  historyRestore: HistoryRestore;
  audit: Pick<AuditLog, 'begin'>;
}

type Handlers = RouteHandlers<typeof routerBackupApi>;

export function apiHandlers(deps: ApiDeps): Handlers {
  return {
    ...runHandlers(deps),
    ...deviceHandlers(deps),
    ...versionHandlers(deps),
    ...restoreHandlers(deps),
    ...historyHandlers(deps),
    ...hostKeyHandlers(deps),
  };
}

function runHandlers({
  sources: { runs },
  inventory,
}: ApiDeps): Pick<Handlers, 'requestBackup' | 'backups' | 'backup'> {
  return {
    requestBackup: async ({ body, caller }) => {
      // A person who requests a backup of all devices has confirmed the list in rack.yaml.
      if (body.devices === undefined) await inventory.check({ isConfirmed: true });
      const run = await runs
        .request({ ...body, origin: 'person', by: caller.name })
        .catch(throwProblem);
      return { status: 202, body: run };
    },
    backups: ({ query }) => ok({ backups: runs.list().slice(0, query.limit) }),
    backup: ({ params }) => ok(runs.find(params.id)),
  };
}

function deviceHandlers({
  sources,
  copies,
  loss,
  connectedHosts,
}: ApiDeps): Pick<Handlers, 'devices' | 'device' | 'stations' | 'transcript'> {
  return {
    devices: async ({ query }) => {
      const all = await statusOfAll(sources);
      const devices = all.filter((each) => query.retired === 'true' || each.state !== 'retired');
      return ok({ devices, offsite: copies.status(), lost: loss.list() });
    },
    device: async ({ params }) => ok(await known(sources, params.device)),
    stations: async ({ params }) =>
      ok(await connectedHosts.read(params.device).catch(throwProblem)),
    transcript: async ({ params }) => {
      await known(sources, params.device);
      const transcript = await sources.transcripts.read(params.device);
      if (transcript === undefined) {
        throw new HttpProblem(404, `the last attempt at ${params.device} left no transcript`);
      }
      return ok(transcript);
    },
  };
}

function versionHandlers({
  sources,
  readable,
  audit,
}: ApiDeps): Pick<Handlers, 'versions' | 'content' | 'diff'> {
  const { versions } = sources;
  return {
    versions: async ({ params, query }) => {
      await known(sources, params.device);
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
        await readWithSecrets(audit, caller, `${version.device} ${version.id}`);
        const body = await versions.content(version).catch(throwProblem);
        return { status: 200, headers, type: 'application/octet-stream', body };
      }
      if (version.model === jumphostModel) {
        const detail = 'it is an encrypted archive; request it as it is, with secrets=true';
        throw new HttpProblem(409, detail);
      }
      const body = await readable.text(version, false).catch(throwProblem);
      return { ...ok(body), headers };
    },
    diff: async ({ params: { device }, query, caller }) => {
      const from = await find(sources, device, query.from);
      const to = await find(sources, device, query.to);
      if (from.model === jumphostModel) {
        throw new HttpProblem(409, 'encrypted archives cannot be compared here');
      }
      const showsSecrets = query.secrets === 'true';
      if (showsSecrets) await readWithSecrets(audit, caller, `${device} ${from.id} ${to.id}`);
      const diff = await readable.diff(from, to, showsSecrets).catch(throwProblem);
      return ok({ from: sized(from), to: sized(to), diff });
    },
  };
}

function restoreHandlers({
  sources,
  readable,
  restores,
  audit,
}: ApiDeps): Pick<Handlers, 'restoreSteps' | 'checkRestore' | 'restore'> {
  return {
    restoreSteps: async ({ params, caller }) => {
      const version = await find(sources, params.device, params.version);
      await readWithSecrets(audit, caller, `${version.device} ${version.id}`);
      if (version.model === jumphostModel) {
        return ok({ version: sized(version), ...jumphostSteps(version) });
      }
      const device = sources.rack().infrastructure.get(version.device);
      const model = readable.model(version);
      if (device === undefined || model === undefined) {
        const how = `skolo backup show ${version.device} --version ${version.id.slice(0, 12)} --secrets`;
        const why = `${version.device} is not in rack.yaml, so that its steps are not known`;
        throw new HttpProblem(409, `${why}; its configuration is: ${how}`);
      }
      const { restore } = model;
      const content = await sources.versions.content(version).catch(throwProblem);
      return ok({
        version: sized(version),
        comment: restore.comment,
        steps: restore.steps(content, { device, id: version.id, time: version.time }),
        canApply: restore.apply !== undefined,
        canCheck: restore.check !== undefined,
      });
    },
    checkRestore: async ({ params }) => {
      const version = await find(sources, params.device, params.version);
      const rehearsal = await restores.check(version).catch(throwProblem);
      return ok({ version: sized(version), ...rehearsal });
    },
    restore: async ({ params, body: { reason, running }, caller }) => {
      const version = await find(sources, params.device, params.version);
      const occasion = { run: 'restore', by: caller.name, reason, isByHand: true };
      const restored = await restores.apply(version, running, occasion).catch(throwProblem);
      return ok({ version: sized(version), ...restored });
    },
  };
}

function historyHandlers({
  historyRestore,
  loss,
}: ApiDeps): Pick<Handlers, 'receiveHistory' | 'restoreHistory' | 'acceptLoss'> {
  return {
    receiveHistory: async ({ body }) => {
      const piece = Buffer.from(body.data, 'base64');
      const size = await historyRestore.receive(body.offset, piece).catch(throwProblem);
      return ok({ size });
    },
    restoreHistory: async ({ body }) =>
      ok(await historyRestore.restore(body.sha256).catch(throwProblem)),
    acceptLoss: async () => ok({ accepted: await loss.accept().catch(throwProblem) }),
  };
}

function hostKeyHandlers({
  sources: { state },
  hostKeys,
}: ApiDeps): Pick<Handlers, 'hostKeys' | 'forgetHostKey'> {
  return {
    hostKeys: () => ok({ hostKeys: hostKeys.list() }),
    forgetHostKey: async ({ params: { device } }) => {
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

/** @throws HttpProblem 404 */
async function known(sources: StatusSources, name: string): Promise<BackupDevice> {
  const status = await statusOf(sources, name);
  if (status !== undefined) return status;
  const all = await statusOfAll(sources);
  throw noSuchDevice(
    name,
    all.map((device) => device.name),
  );
}

async function find(sources: StatusSources, device: string, version: string): Promise<Version> {
  await known(sources, device);
  return await sources.versions.find(device, version).catch(throwProblem);
}

/** Admits an admin, and records that in the audit log first. */
async function readWithSecrets(
  audit: ApiDeps['audit'],
  { name: who, role }: Caller,
  target: string,
): Promise<void> {
  if (role !== 'admin') {
    const detail = `secrets are shown to the role admin, and ${who} has ${role}; without secrets=true they are masked`;
    throw new HttpProblem(403, detail);
  }
  await audit.begin({ who, role, what: 'read with secrets', target, outcome: 'done' });
}

function ok<T>(body: T) {
  return { status: 200 as const, body };
}

function sized({ size, ...version }: Version) {
  return { ...version, size: size ?? 0 };
}
