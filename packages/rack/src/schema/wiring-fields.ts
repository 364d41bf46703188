/** Fields of several sections: outlets, uplinks, ports, text. */
import { z } from 'zod';
import { each } from '../ranges/spreading.ts';
import { canonical, reading, text } from './fields.ts';
import { portOrRange } from './network-fields.ts';
import { type Outlet, parseOutlet, parseUsbPort } from './outlets.ts';

const outlet = reading('an outlet', 'pdu-1/8', (written) => {
  if (!written.startsWith('usb/')) return parseOutlet(written);
  const why = "usb/… is a port on a machine's own hub and can power only attached devices";
  return { wrong: `"${written}": ${why}` };
});

/** Feeds of a machine or device. */
export const power = z
  .union([outlet.transform((one) => [one]), z.array(outlet).min(1).max(16)])
  .meta({ title: 'outlet, or a list' })
  .exactOptional()
  .describe('One or more outlets that supply power. The power is off only if all of them are off.');

export const uplink = reading('a switch port', 'switch-1/48', (written) =>
  written === 'internet'
    ? { wrong: 'only the jumphost and equipment can have the uplink `internet`' }
    : parseOutlet(written),
);

/** Feed of an attached device. */
export const ownPower = reading('a hub port (usb/HUB.PORT) or an outlet', 'usb/1-1.2', (written) =>
  written.startsWith('usb/') ? parseUsbPort(written) : parseOutlet(written),
);

/** A port, or `internet`. */
export const equipmentUplink = reading<Outlet | 'internet'>(
  'a switch port',
  'switch-1/48',
  (written) => (written === 'internet' ? 'internet' : parseOutlet(written)),
);

/** Text of one line. */
export const line = canonical('a line of text', 'shelf1', (line) =>
  line !== '' && line.length <= 200 && !/\p{Cc}/u.test(line) ? line : undefined,
);

/** GCE attributes, as key-value pairs. */
export const attributes = z
  .record(
    text(/^[A-Za-z0-9_-]{1,127}$/, 'a GCE key (letters, digits, - and _, at most 127)', 'pool'),
    z.string().max(262_144),
  )
  .default({});

/** `ports: 24` is a likely error. */
function isNumber({ code, input }: z.core.$ZodRawIssue): string | undefined {
  if (code !== 'invalid_type' || typeof input !== 'number') return undefined;
  return `expected a map such as { ssh: 2201 }, found the number ${input}; for the number of ports use \`portCount\``;
}

export const ports = z
  .strictObject(
    {
      ssh: each(portOrRange).exactOptional().describe('SSH port; default: 22.'),
      telnet: each(portOrRange).exactOptional().describe('Telnet port; default: 23.'),
      http: each(portOrRange).exactOptional().describe('HTTP or HTTPS port; default: 80 or 443.'),
      snmp: each(portOrRange).exactOptional().describe('SNMP port; default: 161.'),
      mqtt: each(portOrRange).exactOptional().describe('MQTT port; default: 1883.'),
      ipmi: each(portOrRange).exactOptional().describe('IPMI port; default: 623.'),
    },
    { error: isNumber },
  )
  .exactOptional()
  .describe('Non-standard ports, by protocol.');
