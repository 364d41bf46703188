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
      'Other names and addresses that clients send as Host, for example those of a NAT or proxy. Services reject any other Host, because a web page could resolve its own name to the jumphost.',
    ),
  mac: mac.exactOptional().describe('MAC address.'),
  identity: z
    .string()
    .exactOptional()
    .describe('A name of `identities`, for programs on the jumphost.'),
  uplink: infrastructureUplink
    .exactOptional()
    .describe(
      'The switch port that it is connected to. `internet`: it is the router of the rack, as `skolo pi setup` configures it.',
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
  fixed: secretFile.exactOptional().describe('A file with a token, for development.'),
};

export const credentialsSchema = object({
  ...sources,
  impersonate: email
    .exactOptional()
    .describe('E-mail of the service account to impersonate; needs `from`.'),
  from: object(sources).exactOptional().describe('Credentials that may impersonate the account.'),
  delegates: z.array(email).exactOptional().describe('Service accounts of a delegation chain.'),
  endpoint: tokenUrl.exactOptional().describe('IAM credentials endpoint; default: Google.'),
});

const scope = text(
  /^(https:\/\/\S+|openid|email|profile)$/,
  'a scope',
  'https://www.googleapis.com/auth/cloud-platform',
);

export const identitySchema = object({
  project: project.describe('Project id.'),
  projectNumber: digits64.default('0').describe('Project number; in quotes.'),
  email: email.exactOptional().describe('E-mail of the account; default: from the credentials.'),
  scopes: z
    .array(scope)
    .min(1)
    .default([
      'https://www.googleapis.com/auth/cloud-platform',
      'https://www.googleapis.com/auth/userinfo.email',
    ])
    .describe('Scopes of a token. A caller can request fewer, but no others.'),
  credentials: credentialsSchema.describe('Source of its tokens: exactly one kind.'),
  projectAttributes: attributes.describe('Attributes of the project: text by key.'),
  universeDomain: domainName.default('googleapis.com').describe('Universe domain.'),
});

export const loginSchema = object({
  username: line.exactOptional().describe('User name.'),
  password: secret
    .exactOptional()
    .describe(
      'Password: a path, { file } or { env }. A file may contain several, one per line: the first is used until a device rejects it. The same applies to other passwords and keys of a login. Machines accept only `privateKey`.',
    ),
  enablePassword: secret.exactOptional().describe('Second password, for `enable`.'),
  privateKey: secret.exactOptional().describe('SSH key.'),
  passphrase: secret.exactOptional().describe('Passphrase of the SSH key.'),
  token: secret.exactOptional().describe('Bearer token for HTTP.'),
  legacySsh: z
    .boolean()
    .default(false)
    .describe('Also offer key exchanges and ciphers of old devices.'),
  snmp: object({
    version: z
      .union([z.literal(1), z.literal(2), z.literal('2c').transform((): 2 => 2), z.literal(3)])
      .describe('1, 2 (2c) or 3.'),
    community: secret.exactOptional().describe('Community, for versions 1 and 2.'),
    user: line.exactOptional().describe('User, for version 3.'),
    authKey: secret.exactOptional().describe('Authentication key, for version 3.'),
    authProtocol: z
      .enum(['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512'])
      .default('sha')
      .describe('Algorithm of the key.'),
    privKey: secret.exactOptional().describe('Privacy key, for version 3.'),
    privProtocol: z
      .enum(['des', 'aes', 'aes256b', 'aes256r'])
      .default('aes')
      .describe('Algorithm of the key.'),
  })
    .exactOptional()
    .describe('SNMP.'),
});

const accessSchema = section({
  tokens: object({ file: path.describe('Path of the file.') })
    .exactOptional()
    .describe('File of named, hashed, expiring tokens, made by `skolo token new`.'),
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
      'Private key (Ed25519, PEM), which `skolo secrets generate` creates. Services on the jumphost and operators sign with it. Machines never get it.',
    ),
    publicKey: text(
      /^[\w-]{43}$/,
      'a public key of Ed25519 in base64url',
      '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    )
      .exactOptional()
      .describe(
        'Its public key, which `skolo secrets generate` prints. Agents accept only orders with its signature.',
      ),
  })
    .exactOptional()
    .describe('The key that signs requests to the agents on machines.'),
  anonymousRead: z.array(cidr).default([]).describe('Networks with read access without sign-in.'),
}).describe('Access of people and programs to the services. Roles: view, operate, admin.');

const storeKeys = ['sops', 'folder', 'command'] as const;

const secretsSchema = object({
  sops: path
    .exactOptional()
    .describe(
      'Folder of files encrypted with age in the format of sops, `RACK/NAME.sops`, for git; default: `../../sops`. The file `.sops.yaml` in it or above it has the recipients.',
    ),
  folder: text(/^(~|\/|~\/.*|\/.*)$/, 'an absolute folder, or one below ~', '~/rack-secrets')
    .exactOptional()
    .describe('Folder of unencrypted files, `RACK/NAME`, outside of git, for one person.'),
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
      text(/^(?!\.)[\w.-]+\/(?!\.)[\w.-]+$/, 'a place of a secret', 'etc/k3s-node-token'),
    )
    .default({})
    .describe(
      'Secrets that several racks share, and their place: `{ k3s-token: etc/k3s-node-token }`.',
    ),
})
  .refine((written) => storeKeys.filter((key) => written[key] !== undefined).length <= 1, {
    error: 'expected at most one of sops, folder, command',
  })
  .prefault({})
  .describe('The store of secret values, for `skolo secrets`.');

/** The top level, without sections by name and settings of services. */
export const headSchema = {
  rack: hostName.describe('Name of the rack, for example in alerts and backups.'),
  timezone: timezone.default('UTC').describe('Time zone of the schedules.'),
  network: section({
    subnet: cidr.exactOptional().describe('Subnet of all addresses.'),
    gateway: address
      .exactOptional()
      .describe(
        'Default route and name server of SD cards. Default: the device with `uplink: internet`.',
      ),
    domain: domainName.default('lan').describe('Domain of the host names.'),
  }).describe('The network of the rack.'),
  jumphost: jumphostSchema.describe('The computer that runs the services.'),
  defaultIdentity: z
    .string()
    .exactOptional()
    .describe('Identity of callers that are not listed; default: no identity.'),
  access: accessSchema,
  secrets: secretsSchema,
} as const;
