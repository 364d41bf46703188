/** What entries of the rack have in common: outlets and uplinks, ports, text. */
import { z } from 'zod';
import { canonical, reading, text } from './fields.ts';
import { portOrRange } from './network-fields.ts';
import { parseOutlet, parseUsbPort } from './outlets.ts';
import { each } from './spreading.ts';

const outlet = reading('an outlet', 'pdu-1/8', (written) => {
  if (!written.startsWith('usb/')) return parseOutlet(written);
  const why = "usb/… is a port of a machine's own hub, and feeds only devices attached to it";
  return { wrong: `"${written}": ${why}` };
});

/** What feeds a machine or a device: one outlet, or several. */
export const power = z
  .union([outlet.transform((one) => [one]), z.array(outlet).min(1).max(16)])
  .meta({ title: 'outlet, or a list' })
  .exactOptional()
  .describe('The outlet that feeds it, or a list of several feeds; it is off only when all are.');

/** The port that a machine is plugged into. */
export const uplink = reading('a port of a switch', 'switch-1/48', (written) =>
  written === 'internet'
    ? { wrong: 'only infrastructure is connected to the internet itself' }
    : parseOutlet(written),
);

/** What feeds a device that is attached to a machine. */
export const ownPower = reading(
  'a port of a hub (usb/HUB.PORT) or an outlet',
  'usb/1-1.2',
  (written) => (written.startsWith('usb/') ? parseUsbPort(written) : parseOutlet(written)),
);

/** Where infrastructure is plugged in: a port, or out of the rack. */
export const infrastructureUplink = reading('a port of a switch', 'switch-1/48', (written) =>
  written === 'internet' ? 'internet' : parseOutlet(written),
);

/** Text of one line. */
export const line = canonical('a line of text', 'shelf1', (line) =>
  line !== '' && line.length <= 200 && !/\p{Cc}/u.test(line) ? line : undefined,
);

/** Attributes of GCE: text by key. */
export const attributes = z
  .record(
    text(
      /^[A-Za-z0-9_-]{1,127}$/,
      'a key that GCE takes (letters, digits, - and _, at most 127)',
      'pool',
    ),
    z.string().max(262_144),
  )
  .default({});

/** `ports: 24` is a likely slip. */
function isNumber({ code, input }: z.core.$ZodRawIssue): string | undefined {
  if (code !== 'invalid_type' || typeof input !== 'number') return undefined;
  return `expected a map such as { ssh: 2201 }, found the number ${input}; how many ports it has is \`portCount\``;
}

export const ports = z
  .strictObject(
    {
      ssh: each(portOrRange).exactOptional().describe('ssh; 22 by default.'),
      telnet: each(portOrRange).exactOptional().describe('telnet; 23 by default.'),
      http: each(portOrRange).exactOptional().describe('http or https; 80 or 443 by default.'),
      snmp: each(portOrRange).exactOptional().describe('SNMP; 161 by default.'),
      mqtt: each(portOrRange).exactOptional().describe('MQTT; 1883 by default.'),
      ipmi: each(portOrRange).exactOptional().describe('IPMI; 623 by default.'),
    },
    { error: isNumber },
  )
  .exactOptional()
  .describe('Ports, where they are not the usual ones.');
