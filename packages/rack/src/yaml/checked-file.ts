/** Reads a YAML or JSON file with its schema. */
import type { z } from 'zod';
import { check } from '../issues/describe.ts';
import { issuesOf, RackError } from '../issues/issues.ts';
import { readYaml } from './yaml.ts';

/**
 * The content of a file, parsed with a schema.
 *
 * @param file for messages
 * @throws RackError Every error, each at its line and column.
 */
export function parseFile<S extends z.ZodType>(schema: S, text: string, file: string): z.output<S> {
  const { value, locate } = readYaml(text, file);
  const checked = check(schema, value, []);
  if (checked.problems) throw new RackError(issuesOf(checked.problems, locate, file));
  return checked.value;
}
