/** Where an alert has got to that was accepted and did not arrive. */
import { duration, relative } from '../../output/time.ts';
import type { AlertToPubsub, AlertToPubsubStatus } from './service.ts';

/** For people: what the service says of the sink. */
export async function whereItWaits(
  service: AlertToPubsub,
  kind: 'pubsub' | 'any',
): Promise<string> {
  let status: AlertToPubsubStatus;
  try {
    status = await service.ask((client) => client.status());
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `it was accepted, and what became of it is not known: ${why}`;
  }
  const { location, sinks } = status;
  const all = sinks.filter((sink) => kind === 'any' || sink.kind === 'pubsub');
  const stuck = all.filter(({ depth, failingSince }) => depth > 0 || failingSince !== undefined);
  if (all.length === 0) {
    const others = sinks.map(({ name }) => name).join(', ') || 'none';
    return `${location} does not send to Pub/Sub (sinks: ${others}); services.alert-to-pubsub.pubsub of its rack.yaml says so`;
  }
  if (stuck.length > 0) {
    return stuck
      .map(({ name, depth, oldestSeconds, reason, detail }) => {
        const why = [reason, detail].filter((part) => part !== undefined).join(': ');
        const oldest = depth > 0 ? `, the oldest for ${duration(oldestSeconds)}` : '';
        return `it was accepted, and waits at ${location}: ${depth} for ${name}${oldest}${why && `; ${why}`}`;
      })
      .join('; ');
  }
  const arrived = all.map(({ name, lastSuccess }) =>
    lastSuccess === undefined
      ? `${name} has never taken anything`
      : `${name} has taken something ${relative(Date.parse(lastSuccess), Date.now())}`,
  );
  return `nothing waits at ${location}, and ${arrived.join(', ')}; is it the same project and topic?`;
}
