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
      const { kind, heartbeat, refreshes: wanted, dropWhenFull, ...own } = further;
      const refreshes = wanted ?? !('template' in own);
      const flags = { heartbeat, refreshes, dropWhenFull };
      return { name, kind, settings: { kind, own, common }, ...flags, create };
    }
    const metadataUrl = serviceUrl(rack, 'metadata-server');
    const own = { project, topic, createTopic, endpoint, credentials, orderingKeys, metadataUrl };
    const flags = { heartbeat: true, refreshes: true, dropWhenFull: false };
    return { name: pubSubName, kind: 'pubsub', settings: { own, common }, ...flags, create };
  });
}
