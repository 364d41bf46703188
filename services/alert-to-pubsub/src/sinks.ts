/** The sinks that rack.yaml wants, and what each of them is made of. */
import { createSinks, encodeAsOf, pubSubName } from '@skolo/alerts';
import { type Rack, serviceUrl } from '@skolo/rack';
import type { WantedSink } from './ways.ts';

export function wantedSinks(rack: Rack): WantedSink[] {
  const settings = rack.services['alert-to-pubsub'];
  const common = { encodeAs: encodeAsOf(rack), dir: rack.dir };
  const { project, topic, createTopic, endpoint, credentials, orderingKeys } = settings;
  return createSinks(rack).map((sink): WantedSink => {
    const { name } = sink;
    const create = () => sink;
    const further = settings.sinks.find((each) => each.name === name);
    if (further !== undefined) {
      const { kind, heartbeat, dropWhenFull, ...own } = further;
      return { name, kind, made: { kind, own, common }, heartbeat, dropWhenFull, create };
    }
    const metadataUrl = serviceUrl(rack, 'metadata-server');
    const own = { project, topic, createTopic, endpoint, credentials, orderingKeys, metadataUrl };
    const flags = { heartbeat: true, dropWhenFull: false };
    return { name: pubSubName, kind: 'pubsub', made: { own, common }, ...flags, create };
  });
}
