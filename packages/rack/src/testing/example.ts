/** The rack that newcomers learn from, for tests. */
import { readFileSync } from 'node:fs';
import type { Rack } from '../rack/rack.ts';
import { parseRack } from '../read/load.ts';

const url = new URL('../../../../kube/racks/rack4/rack.yaml', import.meta.url);

export const exampleText = readFileSync(url, 'utf8');

export function exampleRack(): Rack {
  return parseRack(exampleText, { file: '/etc/skolo/rack.yaml' });
}

/** A rack of almost nothing, and what is added to it. */
export function smallRack(more = ''): Rack {
  const text = `rack: small\njumphost: { name: jumphost, address: 192.168.1.8 }\n${more}`;
  return parseRack(text, { file: '/etc/skolo/rack.yaml' });
}
