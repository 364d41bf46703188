/** The schema of rack.yaml: the jumphost, identities, logins, access, and what stands at the top. */
import { z } from 'zod';
import { object, path, secret, secretFile, section, text } from './fields.ts';
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
import { attributes, line, power, uplink } from './wiring-fields.ts';

export const jumphostSchema = object({
  name: hostName.describe('Its host name.'),
  address: address.describe('Its address in the rack.'),
  aliases: z.array(domainName).default([]).describe('More names for it. Bots use `metadata`.'),
  hosts: z
    .array(urlHost)
    .exactOptional()
    .describe(
      'More names and addresses that clients send as Host, say those of a NAT or a proxy in front. Requests with another Host are rejected, because a page of another site may have resolved its own name to the jumphost.',
    ),
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
    .describe('Token endpoint for `refreshToken`; by default that of Google.'),
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
    .describe('E-mail of the account; by default, read from the credentials.'),
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
  username: line.exactOptional().describe('User name.'),
  password: secret.exactOptional().describe('Password: a path, { file } or { env }.'),
  enablePassword: secret.exactOptional().describe('Second password, for `enable`.'),
  privateKey: secret.exactOptional().describe('ssh key.'),
  passphrase: secret.exactOptional().describe('Passphrase of the ssh key.'),
  token: secret
    .exactOptional()
    .describe(
      'Bearer token, for HTTP. For machines it is long and random, and the token of each agent is derived from it.',
    ),
  legacySsh: z
    .boolean()
    .default(false)
    .describe('Also offer the key exchanges and ciphers that old devices need.'),
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

export const accessSchema = section({
  tokens: object({ file: path.describe('Its path.') })
    .exactOptional()
    .describe('File of named, hashed, expiring tokens, made by `skolo token new`.'),
  google: object({
    audience: z.string().min(1).describe('Audience that the ID tokens must be for.'),
    emails: z
      .record(email, z.enum(['view', 'operate', 'admin']))
      .describe('Role of each e-mail address.'),
    certsUrl: tokenUrl.exactOptional().describe('URL of the public keys of Google.'),
  })
    .exactOptional()
    .describe('People who sign in with a Google ID token.'),
  anonymousRead: z
    .array(cidr)
    .default([])
    .describe('Networks whose callers may read without signing in.'),
}).describe('People and programs that may read and change things. Roles: view, operate, admin.');

/** Everything but the entries of many names and the settings of services. */
export const headSchema = {
  rack: hostName.describe('Name of the rack; alerts and backups carry it.'),
  timezone: timezone.default('UTC').describe('Time zone of the schedules.'),
  network: section({
    subnet: cidr.exactOptional().describe('Every address must be in it.'),
    domain: domainName.default('lan').describe('Domain of the host names.'),
  }).describe('The network of the rack.'),
  jumphost: jumphostSchema.describe('The computer that the services run on.'),
  defaultIdentity: z
    .string()
    .exactOptional()
    .describe('Identity of callers that are listed nowhere; without it, they get none.'),
  access: accessSchema,
} as const;
