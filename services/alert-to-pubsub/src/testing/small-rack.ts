import { parseRack, type Rack } from '@skolo/rack';

/** A rack with only the required settings of this service. */
export function smallRack(): Rack {
  const text = `rack: rack4
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
services:
  alert-to-pubsub:
    project: my-project
`;
  return parseRack(text, { file: '/etc/skolo/rack.yaml' });
}
