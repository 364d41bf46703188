import { parseRack, type Rack } from '@skolo/rack';

/** A rack with only the settings of this service: its lines, without indentation. */
export function smallRack(settings = ''): Rack {
  const lines = settings.split('\n').map((line) => `    ${line}`);
  const text = `rack: rack4
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
services:
  alert-to-pubsub:
    project: my-project
${lines.join('\n')}
`;
  return parseRack(text, { file: '/etc/skolo/rack.yaml' });
}
