/** References to secrets in rack.yaml, and a check that they can be read. */

import { isObject } from '@skolo/base';
import {
  type AccountCredentials,
  checkSecretFile,
  readAgentKey,
  SecretError,
  type SecretRef,
} from '@skolo/base/secrets';
import { models } from '@skolo/equipment/models';
import { z } from 'zod';
import type { Path } from '../issues/issues.ts';
import type { Rack } from '../rack/rack.ts';
import { secret, unwrapped } from '../schema/fields.ts';
import { loginSchema } from '../schema/rack-schema.ts';
import { type ServiceName, serviceNames } from '../schema/service-ports.ts';
import { settingsSchemas } from '../schema/settings/settings.ts';

export interface SecretReference {
  /** As in rack.yaml: `identities.bots.credentials.serviceAccountKey`. */
  where: string;
  /** The keys of `where`. */
  path: Path;
  ref: SecretRef;
  /** A password or token, which may have been typed instead of its path. */
  short?: true;
  /** A certificate, which is not secret. */
  public?: true;
  /** A service also works without it. */
  optional?: true;
}

/** Authenticates the off-site copies of router-backup, relative to rack.yaml. rack.yaml does not name it. */
export const backupKeyFile = 'secrets/backup-key';

interface CheckedSecret extends SecretReference {
  /** Absent if it can be read. */
  error?: SecretError;
  /** For example loose permissions. */
  warnings: string[];
}

/**
 * References to secrets: all, or those of one service. Excludes paths on other computers, such as agents' SSH key
 * on machines.
 */
export function secretReferences(rack: Rack, service?: ServiceName): SecretReference[] {
  const references: SecretReference[] = [];
  if (service === undefined || service === 'metadata-server') {
    for (const { name, credentials } of rack.identities.values()) {
      references.push(...ofCredentials(['identities', name, 'credentials'], credentials));
    }
  }
  const { agents } = rack.access;
  const signs = service === 'machine-state' || service === 'power-cycle-daemon';
  if (agents && (service === undefined || signs)) {
    references.push(at(['access', 'agents', 'privateKey'], agents.privateKey));
  }
  if (rack.access.tokens) references.push(at(['access', 'tokens'], rack.access.tokens));
  if (service === undefined || service === 'power-cycle-daemon' || service === 'router-backup') {
    for (const login of rack.logins.values()) {
      references.push(...within(['logins', login.name], loginSchema, login));
    }
    for (const { name, model, options } of rack.equipment.values()) {
      const own = z.object(models.get(model)?.options ?? {});
      references.push(...within(['equipment', name], own, options));
    }
  }
  for (const name of service === undefined ? serviceNames : [service]) {
    references.push(...ofSettings(rack, name));
  }
  return references;
}

/** Reads each secret, and returns only whether that succeeded. */
export async function checkSecrets(
  rack: Rack,
  service?: ServiceName,
  env: NodeJS.ProcessEnv = process.env,
): Promise<CheckedSecret[]> {
  return Promise.all(
    secretReferences(rack, service).map(async (reference) => {
      const { ref, short } = reference;
      try {
        const isPath = !short && 'file' in ref;
        const warnings = await checkSecretFile(rack, isPath ? ref.file : ref, env);
        if (reference.where === 'access.agents.privateKey') await readAgentKey(rack, env);
        return { ...reference, warnings: reference.public ? [] : warnings };
      } catch (error) {
        if (!(error instanceof SecretError)) throw error;
        if (reference.optional && error.code === 'SECRET_MISSING') {
          return { ...reference, warnings: [error.message] };
        }
        return { ...reference, error, warnings: [] };
      }
    }),
  );
}

function at(path: Path, ref: SecretRef): SecretReference {
  const where = path.map((key, i) => {
    if (typeof key === 'number') return `[${key}]`;
    return i === 0 ? key : `.${key}`;
  });
  return { where: where.join(''), path, ref };
}

function ofCredentials(path: Path, credentials: AccountCredentials): SecretReference[] {
  const { kind } = credentials;
  if (kind === 'impersonate') return ofCredentials([...path, 'from'], credentials.from);
  const reference = at([...path, kind], { file: credentials.file });
  return [kind === 'fixed' ? { ...reference, short: true } : reference];
}

function ofSettings(rack: Rack, service: ServiceName): SecretReference[] {
  const path = ['services', service];
  const settings = rack.services[service];
  const references = within(path, settingsSchemas[service], settings);
  const { tls } = settings;
  if (tls) {
    references.push({ ...at([...path, 'tls', 'cert'], { file: tls.cert }), public: true });
    references.push(at([...path, 'tls', 'key'], { file: tls.key }));
  }
  if (service === 'router-backup' && rack.services[service].upload !== undefined) {
    references.push({ ...at([...path, 'upload'], { file: backupKeyFile }), optional: true });
  }
  const { credentials } = rack.services['alert-to-pubsub'];
  if (service === 'alert-to-pubsub' && typeof credentials === 'object') {
    references.push(at([...path, 'credentials', 'keyFile'], { file: credentials.keyFile }));
  }
  return references;
}

/** Values that are a `secret` in the schema. */
function within(path: Path, field: z.core.$ZodType, value: unknown): SecretReference[] {
  if (value === undefined) return [];
  const schema = unwrapped(field);
  if (schema === secret) return [{ ...at(path, SecretRefSchema.parse(value)), short: true }];
  if (schema instanceof z.ZodPipe) return within(path, schema.in, value);
  if (schema instanceof z.ZodUnion) {
    const all = schema.options.flatMap((option) => within(path, option, value));
    return [...new Map(all.map((reference) => [reference.where, reference])).values()];
  }
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    return value.flatMap((item, i) => within([...path, i], schema.element, item));
  }
  if (schema instanceof z.ZodObject && isObject(value)) {
    return Object.entries(schema.shape).flatMap(([key, own]) =>
      within([...path, key], own, value[key]),
    );
  }
  if (schema instanceof z.ZodRecord && isObject(value)) {
    return Object.entries(value).flatMap(([key, item]) =>
      within([...path, key], schema.valueType, item),
    );
  }
  return [];
}

const SecretRefSchema = z.union([
  z.strictObject({ file: z.string() }),
  z.strictObject({ env: z.string() }),
]);
