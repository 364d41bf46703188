/**
 * The schema of rack.yaml: what one entry of each kind looks like once its ranges are expanded. Keys with `each` take
 * a list, too, in an entry of many names: one value for each.
 */
import { z } from 'zod';
import {
  canonical,
  object,
  path,
  reading,
  seconds,
  secret,
  secretFile,
  section,
  text,
} from './fields.ts';
import type { Model } from './models/model.ts';
import {
  address,
  cidr,
  domainName,
  email,
  hostName,
  mac,
  portOrRange,
  tokenUrl,
} from './network-fields.ts';
import { parseOutlet, parseUsbPort } from './outlets.ts';
import { seenBackWithin } from './seen-back.ts';
import { overridesOf, swarmingClient } from './settings/swarming-client.ts';
import { each, literal } from './spreading.ts';
import { timezone } from './time-fields.ts';

/** Digits of at most 64 bits, kept as text: a number in YAML would be rounded. */
const digits64 = z
  .union([z.string(), z.number()])
  .meta({ title: 'number of 64 bits, in quotes' })
  .transform((input, context): string => {
    if (typeof input === 'number' && !Number.isSafeInteger(input)) {
      const message = 'this number is too long to be read exactly; put it in quotes';
      context.issues.push({ code: 'custom', message, input });
      return z.NEVER;
    }
    const digits = String(input);
    if (!/^\d{1,20}$/.test(digits) || BigInt(digits) >= 2n ** 64n) {
      const message = `"${digits}" is not a number of 64 bits (0 to ${2n ** 64n - 1n})`;
      context.issues.push({ code: 'custom', message, input });
      return z.NEVER;
    }
    return BigInt(digits).toString();
  });

const outlet = reading('an outlet', 'pdu-1/8', (written) =>
  written.startsWith('usb/')
    ? {
        wrong: `"${written}": usb/… is a port of a machine's own hub, and feeds only devices attached to it`,
      }
    : parseOutlet(written),
);
const uplink = reading('a port of a switch', 'switch-1/48', (written) =>
  written === 'internet'
    ? { wrong: 'only infrastructure is connected to the internet itself' }
    : parseOutlet(written),
);
const feeds = z
  .union([outlet.transform((one) => [one]), z.array(outlet).min(1).max(16)])
  .meta({ title: 'outlet, or a list' });
const ownPower = reading('a port of a hub (usb/HUB.PORT) or an outlet', 'usb/1-1.2', (written) =>
  written.startsWith('usb/') ? parseUsbPort(written) : parseOutlet(written),
);

const free = canonical('a line of text', 'shelf1', (line) =>
  line !== '' && line.length <= 200 && !/\p{Cc}/u.test(line) ? line : undefined,
);
const attributeValue = z.string().max(262_144);
const attributes = z
  .record(
    text(
      /^[A-Za-z0-9_-]{1,127}$/,
      'a key that GCE takes (letters, digits, - and _, at most 127)',
      'pool',
    ),
    attributeValue,
  )
  .default({});
const id = text(/^[A-Za-z0-9][\w.:/-]{0,200}$/, 'an id', 'us-skolo-1');
const tag = text(
  /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
  'a tag that GCE takes (lower-case letters, digits, hyphens)',
  'bot',
);

/** `ports: 24` is a likely slip. */
function isNumber({ code, input }: z.core.$ZodRawIssue): string | undefined {
  if (code !== 'invalid_type' || typeof input !== 'number') return undefined;
  return `expected a map such as { ssh: 2201 }, found the number ${input}; how many ports it has is \`portCount\``;
}

const ports = z
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

const power = feeds
  .exactOptional()
  .describe('The outlet that feeds it; a list where it has several feeds: it is off when all are.');

export const deviceSchema = object({
  name: hostName
    .exactOptional()
    .describe(
      'Its name on the machine; in full it is MACHINE-NAME. Needed where there are several.',
    ),
  kind: z
    .enum(['android', 'ios', 'chromeos', 'linux', 'pyocd', 'auto', 'none'])
    .default('auto')
    .describe('What it is; `auto` finds out and proposes.'),
  serial: each(free)
    .exactOptional()
    .describe('Serial number, where a machine has several devices.'),
  power: ownPower
    .exactOptional()
    .describe("The port of the machine's own hub that feeds it, or an outlet."),
  address: each(address)
    .exactOptional()
    .describe('Where it is reached over the network (chromeos, linux).'),
  login: z.string().exactOptional().describe('A name of `logins`.'),
});

const metadata = section({
  id: each(digits64)
    .exactOptional()
    .describe('Number of 64 bits; derived from the name where it is not given.'),
  zone: id.exactOptional().describe('Zone, say us-skolo-1.'),
  machineType: id.exactOptional().describe('Machine type, say rpi4.'),
  image: id.exactOptional().describe('Image.'),
  cpuPlatform: free.exactOptional().describe('CPU platform.'),
  description: free.exactOptional().describe('Description.'),
  tags: z.array(tag).max(64).default([]).describe('Tags.'),
  attributes: attributes.describe('Attributes: text by key.'),
}).describe('What the metadata server tells the machine about itself.');

export const machineSchema = object({
  kind: z
    .enum(['rpi', 'host'])
    .describe('`rpi`: a Raspberry Pi, a node of k3s. `host`: any other computer.'),
  shelf: each(free).exactOptional().describe('Where it stands.'),
  label: each(free).exactOptional().describe('What is printed on it.'),
  address: each(address)
    .exactOptional()
    .describe('Its address. The metadata server knows it by this.'),
  port: each(portOrRange).exactOptional().describe('Short for `ports: { ssh: … }`.'),
  ports,
  mac: each(mac)
    .exactOptional()
    .describe('Its MAC address. Where given, a neighbour who took its address gets no token.'),
  power,
  uplink: each(uplink).exactOptional().describe('The port that it is plugged into.'),
  identity: each(z.string())
    .exactOptional()
    .describe('A name of `identities`, or `none`: cut off. Without it, `defaultIdentity`.'),
  login: z
    .string()
    .exactOptional()
    .describe('A name of `logins`, for a soft reboot and its USB hub over ssh.'),
  offSeconds: seconds(0.5, 3600)
    .exactOptional()
    .describe('How long off, in a cycle; by default what is right for the model of the outlet.'),
  seenBack: seenBackWithin
    .exactOptional()
    .describe(
      'How it is seen to be back after a cycle: { ssh: 22 }, { http: URL } or { icmp: true }.',
    ),
  device: deviceSchema
    .exactOptional()
    .describe('The phone attached to it; its full name is MACHINE-device.'),
  devices: z
    .array(deviceSchema)
    .min(1)
    .max(32)
    .exactOptional()
    .describe('Several of them, each with a name.'),
  metadata,
  swarming: object(overridesOf(swarmingClient.unwrap().shape))
    .default({})
    .describe('Settings of its agent that differ from `services.swarming-client`.'),
}).refine((machine) => machine.device === undefined || machine.devices === undefined, {
  error: 'has `device` and `devices`; write all of them under `devices`',
});

/** What all infrastructure has; each model adds its own keys. */
export const infrastructureShape = {
  model: literal(z.string()).describe('Model: what its ports are called, how it is spoken to.'),
  transport: z
    .string()
    .exactOptional()
    .describe('How it is spoken to, where the model can do it in several ways.'),
  address: each(address).exactOptional().describe('Its address.'),
  port: each(portOrRange)
    .exactOptional()
    .describe('Port of its transport, where it is not the usual one.'),
  ports,
  mac: each(mac).exactOptional().describe('Its MAC address.'),
  login: z.string().exactOptional().describe('A name of `logins`.'),
  uplink: reading('a port of a switch', 'switch-1/48', (written) =>
    written === 'internet' ? 'internet' : parseOutlet(written),
  )
    .exactOptional()
    .describe(
      'The port that it is plugged into, the device alone where the port is not known, or `internet`.',
    ),
  power,
  hostKey: each(
    text(
      /^SHA256:[A-Za-z0-9+/]{43}$/,
      'a fingerprint as ssh-keygen -l prints it',
      `SHA256:${'A'.repeat(43)}`,
    ),
  )
    .exactOptional()
    .describe('Fingerprint of its ssh host key, pinned; without it, that of the first connection.'),
  serial: each(free)
    .exactOptional()
    .describe('Its serial number: another one means another device.'),
  backup: z.boolean().default(true).describe('`false` leaves it out of the backup.'),
} as const;

export const jumphostSchema = object({
  name: hostName.describe('Its host name.'),
  address: address.describe('Its address in the rack.'),
  aliases: z
    .array(domainName)
    .default([])
    .describe('More names for it; `metadata` is the one that bots ask for.'),
  mac: mac.exactOptional().describe('Its MAC address.'),
  identity: z
    .string()
    .exactOptional()
    .describe('A name of `identities`, for programs on the jumphost itself.'),
  uplink: uplink.exactOptional().describe('The port that it is plugged into.'),
  power,
});

const sources = {
  serviceAccountKey: secretFile.exactOptional().describe('JSON key of a service account.'),
  refreshToken: secretFile
    .exactOptional()
    .describe('JSON with client id, client secret and refresh token (authorized_user).'),
  tokenUrl: tokenUrl
    .exactOptional()
    .describe('Where `refreshToken` is spent; by default at Google.'),
  externalAccount: secretFile
    .exactOptional()
    .describe('JSON of workload identity federation (external_account).'),
  fixed: secretFile.exactOptional().describe('A file with a token, for development.'),
};

export const credentialsSchema = object({
  ...sources,
  impersonate: email
    .exactOptional()
    .describe('E-mail of the service account to be; `from` says with which credentials.'),
  from: object(sources).exactOptional().describe('Credentials that may impersonate it.'),
  delegates: z.array(email).exactOptional().describe('Service accounts in between.'),
  endpoint: tokenUrl
    .exactOptional()
    .describe('IAM credentials endpoint, where it is not that of Google.'),
});

const scope = text(
  /^(https:\/\/\S+|openid|email|profile)$/,
  'a scope',
  'https://www.googleapis.com/auth/cloud-platform',
);
const project = text(
  /^([a-z0-9.-]+:)?[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
  'a project id',
  'my-project',
);

export const identitySchema = object({
  project: project.describe('Project id.'),
  projectNumber: digits64.default('0').describe('Project number; in quotes.'),
  email: email
    .exactOptional()
    .describe('E-mail of the account; where it is not given it is read from the credentials.'),
  scopes: z
    .array(scope)
    .min(1)
    .default([
      'https://www.googleapis.com/auth/cloud-platform',
      'https://www.googleapis.com/auth/userinfo.email',
    ])
    .describe('Scopes of a token, and the most that a caller may ask for.'),
  credentials: credentialsSchema.describe('How it gets its tokens: exactly one kind.'),
  projectAttributes: attributes.describe('Attributes of the project: text by key.'),
  universeDomain: domainName.default('googleapis.com').describe('Universe domain.'),
});

export const loginSchema = object({
  username: free.exactOptional().describe('User name.'),
  password: secret.exactOptional().describe('Password: a path, { file } or { env }.'),
  enablePassword: secret.exactOptional().describe('Second password, for `enable`.'),
  privateKey: secret.exactOptional().describe('ssh key.'),
  passphrase: secret.exactOptional().describe('Passphrase of the ssh key.'),
  token: secret.exactOptional().describe('Bearer token, for HTTP.'),
  legacySsh: z
    .boolean()
    .default(false)
    .describe('Also offer the key exchanges and ciphers that old devices need.'),
  snmp: object({
    version: z
      .union([z.literal(1), z.literal(2), z.literal('2c').transform((): 2 => 2), z.literal(3)])
      .describe('1, 2 (2c) or 3.'),
    community: secret.exactOptional().describe('Community, for versions 1 and 2.'),
    user: free.exactOptional().describe('User, for version 3.'),
    authKey: secret.exactOptional().describe('Authentication key, for version 3.'),
    authProtocol: z
      .enum(['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512'])
      .default('sha')
      .describe('With which the key is used.'),
    privKey: secret.exactOptional().describe('Privacy key, for version 3.'),
    privProtocol: z
      .enum(['des', 'aes', 'aes256b', 'aes256r'])
      .default('aes')
      .describe('With which the key is used.'),
  })
    .exactOptional()
    .describe('SNMP.'),
});

export const accessSchema = section({
  tokens: object({ file: path.describe('Its path.') })
    .exactOptional()
    .describe('File of named, hashed, expiring tokens, made by `skolo token new`.'),
  google: object({
    audience: z.string().min(1).describe('Audience that the ID tokens must be for.'),
    emails: z.record(email, z.enum(['view', 'operate', 'admin'])).describe('Who may what.'),
    certsUrl: tokenUrl.exactOptional().describe('Where the keys of Google are found.'),
  })
    .exactOptional()
    .describe('People who sign in with a Google ID token.'),
  anonymousRead: z
    .array(cidr)
    .default([])
    .describe('Networks whose callers may read without signing in.'),
}).describe('Who may read and change things. Roles: view, operate, admin.');

/** Everything but the entries of many names and the settings of services. */
export const headSchema = {
  rack: hostName.describe('Name of the rack; alerts and backups say it.'),
  timezone: timezone.default('UTC').describe('Time zone of the schedules.'),
  network: section({
    subnet: cidr.exactOptional().describe('Every address must be in it.'),
    domain: domainName.default('lan').describe('Domain of the host names.'),
  }).describe('The network of the rack.'),
  jumphost: jumphostSchema.describe('The computer that the services run on.'),
  defaultIdentity: z
    .string()
    .exactOptional()
    .describe('What callers get who are listed nowhere; without it, nothing.'),
  access: accessSchema,
} as const;

/** The entry of a device whose model is not known. */
export const infrastructureSchema = object(infrastructureShape);

const entriesByModel = new Map<Model, ReturnType<typeof entryOf>>();

function entryOf(model: Model) {
  return object({ ...model.options, ...infrastructureShape });
}

/** The schema of an entry of this model. */
export function infrastructureEntry(model: Model): ReturnType<typeof entryOf> {
  const entry = entriesByModel.get(model) ?? entryOf(model);
  entriesByModel.set(model, entry);
  return entry;
}
