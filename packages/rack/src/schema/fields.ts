/** Building blocks of the schema, such as durations, names and paths. Their errors contain the value and what is expected. */

import { isObject } from '@skolo/base';
import type { SecretRef } from '@skolo/base/secrets';
import { z } from 'zod';

/** A map with exactly these keys. */
export function object<S extends z.ZodRawShape>(shape: S): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(shape);
}

/** An optional map in which every key has a default. */
export function section<S extends z.ZodRawShape>(shape: S) {
  return object(shape).prefault({} as z.input<z.ZodObject<S, z.core.$strict>>);
}

/** The schema within defaults and options. */
export function unwrapped(schema: z.core.$ZodType): z.ZodType {
  let inner = schema;
  while (
    inner instanceof z.ZodExactOptional ||
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault
  ) {
    inner = inner.unwrap();
  }
  if (inner instanceof z.ZodType) return inner;
  throw new TypeError('not a classic zod schema');
}

/** A time of some hours. */
export function hours(most: number): z.ZodNumber {
  return z.number().positive().max(most);
}

/** Text that is not empty. */
export const word = z.string().min(1);

/** Text with a pattern. `what` and `example` make the error: `"x" is not a MAC address such as …`. */
export function text(pattern: RegExp, what: string, example: string) {
  return z
    .string()
    .regex(pattern, { error: ({ input }) => `"${input}" is not ${what} such as ${example}` })
    .meta({ title: titleOf(what), examples: [example] });
}

/** Text that is parsed. `read` returns undefined or `{ wrong }` for invalid text. */
export function reading<T>(
  what: string,
  example: string,
  read: (text: string) => T | Wrong | undefined,
) {
  return z
    .string()
    .meta({ title: titleOf(what), examples: [example] })
    .transform((input, context): T => {
      const value = read(input);
      const message = isWrong(value) ? value.wrong : `"${input}" is not ${what} such as ${example}`;
      if (value !== undefined && !isWrong(value)) return value;
      context.issues.push({ code: 'custom', message, input });
      return z.NEVER;
    });
}

/** Text with a canonical form, which `spell` returns; undefined or `{ wrong }` for invalid text. */
export function canonical(
  what: string,
  example: string,
  spell: (text: string) => string | Wrong | undefined,
) {
  return z
    .string()
    .check((payload) => {
      const input = payload.value;
      const value = spell(input);
      if (typeof value === 'string') {
        payload.value = value;
        return;
      }
      const message = value?.wrong ?? `"${input}" is not ${what} such as ${example}`;
      payload.issues.push({ code: 'custom', message, input });
    })
    .meta({ title: titleOf(what), examples: [example] });
}

/** `an IP address (like this)` is titled `IP address`. */
function titleOf(what: string): string {
  return what.replace(/^an? /, '').replace(/ \(.*?\)/, '');
}

interface Wrong {
  wrong: string;
}

function isWrong(value: unknown): value is Wrong {
  return isObject(value) && typeof value.wrong === 'string';
}

/** A path, absolute or relative to rack.yaml. Messages omit it, because it may be a secret by mistake. */
export const path = canonical('a path', 'secrets/bots.json', (input) => {
  if (/[\n\r\0]|^\s*[{[]|-----BEGIN/.test(input)) {
    const why = "put it in a file and specify the file's path";
    return { wrong: `this looks like the secret itself; ${why}` };
  }
  const wrong = 'this is not a path such as secrets/bots.json';
  return input === '' || input.trim() !== input ? { wrong } : input;
});

const envName = canonical('a variable name', 'SWITCH_PASSWORD', (input) =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(input)
    ? input
    : { wrong: 'this is not the name of an environment variable such as SWITCH_PASSWORD' },
);

const reference = object({
  env: envName.exactOptional().describe('Environment variable that contains the secret.'),
  file: path.exactOptional().describe('File that contains the secret.'),
}).transform(({ file, env }, context): SecretRef => {
  if (file !== undefined && env === undefined) return { file };
  if (env !== undefined && file === undefined) return { env };
  const message = 'expected exactly one of { file: PATH }, { env: NAME }';
  context.issues.push({ code: 'custom', message, input: undefined });
  return z.NEVER;
});

/** `secrets/switch`, `{ file: secrets/switch }` or `{ env: SWITCH_PASSWORD }`. */
export const secret = z
  .union([path.transform((file): SecretRef => ({ file })), reference], {
    error: 'expected a path, { file: PATH } or { env: NAME }',
  })
  .meta({ title: 'secret' });

/** `secrets/bots.json` or `{ file: secrets/bots.json }`; its path. */
export const secretFile = z
  .union([path, object({ file: path }).transform(({ file }) => file)], {
    error: 'expected a path, or { file: PATH }',
  })
  .meta({ title: 'path' });

/** A project of Google Cloud. */
export const project = text(
  /^([a-z0-9.-]+:)?[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
  'a project ID',
  'my-project',
);
