import { join } from 'node:path';
import { parseRack, type Rack } from '@skolo/rack';

/** The smallest rack.yaml, and whatever is to be added to it. */
export function rackYaml(more = ''): string {
  return `rack: rack4
timezone: Europe/Berlin
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost, address: 127.0.0.1 }
${more}`;
}

/** That rack as services see it, in a folder of the test's. */
export function testRack(dir: string, more = ''): { rack: Rack } {
  return { rack: { ...parseRack(rackYaml(more), { file: join(dir, 'rack.yaml') }), dir } };
}
