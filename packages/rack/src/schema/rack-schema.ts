/** The schema of rack.yaml: top level, jumphost, identities, logins, access. */
import { z } from 'zod';
import { object, path, project, secret, secretFile, section, text, word } from './fields.ts';
import {
  address,
  cidr,
  digits64,
  domainName,
  email,
  hostName,
  mac,
  tokenUrl,
  urlHost,
} from './network-fields.ts';
import { timezone } from './time-fields.ts';
import { attributes, infrastructureUplink, line, power } from './wiring-fields.ts';

const jumphostSchema = object({
  name: hostName.describe('Host name.'),
  address: address.describe('Address in the rack.'),
  aliases: z.array(domainName).default([]).describe('Other host names. Bots use `metadata`.'),
  hosts: z
    .array(urlHost)
    .exactOptional()
    .describe(
      'Other names and addresses that clients send as Host, for example through a NAT or proxy. Services reject any other Host, because a web page could resolve its own name to the jumphost.',
    ),
  mac: mac.exactOptional().describe('MAC address.'),
  identity: z
    .string()
    .exactOptional()
    .describe('A name from `identities`, used by programs on the jumphost.'),
  uplink: infrastructureUplink
    .exactOptional()
    .describe(
      "The switch port that the jumphost is connected to. `internet`: the jumphost is the rack's router, configured by `skolo pi setup`.",
    ),
  power,
});

const sources = {
  serviceAccountKey: secretFile.exactOptional().describe('JSON key file of a service account.'),
  refreshToken: secretFile
    .exactOptional()
    .describe('JSON file with client id, client secret and refresh token (authorized_user).'),
  tokenUrl: tokenUrl
    .exactOptional()
    .describe('Token endpoint for `refreshToken`; default: Google.'),
  externalAccount: secretFile
    .exactOptional()
    .describe('JSON file for workload identity federation (external_account).'),
  fixed: secretFile.exactOptional().describe('A file that contains a token, for development.'),
};

export const credentialsSchema = object({
  ...sources,
  impersonate: email
    .exactOptional()
    .describe('E-mail address of the service account to impersonate; requires `from`.'),
  from: object(sources).exactOptional().describe('Credentials that may impersonate the account.'),
  delegates: z.array(email).exactOptional().describe('Service accounts in a delegation chain.'),
  endpoint: tokenUrl.exactOptional().describe('IAM credentials endpoint; default: Google.'),
});

const scope = text(
  /^(https:\/\/\S+|openid|email|profile)$/,
  'a scope',
  'https://www.googleapis.com/auth/cloud-platform',
);

export const identitySchema = object({
  project: project.describe('Project ID.'),
  projectNumber: digits64.default('0').describe('Project number; in quotes.'),
  email: email.exactOptional().describe('Account e-mail address; default: from the credentials.'),
  scopes: z
    .array(scope)
    .min(1)
    .default([
      'https://www.googleapis.com/auth/cloud-platform',
      'https://www.googleapis.com/auth/userinfo.email',
    ])
    .describe('Token scopes. A caller can request a subset.'),
  credentials: credentialsSchema.describe('Source of the tokens. Specify exactly one.'),
  projectAttributes: attributes.describe('Project attributes, as key-value pairs.'),
  universeDomain: domainName.default('googleapis.com').describe('Universe domain.'),
});

export const loginSchema = object({
  username: line.exactOptional().describe('User name.'),
  password: secret
    .exactOptional()
    .describe(
      "Password: a path, { file } or { env }. A file may contain several, one per line: the first is used until a device rejects it. The same applies to a login's other passwords and keys. Machines accept only `privateKey`.",
    ),
  enablePassword: secret.exactOptional().describe('Password for `enable`.'),
  privateKey: secret.exactOptional().describe('SSH key.'),
  passphrase: secret.exactOptional().describe('Passphrase of the SSH key.'),
  token: secret.exactOptional().describe('Bearer token for HTTP.'),
  legacySsh: z
    .boolean()
    .default(false)
    .describe(
      'Whether to also offer the outdated key exchanges and ciphers that old devices require.',
    ),
  snmp: object({
    version: z
      .union([z.literal(1), z.literal(2), z.literal('2c').transform((): 2 => 2), z.literal(3)])
      .describe('SNMP version: 1, 2 (2c) or 3.'),
    community: secret.exactOptional().describe('Community, for versions 1 and 2.'),
    user: line.exactOptional().describe('User, for version 3.'),
    authKey: secret.exactOptional().describe('Authentication key, for version 3.'),
    authProtocol: z
      .enum(['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512'])
      .default('sha')
      .describe("The key's algorithm."),
    privKey: secret.exactOptional().describe('Privacy key, for version 3.'),
    privProtocol: z
      .enum(['des', 'aes', 'aes256b', 'aes256r'])
      .default('aes')
      .describe("The key's algorithm."),
  })
    .exactOptional()
    .describe('SNMP settings.'),
  read: word
    .exactOptional()
    .describe(
      'Name of a login with read access only. Services and `skolo prove --look` use it for readings that do not require more (see [Models](#models)), and this login for everything else.',
    ),
});

const accessSchema = section({
  tokens: object({ file: path.describe('File path.') })
    .exactOptional()
    .describe('File of named, hashed, expiring tokens that `skolo token new` creates.'),
  google: object({
    audience: word.describe('Required audience of the ID tokens.'),
    emails: z
      .record(email, z.enum(['view', 'operate', 'admin']))
      .describe('Role of each e-mail address.'),
    certsUrl: tokenUrl.exactOptional().describe('URL of the public keys; default: Google.'),
  })
    .exactOptional()
    .describe('Sign-in with Google ID tokens.'),
  agents: object({
    privateKey: secret.describe(
      'Private key (Ed25519, PEM), created by `skolo secrets generate`. Services on the jumphost and operators sign with it. Machines never receive it.',
    ),
    publicKey: text(
      /^[\w-]{43}$/,
      'an Ed25519 public key in base64url',
      '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    )
      .exactOptional()
      .describe(
        'Public key that belongs to `privateKey`, which `skolo secrets generate` prints. Agents accept only orders signed with it.',
      ),
  })
    .exactOptional()
    .describe('The key that signs requests to the agents on machines.'),
  anonymousRead: z.array(cidr).default([]).describe('Networks with read access without sign-in.'),
}).describe('Access to the services for people and programs. Roles: view, operate, admin.');

const storeKeys = ['sops', 'folder', 'command'] as const;

const secretsSchema = object({
  sops: path
    .exactOptional()
    .describe(
      'Directory of age-encrypted files in sops format, `RACK/NAME.sops`, for git; default: `../../sops`. The file `.sops.yaml` in it or a parent directory lists the recipients.',
    ),
  folder: text(/^(~|\/|~\/.*|\/.*)$/, 'an absolute directory, or one below ~', '~/rack-secrets')
    .exactOptional()
    .describe('Directory of unencrypted files, `RACK/NAME`, outside git, for use by one person.'),
  command: z
    .array(word)
    .min(1)
    .exactOptional()
    .describe(
      'Program and arguments that print a value. `{rack}` and `{name}` are replaced: `[berglas, access, "my-bucket/{rack}/{name}"]`.',
    ),
  shared: z
    .record(
      z.string(),
      text(/^(?!\.)[\w.-]+\/(?!\.)[\w.-]+$/, 'the location of a secret', 'etc/k3s-node-token'),
    )
    .default({})
    .describe(
      'Secrets that racks share, and their locations: `{ k3s-token: etc/k3s-node-token }`.',
    ),
})
  .refine((written) => storeKeys.filter((key) => written[key] !== undefined).length <= 1, {
    error: 'expected at most one of sops, folder, command',
  })
  .prefault({})
  .describe('Store of secret values for `skolo secrets`.');

/** The top level, without sections by name and settings of services. */
export const headSchema = {
  rack: hostName.describe('Rack name, as shown in alerts and backups.'),
  timezone: timezone.default('UTC').describe('Time zone for schedules.'),
  acts: z
    .boolean()
    .default(true)
    .describe(
      'Whether skolo may act. With `false`, skolo observes and decides, but does not switch power, reboot, repair or restore anything, and rejects such orders. The history shows what it would have done. Machines can override this key.',
    ),
  network: section({
    subnet: cidr.exactOptional().describe('Subnet that contains all addresses.'),
    gateway: address
      .exactOptional()
      .describe(
        'Default route and name server for SD cards. Default: the device with `uplink: internet`.',
      ),
    domain: domainName.default('lan').describe('Domain for host names.'),
  }).describe("The rack's network."),
  jumphost: jumphostSchema.describe('The computer that runs the services.'),
  defaultIdentity: z
    .string()
    .exactOptional()
    .describe(
      'Identity for callers for which rack.yaml does not specify one; default: no identity.',
    ),
  access: accessSchema,
  secrets: secretsSchema,
} as const;
