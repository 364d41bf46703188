/** The HTTP API: requests become runs, and answers show the service's state. It makes no decisions. */
import type { BackupEquipment, BackupVersion, routerBackupApi } from '@skolo/api';
import { shownId, type Version } from '@skolo/backup';
import { type AuditLog, type Caller, HttpProblem, type RouteHandlers } from '@skolo/common';
import { BackupError } from '@skolo/equipment/models/configuration';
import type { HostKeys } from '@skolo/equipment/transports';
import type { OffsiteCopies } from './offsite/copies.ts';
import type { HistoryLoss } from './offsite/loss.ts';
import type { ConnectedHostReadings } from './read/connected-hosts.ts';
import { BackupFailed } from './read/failure.ts';
import { type StatusSources, statusOf, statusOfAll } from './report/device-status.ts';
import type { DeviceRestores } from './restore/device.ts';
import type { HistoryRestore } from './restore/history.ts';
import type { Inventory } from './runs/inventory.ts';
import { asEquipment } from './state.ts';
import { noSuchDevice } from './targets.ts';

interface ApiDeps {
  sources: StatusSources;
  inventory: Inventory;
  restores: DeviceRestores;
  connectedHosts: Pick<ConnectedHostReadings, 'read'>;
  copies: Pick<OffsiteCopies, 'status'>;
  hostKeys: HostKeys;
  loss: HistoryLoss;
  historyRestore: HistoryRestore;
}

type Audit = Pick<AuditLog, 'appendLimited'>;

type Handlers = RouteHandlers<typeof routerBackupApi>;

/** @param audit records who read secrets; the routes themselves are audited by the API's core */
export function apiHandlers(deps: ApiDeps, audit: Audit): Handlers {
  return { ...readers(deps, audit), ...changes(deps) };
}

type Changes =
  | 'requestBackup'
  | 'checkRestore'
  | 'restore'
  | 'receiveHistory'
  | 'restoreHistory'
  | 'acceptLoss'
  | 'forgetHostKey';

function readers(deps: ApiDeps, audit: Audit): Omit<Handlers, Changes> {
  const { sources, copies, loss, restores, connectedHosts, hostKeys } = deps;
  const { runs, versions, transcripts } = sources;
  return {
    backups: ({ query }) => ok({ backups: runs.list().slice(0, query.limit) }),
    backup: ({ params }) => ok(runs.find(params.id)),
    allEquipment: async ({ query }) => {
      const all = await statusOfAll(sources);
      const equipment = all.filter((each) => query.retired === 'true' || each.state !== 'retired');
      return ok({ equipment, offsite: copies.status(), lost: loss.list().map(asEquipment) });
    },
    equipment: async ({ params }) => ok(await known(sources, params.equipment)),
    connectedHosts: async ({ params }) =>
      ok(await connectedHosts.read(params.equipment).catch(throwProblem)),
    versions: async ({ params, query }) => {
      await known(sources, params.equipment);
      const list = await versions.list(params.equipment, query.limit).catch(throwProblem);
      return ok({ versions: list.map((each) => shown(sources, each)) });
    },
    content: async ({ params, query, caller, spend }) => {
      const version = await versions.find(params.equipment, params.version).catch(throwProblem);
      const { sha1 } = version;
      const headers = { 'x-skolo-version': shownId(version) };
      if (query.secrets === 'true') {
        await readWithSecrets(audit, caller, `${version.device} ${shownId(version)}`);
        const body = await versions.content(version).catch(throwProblem);
        const withSha1 = { ...headers, ...(sha1 !== undefined && { 'x-skolo-sha1': sha1 }) };
        return { status: 200, headers: withSha1, type: 'application/octet-stream', body };
      }
      const by = { name: caller.name, spend };
      return { ...ok(await versions.text(version, false, by).catch(throwProblem)), headers };
    },
    diff: async ({ params: { equipment: device }, query, caller, spend }) => {
      const from = await find(sources, device, query.from);
      const to = await find(sources, device, query.to);
      const showsSecrets = query.secrets === 'true';
      const ids = `${shownId(from)} ${shownId(to)}`;
      if (showsSecrets) await readWithSecrets(audit, caller, `${device} ${ids}`);
      const by = { name: caller.name, spend };
      const diff = await versions.diff(from, to, showsSecrets, by).catch(throwProblem);
      return ok({ from: shown(sources, from), to: shown(sources, to), diff });
    },
    transcript: async ({ params: { equipment: device } }) => {
      await known(sources, device);
      const transcript = await transcripts.read(device);
      if (transcript !== undefined) return ok(transcript);
      throw new HttpProblem(
        404,
        `no transcript of the last attempt to read ${device} is available`,
      );
    },
    restoreSteps: async ({ params, caller }) => {
      const version = await find(sources, params.equipment, params.version);
      await readWithSecrets(audit, caller, `${version.device} ${shownId(version)}`);
      return ok({
        version: shown(sources, version),
        ...(await restores.steps(version).catch(throwProblem)),
      });
    },
    hostKeys: () => ok({ hostKeys: hostKeys.list().map(asEquipment) }),
  };
}

function changes(deps: ApiDeps): Pick<Handlers, Changes> {
  const { sources, inventory, restores, historyRestore, loss, hostKeys } = deps;
  return {
    requestBackup: async ({ body, caller }) => {
      // A person who requests a backup of all devices has confirmed the list in rack.yaml.
      const { equipment: devices, reason } = body;
      if (devices === undefined) await inventory.check({ isConfirmed: true });
      const request = { devices, reason, origin: 'person', by: caller.name } as const;
      return { status: 202, body: await sources.runs.request(request).catch(throwProblem) };
    },
    checkRestore: async ({ params }) => {
      const version = await find(sources, params.equipment, params.version);
      const rehearsal = await restores.check(version).catch(throwProblem);
      return ok({ version: shown(sources, version), ...rehearsal });
    },
    restore: async ({ params, body: { reason, running }, caller }) => {
      const version = await find(sources, params.equipment, params.version);
      const occasion = { run: 'restore', by: caller.name, reason, isByHand: true };
      const restored = await restores.apply(version, running, occasion).catch(throwProblem);
      return ok({ version: shown(sources, version), ...restored });
    },
    receiveHistory: async ({ body }) => {
      const piece = Buffer.from(body.data, 'base64');
      return ok({ size: await historyRestore.receive(body.offset, piece).catch(throwProblem) });
    },
    restoreHistory: async ({ body }) => {
      const restored = await historyRestore.restore(body.sha256).catch(throwProblem);
      const { devices: equipment, versions, lost } = restored;
      return ok({ equipment, versions, lost: lost.map(asEquipment) });
    },
    acceptLoss: async () => {
      const accepted = await loss.accept().catch(throwProblem);
      return ok({ accepted: accepted.map(asEquipment) });
    },
    forgetHostKey: async ({ params: { equipment: device } }) => {
      const hadIdentity = await sources.state.forgetIdentity(device).catch(throwProblem);
      const hadKey = await hostKeys.forget(device);
      return ok({ equipment: device, forgotten: hadKey || hadIdentity });
    },
  };
}

/** @throws HttpProblem 404 */
async function known(sources: StatusSources, name: string): Promise<BackupEquipment> {
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

/** Admits an admin, after recording that in the audit log. */
async function readWithSecrets(
  audit: Audit,
  { name: who, role }: Caller,
  target: string,
): Promise<void> {
  if (role !== 'admin') {
    const detail = `secrets require the admin role, but ${who} has the ${role} role; omit secrets=true to get them masked`;
    throw new HttpProblem(403, detail);
  }
  await audit.appendLimited({ who, role, what: 'read with secrets', target, outcome: 'done' });
}

function ok<T>(body: T) {
  return { status: 200 as const, body };
}

/** Without the hash and the exact size of the content. */
function shown({ state }: StatusSources, version: Version): BackupVersion {
  const { sha1: _sha1, nonce: _nonce, isPartial: _part, shownSize: size, ...facts } = version;
  const partial = state.partialOf(version);
  return { ...asEquipment(facts), id: shownId(version), size, partial };
}

/** Throws the problem for an error; rethrows other errors unchanged. */
function throwProblem(cause: unknown): never {
  if (cause instanceof BackupError) {
    throw new HttpProblem(cause.code === 'not-found' ? 404 : 503, cause.message, { cause });
  }
  if (cause instanceof BackupFailed) {
    throw new HttpProblem(502, cause.message, { cause, members: { failure: cause.failure } });
  }
  throw cause;
}
