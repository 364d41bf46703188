/**
 * The example's data, shown in sessions and pages: files in `testdata/example`, checked by the schemas of the APIs. Their times are `4.5 h
 * ago` or `in 30.5 h`, half a minute or more from where their wording changes, so that a slow computer sees the same.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { z } from 'zod';
import { ago } from '../ago.ts';

const folder = join(import.meta.dirname, '../../testdata/example');
const seconds = new Map([
  ['s', 1],
  ['min', 60],
  ['h', 3600],
  ['d', 86_400],
]);

/** @returns the file's content as of each moment */
export function load<S extends z.ZodType>(file: string, schema: S): () => z.output<S> {
  const json = JSON.stringify(parse(readFileSync(join(folder, file), 'utf8')));
  return () => schema.parse(JSON.parse(json, (_, value: unknown) => moment(value) ?? value));
}

function moment(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const [, later, number, unit = '', past] =
    /^(in )?(\d+(?:\.\d+)?) (s|min|h|d)( ago)?$/.exec(value) ?? [];
  if ((later === undefined) === (past === undefined)) return undefined;
  const away = Number(number) * (seconds.get(unit) ?? 1);
  return ago(later === undefined ? away : -away);
}
