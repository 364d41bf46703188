/**
 * What other parts send is read by these functions. Each reads mutations of a valid sample, for one minute in `npm run test:long`:
 * it accepts or rejects them, throws nothing else, and keeps none of them.
 */

import { readFileSync } from 'node:fs';
import { AgentStatus, EnrolRequest } from '@skolo/api';
import { parseJson } from '@skolo/base';
import { countRounds, seeded } from '@skolo/base/durable/fault-injection';
import { testSeed } from '@skolo/base/testing';
import { parseRack, RackError } from '@skolo/rack';
import { StatementMessage } from '@skolo/rack/jumphost';
import { portIn } from '@skolo/rack/light';
import { readMachinePart } from '@skolo/rack/machine-part';
import { it } from 'vitest';
import { z } from 'zod';
import { Negotiation } from '../../../../packages/equipment/src/transports/telnet/negotiation.ts';
import { parseJson as parseAlerts } from '../../../../services/alert-to-pubsub/src/receive/json.ts';
import { readMessage } from '../../../../services/alert-to-pubsub/src/receive/messages.ts';
import { Rejection } from '../../../../services/alert-to-pubsub/src/receive/rejection.ts';
import { changeInSyslog } from '../../../../services/router-backup/src/notices/syslog.ts';
import { changeInTrap, readTrap } from '../../../../services/router-backup/src/notices/traps.ts';

interface Parser {
  name: string;
  sample: string | Buffer;
  read(bytes: Buffer): unknown;
  /** What it throws to reject something. */
  rejects?: new (
    ...args: never[]
  ) => Error;
}

const at = '2026-11-20T07:30:00Z';
const status = {
  machine: 'rpi-1',
  startedAt: at,
  revision: '7',
  bootId: 'b',
  task: { running: false },
  devices: [{ name: 'device', state: 'present', batteryPercent: 80, serial: 'A1' }],
  health: {
    verdict: 'maintenance',
    since: at,
    reasons: [{ verdict: 'maintenance', code: 'battery-low', text: 'low', since: at }],
  },
  orders: [{ id: '1', kind: 'quarantine', by: 'ann', reason: 'a fan', since: at }],
  host: { diskFreeBytes: 1e9, celsius: 50.5, underVoltage: false },
};
const machinePart = {
  rack: 'rack4',
  timezone: 'UTC',
  domain: 'lan',
  name: 'rpi-1',
  kind: 'rpi',
  devices: [],
  metadata: { tags: ['bot'], attributes: { pool: 'phones' } },
  swarming: {},
  services: {
    'metadata-server': 'http://metadata',
    'power-cycle-daemon': 'http://192.168.1.8:9210',
  },
  agent: { anonymousRead: [] },
};
const message = {
  version: '4',
  status: 'firing',
  receiver: 'skolo',
  groupLabels: {},
  commonLabels: {},
  commonAnnotations: {},
  externalURL: 'http://am',
  groupKey: '{}',
  truncatedAlerts: 0,
  alerts: [{ status: 'firing', labels: { alertname: 'A' }, annotations: {}, startsAt: at }],
};
const statement = {
  skolo: 'jumphost/1',
  ask: true,
  rack: 'rack4',
  statement: {
    rack: 'rack4',
    epoch: 3,
    machine: 'a'.repeat(64),
    signature: Buffer.alloc(64).toString('base64'),
  },
};
const enrolment = {
  serial: '10000000f00dcafe',
  macs: ['dc:a6:32:00:00:07'],
  model: 'Raspberry Pi 4',
};
const uhubctl = `Current status for hub 1-1 [2109:3431 USB2.0 Hub, USB 2.10, 4 ports, ppps]
  Port 1: 0100 power
  Port 2: 0503 power highspeed enable connect [18d1:4ee7 Google Pixel A1]
`;
/** SNMPv2c, a cold start (RFC 3416, section 4.2.6). */
const trap = Buffer.from(
  '304002010104067075626c6963a7330201010201000201003028' +
    '300d06082b06010201010300430100' +
    '3017060a2b06010603010104010006092b0601060301010501',
  'hex',
);

const parsers: readonly Parser[] = [
  {
    name: 'rack.yaml',
    sample: readFileSync(new URL('../../../../racks/demo/rack.yaml', import.meta.url)),
    read: (bytes) => parseRack(bytes.toString(), { file: 'rack.yaml' }),
    rejects: RackError,
  },
  {
    name: "a machine's part of rack.yaml",
    sample: JSON.stringify(machinePart),
    read: (bytes) => readMachinePart(parseJson(bytes.toString()), 'metadata'),
    rejects: RackError,
  },
  {
    name: 'status of an agent',
    sample: JSON.stringify(status),
    read: (bytes) => AgentStatus.parse(parseJson(bytes.toString())),
    rejects: z.ZodError,
  },
  {
    name: 'enrolment request',
    sample: JSON.stringify(enrolment),
    read: (bytes) => EnrolRequest.parse(parseJson(bytes.toString())),
    rejects: z.ZodError,
  },
  {
    name: 'statement of a jumphost',
    sample: JSON.stringify(statement),
    read: (bytes) => StatementMessage.parse(parseJson(bytes.toString())),
    rejects: z.ZodError,
  },
  {
    name: 'message of Alertmanager',
    sample: JSON.stringify(message),
    read: (bytes) =>
      readMessage(parseAlerts(bytes, { hold() {} }).value, 'webhook', Date.parse(at)),
    rejects: Rejection,
  },
  {
    name: 'syslog message',
    sample:
      '<189>29: *Mar  1 18:48:50.483: %SYS-5-CONFIG_I: Configured from console by ann on vty0',
    read: changeInSyslog,
  },
  {
    name: 'SNMP trap',
    sample: trap,
    read(bytes) {
      const found = readTrap(bytes);
      return found && changeInTrap(found);
    },
    rejects: RangeError,
  },
  {
    name: 'telnet negotiation',
    sample: Buffer.from('fffd18fffd1ffffb01fffb03fffa1801fff06c6f67696e3a20', 'hex'),
    read: (bytes) => new Negotiation().parse(bytes),
  },
  {
    name: 'uhubctl',
    sample: uhubctl,
    read: (bytes) => portIn(bytes.toString(), { hub: '1-1', port: 2 }),
  },
];

/** Replaces, removes, repeats and inserts bytes; rarely, much of it. */
function mutated(sample: Buffer, random: () => number): Buffer {
  let bytes = Buffer.from(sample);
  const upTo = (most: number) => Math.floor(random() * most);
  for (let changes = 1 + upTo(6); changes > 0; changes -= 1) {
    const [from, to] = [upTo(bytes.length + 1), upTo(bytes.length + 1)].sort((a, b) => a - b);
    const piece = bytes.subarray(from, Math.min(to ?? 0, (from ?? 0) + 64));
    const kind = upTo(4);
    const middle =
      kind === 0
        ? Buffer.alloc(0)
        : kind === 1
          ? Buffer.concat(Array.from({ length: 1 + upTo(50) }, () => piece))
          : Buffer.from(Array.from({ length: 1 + upTo(8) }, () => upTo(256)));
    const rest = kind === 3 ? (from ?? 0) : (from ?? 0) + piece.length;
    bytes = Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(rest)]);
  }
  return bytes;
}

it.each(parsers)(`accepts or rejects: $name`, ({ name, sample, read, rejects }) => {
  const random = seeded(testSeed());
  const bytes = Buffer.from(sample);
  const count = countRounds(200, 20_000);
  let accepted = 0;

  read(bytes);
  for (let at = 0; at < count; at += 1) {
    const given = mutated(bytes, random);
    try {
      read(given);
      accepted += 1;
    } catch (error) {
      if (rejects === undefined || !(error instanceof rejects)) {
        throw new Error(`${name}: ${JSON.stringify(given.toString('latin1'))}`, { cause: error });
      }
    }
  }

  console.log(`${name}: ${count} cases, ${accepted} accepted`);
});
