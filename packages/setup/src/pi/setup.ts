/**
 * The settings of a Raspberry Pi after its first boot: name, address, user, time, Wi-Fi. Each method of customisation generates its
 * files from this description. A shared image contains everything except the identity, which such a Pi requests.
 */
import { isIP, isIPv4 } from 'node:net';
import { Secret } from '@skolo/base/secrets';
import { z } from 'zod';
import { PiError } from './errors.ts';

/** RFC 1123, in lower case, because it is a Kubernetes node's name. */
const hostName = z
  .string()
  .max(63)
  .regex(
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
    'not a host name; use lower-case letters, digits and hyphens, with no hyphen at either end',
  );
const domain = z
  .string()
  .max(190)
  .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, 'not a domain name');
const address = z.string().refine((text) => isIP(text) !== 0, 'not an IP address');
const ipv4 = z.string().refine((text) => isIPv4(text), 'not an IPv4 address');
/** A name or an address; of IPv6 without brackets. */
const server = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9:.-]+$/, 'neither a host name nor an IP address');

/** As useradd of Debian allows them. */
const userName = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'not a valid user name');

/** One line without control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it rejects control characters
const line = z.string().regex(/^[^\u0000-\u001f\u007f]+$/, 'contains control characters');

/** One line of authorized_keys, without options. */
const publicKey = line.regex(
  /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+|sk-\S+@openssh\.com) [A-Za-z0-9+/]+=*( .*)?$/,
  'not an SSH public key',
);

/** Length of the prefix of a subnet. */
const prefix = z.int().min(1).max(32);

const Identity = z.strictObject({
  hostname: hostName,
  /** In rack.yaml, of an adapter or the built-in port. */
  mac: z.mac('not a MAC address').optional(),
  /** Of the wired interface. */
  wired: z.union([
    z.literal('dhcp'),
    z.strictObject({
      address: ipv4,
      prefix,
      gateway: ipv4.optional(),
    }),
  ]),
});

/** A Pi's identity: the difference between two with the same image. */
export type PiIdentity = z.infer<typeof Identity>;

const Wifi = z.strictObject({
  ssid: line.refine((text) => Buffer.byteLength(text) <= 32, 'longer than 32 bytes'),
  /** WPA2: 8 to 63 letters of ASCII. */
  password: z.instanceof(Secret).refine((secret) => /^[\x20-\x7e]{8,63}$/.test(secret.reveal()), {
    error: 'a Wi-Fi password must have 8 to 63 ASCII characters',
  }),
  /** Its location, which determines the allowed channels. Without it, the kernel keeps Wi-Fi off. */
  country: z.string().regex(/^[A-Z]{2}$/, 'not an ISO 3166 country code such as DE'),
});

/**
 * With the digest of the cluster's CA, as printed by `k3s token create`, so the agent does not accept other servers. A server's token,
 * which never expires, must not be on an SD card.
 * Source: k3s, docs.k3s.io/cli/token.
 */
const joinToken = z
  .instanceof(Secret)
  .refine((secret) => /^K10[0-9a-f]{64}::/.test(secret.reveal()), {
    error:
      'the token does not contain the digest of the CA (K10…::), so any server could impersonate the cluster',
  })
  .refine((secret) => !/^K10[0-9a-f]{64}::(server|node):/.test(secret.reveal()), {
    error:
      'the token never expires; run `k3s token create --ttl 24h` on the server to create one that does',
  })
  .refine((secret) => /::[a-z0-9]{6}\.[a-z0-9]{16}$/.test(secret.reveal()), {
    error: 'not a token from `k3s token create`',
  });

const System = z.strictObject({
  domain: domain.optional(),
  user: z.strictObject({ name: userName, keys: z.array(publicKey).min(1) }),
  /** `off`: its radio is turned off. */
  wifi: z.union([z.literal('off'), Wifi]),
  /** Empty: those of DHCP. */
  nameServers: z.array(address),
  /** Lines of /etc/hosts: an address, and names. */
  hosts: z.array(
    z.string().regex(/^[0-9A-Fa-f:.]+[ \t]+[A-Za-z0-9. \t-]+$/, 'not a valid line for /etc/hosts'),
  ),
  timezone: z.string().regex(/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/, 'not a time zone'),
  /** Layout of X11: `us`, `de`. */
  keyboard: z.string().regex(/^[a-z]{2,12}$/, 'not a keyboard layout such as us'),
  /** `C.UTF-8` is in every image, and others are generated at the first boot. */
  locale: z.string().regex(/^[A-Za-z_]+(\.[A-Za-z0-9-]+)?(@[a-z]+)?$/, 'not a locale'),
  /** NTP servers; the first one is preferred. */
  timeServers: z.array(server),
  /** Absent: it does not join a cluster. */
  cluster: z
    .strictObject({
      /** Of k3s, at port 6443. */
      server,
      /** Absent: enrolment provides one. */
      token: joinToken.optional(),
      /** SHA-256 of the k3s binary on the boot partition. */
      programSha256: z.string().regex(/^[0-9a-f]{64}$/),
    })
    .optional(),
});

/** How a Pi with a shared image requests its identity. Until then, it uses this one. */
const Enrolment = z.strictObject({
  /** Of machine-state, on the server of the cluster. */
  port: z.int().min(1).max(65_535),
  /** Pin of its public key, in curl's format. */
  pin: z.string().regex(/^sha256\/\/[A-Za-z0-9+/]{43}=$/, 'not a public key pin'),
  secret: z
    .instanceof(Secret)
    .refine((secret) => /^[A-Za-z0-9._-]{20,100}$/.test(secret.reveal()), {
      error: 'not an enrolment secret',
    }),
  /** For a machine with an address in rack.yaml; absent: all have DHCP. */
  subnet: z.strictObject({ prefix, gateway: ipv4.optional() }).optional(),
});

const Setup = z
  .strictObject({ ...System.shape, identity: Identity, enrolment: Enrolment.optional() })
  .refine(({ cluster, enrolment }) => enrolment === undefined || cluster?.token === undefined, {
    error: 'a shared image cannot contain a token',
  })
  .refine(({ cluster, enrolment }) => cluster === undefined || cluster.token || enrolment, {
    error: 'a machine that joins a cluster requires a token',
  })
  .refine(({ cluster, enrolment }) => enrolment === undefined || cluster !== undefined, {
    error: 'a shared image requires a cluster to join',
  });

export type PiSetup = z.infer<typeof Setup>;

/** @throws PiError With all errors. */
export function parseSetup(setup: PiSetup): PiSetup {
  const result = Setup.safeParse(setup);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new PiError(`${setup.identity.hostname}: ${issues.join('; ')}`);
}
