/** The sinks that rack.yaml configures. */
import { resolve } from 'node:path';
import { readSecret } from '@skolo/base/secrets';
import { type AlertToPubsubSettings, type Rack, serviceUrl } from '@skolo/rack';
import type { EncodeAs } from '../message/encode.ts';
import type { PubSubDeps } from '../pubsub/pubsub-client.ts';
import type { Sink } from '../sink.ts';
import { createFileSink } from './file.ts';
import { createHttpSink } from './http.ts';
import { createPubSubSink } from './pubsub.ts';

type SinkSettings = AlertToPubsubSettings['sinks'][number];

/** Also the name of its cursor in the spool. */
export const pubSubName = 'pubsub';

/** Connects to, opens and reads nothing yet. Pub/Sub comes first, unless `pubsub: false`. */
export function createSinks(rack: Rack, deps: PubSubDeps = {}): Sink[] {
  const settings = rack.services['alert-to-pubsub'];
  const sinks = settings.sinks.map((sink) => sinkOf(sink, rack));
  return settings.pubsub ? [pubSubSinkOf(rack, deps), ...sinks] : sinks;
}

export function encodeAsOf(rack: Rack): EncodeAs {
  const { format, fields, location = rack.name, consoleUrl } = rack.services['alert-to-pubsub'];
  return { format, fields, location, rack: rack.name, consoleUrl };
}

function pubSubSinkOf(rack: Rack, deps: PubSubDeps): Sink {
  const { project, topic, createTopic, endpoint, credentials, orderingKeys } =
    rack.services['alert-to-pubsub'];
  return createPubSubSink(
    {
      name: pubSubName,
      project,
      topic,
      createTopic,
      endpoint,
      credentials:
        typeof credentials === 'string'
          ? credentials
          : { keyFile: resolve(rack.dir, credentials.keyFile) },
      metadataUrl: serviceUrl(rack, 'metadata-server'),
      orderingKeys,
      encodeAs: encodeAsOf(rack),
    },
    deps,
  );
}

function sinkOf(sink: SinkSettings, rack: Rack): Sink {
  const encodeAs = encodeAsOf(rack);
  switch (sink.kind) {
    case 'file': {
      const { name, file, maxBytes } = sink;
      return createFileSink({ name, file: resolve(rack.dir, file), maxBytes, encodeAs });
    }
    case 'http': {
      const { kind: _, token, ...rest } = sink;
      return createHttpSink({
        ...rest,
        encodeAs,
        token: token === undefined ? undefined : () => readSecret(rack, token),
      });
    }
  }
}
