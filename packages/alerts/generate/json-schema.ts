/** The JSON Schema of what subscribers get: `data` in both formats, and the attributes. */
import { z } from 'zod';
import { heartbeatName, schemaVersion } from '../src/message/encode.ts';
import { AlertMessage, HeartbeatMessage, NoticeMessage } from '../src/message/message.ts';

const head = { schema: z.literal(schemaVersion), location: z.string() };

const full = z
  .discriminatedUnion('kind', [
    AlertMessage.extend(head),
    NoticeMessage.extend(head),
    HeartbeatMessage.extend({ ...head, __name__: z.literal(heartbeatName) }),
  ])
  .describe('`data` of a message with `format: full`. Consumers must ignore unknown fields.');

const flat = z
  .record(z.string(), z.string())
  .describe(
    '`data` of a message with `format: flat`: labels, annotations, `__state__` (`active`, `resolved`), `link_to_source`, `location`. `fields` in rack.yaml renames the last three. In a heartbeat, `__name__` is `HEALTHZ`.',
  );

const attributes = z
  .object({
    schema: z.literal(schemaVersion),
    kind: z.enum(['transition', 'refresh', 'notice', 'heartbeat']),
    id: z
      .string()
      .describe(
        'Identical each time that the message is sent, so consumers must ignore messages whose ID they already know.',
      ),
    at: z.iso
      .datetime()
      .describe('When the alert was accepted, which can be long ago if there was an outage.'),
    status: z.enum(['firing', 'resolved', 'healthy', 'unhealthy']),
    location: z.string().optional(),
    alertname: z.string().optional(),
    severity: z.string().optional(),
    fingerprint: z.string().optional(),
    startsAt: z.iso.datetime().optional(),
    expired: z.literal('true').optional(),
  })
  .describe('Attributes of a message in both formats.');

/** Subschemas by name: `#/$defs/full`, `#/$defs/flat`, `#/$defs/attributes`. */
export function messageJsonSchema(): Record<string, unknown> {
  const schemaOf = (schema: z.ZodType) => {
    const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    return rest;
  };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Messages of skolo alert-to-pubsub',
    $defs: { full: schemaOf(full), flat: schemaOf(flat), attributes: schemaOf(attributes) },
  };
}
