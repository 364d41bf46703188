/** A rack as services see it, with only the parts that a test requires. */
import { parseRack, type Rack } from '@skolo/rack';

interface SmallRackParts {
  equipment?: string;
  /** Of `services.router-backup`. */
  settings?: string;
  /** Of `services.power-cycle-daemon`. */
  power?: string;
  /** Directory that secrets are relative to. */
  dir?: string;
}

/** Each part is YAML in flow style: `{ switch-1: … }`. */
export function smallRack(parts: SmallRackParts = {}): Rack {
  const { equipment = '{}', settings = '{}', power = '{}', dir = '/' } = parts;
  const text = `
rack: rack4
timezone: Europe/Berlin
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.8 }
equipment: ${equipment}
services: { router-backup: ${settings}, power-cycle-daemon: ${power} }
`;
  return { ...parseRack(text, { file: `${dir}/rack.yaml` }), dir };
}
