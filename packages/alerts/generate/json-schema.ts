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
  .describe('`data` of a message with `format: full`. Ignore fields that you do not know.');

const flat = z
  .record(z.string(), z.string())
  .describe(
    '`data` of a message with `format: flat`: labels, annotations, `__state__` (`active`, `resolved`), `link_to_source`, `location`. `fields` of rack.yaml renames the last three. A heartbeat has `__name__`: `HEALTHZ`.',
  );

const attributes = z
  .object({
    schema: z.literal(schemaVersion),
    kind: z.enum(['transition', 'refresh', 'notice', 'heartbeat']),
    id: z.string().describe('The same each time that the message is sent: ignore a known one.'),
    at: z.iso.datetime().describe('When it was accepted. After an outage it is old.'),
    status: z.enum(['firing', 'resolved', 'healthy', 'unhealthy']),
    location: z.string().optional(),
    alertname: z.string().optional(),
    severity: z.string().optional(),
    fingerprint: z.string().optional(),
    startsAt: z.iso.datetime().optional(),
    expired: z.literal('true').optional(),
  })
  .describe('Attributes of a message, in both formats.');

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
