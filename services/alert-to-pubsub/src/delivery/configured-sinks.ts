/** The sinks that rack.yaml configures. */
import { createSinks, encodeAsOf, pubSubName } from '@skolo/alerts';
import { type Rack, serviceUrl } from '@skolo/rack';
import type { ConfiguredSink } from './sinks.ts';

export function configuredSinks(rack: Rack): ConfiguredSink[] {
  const settings = rack.services['alert-to-pubsub'];
  const common = { encodeAs: encodeAsOf(rack), dir: rack.dir };
  const { project, topic, createTopic, endpoint, credentials, orderingKeys } = settings;
  return createSinks(rack).map((sink): ConfiguredSink => {
    const { name } = sink;
    const create = () => sink;
    const further = settings.sinks.find((each) => each.name === name);
    if (further !== undefined) {
      const { kind, heartbeat, dropWhenFull, ...own } = further;
      return { name, kind, settings: { kind, own, common }, heartbeat, dropWhenFull, create };
    }
    const metadataUrl = serviceUrl(rack, 'metadata-server');
    const own = { project, topic, createTopic, endpoint, credentials, orderingKeys, metadataUrl };
    const flags = { heartbeat: true, dropWhenFull: false };
    return { name: pubSubName, kind: 'pubsub', settings: { own, common }, ...flags, create };
  });
}
