/** The fields that the audit log records for each route, as data. Excludes secrets. */
import { z } from 'zod';

/** It does not affect the result. */
const idempotencyKey = 'headers.idempotency-key';

const parts = ['params', 'query', 'headers', 'body'] as const;
type Part = (typeof parts)[number];

/** The path of a value in a parsed request: `body.machines`. */
type InputPath = `${Part}.${string}`;

/** Contents of one audit log entry. Each input of the route is in one of these, or in `omits`, except for `Idempotency-Key`. */
export interface Audits {
  /** The target of the change. `self`: the machine that the service runs on. */
  target: readonly InputPath[] | 'self';
  /** The caller's reason. */
  reason?: InputPath;
  /** Other inputs that affect the result: mode, force. */
  input?: readonly InputPath[];
  /** Inputs that the log omits, because they are secret. */
  omits?: readonly InputPath[];
  /** Fields of the 2xx response: ids by which to find later entries, and what was done. */
  answer?: readonly string[];
}

/** Something else records the change; the text names it. */
export interface AuditedElsewhere {
  elsewhere: string;
}

type Schemas = { readonly [P in Part]?: z.ZodType | undefined };

/** Why a route's `audits` is invalid; undefined if it is valid. */
export function whyNotAudited(
  spec: Schemas & {
    method: string;
    audits?: Audits | AuditedElsewhere;
    answers: { readonly [status: number]: z.ZodType | undefined };
  },
): string | undefined {
  const { method, audits, answers } = spec;
  if (method === 'get')
    return audits && 'a GET request does not change anything, so remove `audits`';
  if (audits === undefined)
    return "`audits` must list the call's inputs that the audit log records";
  if ('elsewhere' in audits) return undefined;
  const inputs = inputsOf(spec);
  const named = [...pathsOf(audits), ...(audits.omits ?? [])];
  const unknown = named.find((path) => !inputs.includes(path));
  if (unknown !== undefined) return `\`audits\` names ${unknown}, which is not an input`;
  const forgotten = inputs.find((path) => path !== idempotencyKey && !named.includes(path));
  if (forgotten !== undefined)
    return `\`audits\` does not name ${forgotten}; add it to \`audits\` or \`omits\``;
  const answered = Object.entries(answers).flatMap(([status, schema]) =>
    Number(status) < 300 ? keysOf(schema) : [],
  );
  const unanswered = audits.answer?.find((key) => !answered.includes(key));
  return unanswered && `\`audits\` names ${unanswered}, which is not in any response`;
}

/** The inputs that the log records. */
function pathsOf({ target, reason, input = [] }: Audits): InputPath[] {
  const targets = target === 'self' ? [] : target;
  return [...targets, ...(reason === undefined ? [] : [reason]), ...input];
}

function inputsOf(spec: Schemas): InputPath[] {
  return parts.flatMap((part): InputPath[] => {
    const keys = keysOf(spec[part]);
    // Non-objects have no fields that could be listed individually.
    if (spec[part] !== undefined && keys.length === 0) return [`${part}.*`];
    return keys.map((key): InputPath => `${part}.${key}`);
  });
}

function keysOf(schema: z.ZodType | undefined): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

export type ParsedInput = { readonly [P in Part]?: unknown };

/** The values of one call, as the audit log records them. */
interface AuditedInput {
  target: string;
  why?: string;
  input?: Record<string, unknown>;
}

/** @param self the machine that the service runs on */
export function auditedInput(audits: Audits, given: ParsedInput, self: string): AuditedInput {
  const { target, reason, input = [] } = audits;
  const why = reason && valueAt(given, reason);
  const targets = target === 'self' ? [self] : target.map((path) => textOf(given, path));
  const values = input
    .map((path): [string, unknown] => [keyOf(path), valueAt(given, path)])
    .filter(([, value]) => value !== undefined);
  return {
    // A request without a target concerns everything.
    target: targets.filter((text) => text !== '').join(' ') || 'all',
    ...(typeof why === 'string' && { why }),
    ...(values.length > 0 && { input: Object.fromEntries(values) }),
  };
}

/** The response fields that the log records; undefined: none. */
export function auditedAnswer(
  { answer = [] }: Audits,
  body: unknown,
): Record<string, unknown> | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const kept = answer
    .map((key): [string, unknown] => [key, Reflect.get(body, key)])
    .filter(([, value]) => value !== undefined);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function textOf(given: ParsedInput, path: InputPath): string {
  const value = valueAt(given, path);
  if (Array.isArray(value)) return value.join(' ');
  return value === undefined ? '' : String(value);
}

function valueAt(given: ParsedInput, path: InputPath): unknown {
  const [part] = path.split('.');
  const holder = parts.find((each) => each === part);
  const values = holder && given[holder];
  if (typeof values !== 'object' || values === null) return undefined;
  return Reflect.get(values, keyOf(path));
}

function keyOf(path: InputPath): string {
  return path.slice(path.indexOf('.') + 1);
}
