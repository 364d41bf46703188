/** kube/connections.yaml, which says what its fields mean. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { kubeFolder } from './kustomize.ts';

const pod = z.templateLiteral(['pod/', z.string()]);

const Connection = z.strictObject({
  from: z.union([pod, z.enum(['machine', 'equipment', 'neighbour'])]),
  to: z.union([pod, z.enum(['jumphost', 'jumphost-other', 'machine', 'internet'])]),
  port: z.int().min(1).max(65_535),
  open: z.boolean(),
  component: z.string().optional(),
  why: z.string().min(1),
});
export type Connection = z.infer<typeof Connection>;

export const connections = z
  .array(Connection)
  .parse(parse(readFileSync(join(kubeFolder, 'connections.yaml'), 'utf8')));
