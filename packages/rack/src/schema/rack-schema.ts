/** The schema of rack.yaml, with defaults: top level, jumphost, identities, logins, access (roles, tokens, Google sign-in). */
import { expression } from '@skolo/equipment/models';
import { z } from 'zod';
import { object, path, project, secret, secretFile, section, text, word } from './fields.ts';
import {
  address,
  alertmanager,
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
import { attributes, equipmentUplink, line, power } from './wiring-fields.ts';

const jumphostSchema = object({
  name: hostName.describe('Host name.'),
  address: address.describe("IP address in the rack's network."),
  aliases: z
    .array(domainName)
    .default([])
    .describe('Additional host names, such as `metadata`, which bots use.'),
  hosts: z
    .array(urlHost)
    .exactOptional()
    .describe(
      'Additional names and addresses that services accept in the `Host` header, for example if clients are behind NAT or a proxy. All others are rejected to prevent DNS rebinding.',
    ),
  mac: mac.exactOptional().describe('MAC address.'),
  identity: z
    .string()
    .exactOptional()
    .describe('Identity for programs on the jumphost: a name from `identities`.'),
  uplink: equipmentUplink
    .exactOptional()
    .describe(
      "Switch port that the jumphost is connected to, or `internet` if `skolo pi setup` should configure the jumphost as the rack's router.",
    ),
  power,
});

const sources = {
  serviceAccountKey: secretFile.exactOptional().describe('JSON key file of a service account.'),
  refreshToken: secretFile
    .exactOptional()
    .describe('JSON file with a client ID, client secret and refresh token (`authorized_user`).'),
  tokenUrl: tokenUrl
    .exactOptional()
    .describe("Token endpoint for `refreshToken`; default: Google's."),
  externalAccount: secretFile
    .exactOptional()
    .describe('JSON file for workload identity federation (`external_account`).'),
  fixed: secretFile.exactOptional().describe('File that contains a fixed token, for development.'),
};

export const credentialsSchema = object({
  ...sources,
  impersonate: email
    .exactOptional()
    .describe('E-mail address of the service account to impersonate; requires `from`.'),
  from: object(sources)
    .exactOptional()
    .describe('Credentials that are permitted to impersonate the service account.'),
  delegates: z.array(email).exactOptional().describe('Service accounts in the delegation chain.'),
  endpoint: tokenUrl.exactOptional().describe("IAM Credentials API endpoint; default: Google's."),
});

const scope = text(
  /^(https:\/\/\S+|openid|email|profile)$/,
  'a scope',
  'https://www.googleapis.com/auth/cloud-platform',
);

export const identitySchema = object({
  project: project.describe('Project ID.'),
  projectNumber: digits64.default('0').describe('Project number, in quotes.'),
  email: email
    .exactOptional()
    .describe('E-mail address of the account; default: the address in the credentials.'),
  scopes: z
    .array(scope)
    .min(1)
    .default([
      'https://www.googleapis.com/auth/cloud-platform',
      'https://www.googleapis.com/auth/userinfo.email',
    ])
    .describe('Token scopes. Callers can request a subset.'),
  credentials: credentialsSchema.describe('Source of the tokens. Specify exactly one source.'),
  projectAttributes: attributes.describe('Project attributes, as key-value pairs.'),
  universeDomain: domainName.default('googleapis.com').describe('Universe domain.'),
});

export const loginSchema = object({
  username: line.exactOptional().describe('User name.'),
  password: secret
    .exactOptional()
    .describe(
      "Password: a path, `{ file }` or `{ env }`. If a file contains several passwords, one per line, the first is used until it is rejected. The same applies to the login's other passwords and keys. In logins for machines, use only `privateKey`.",
    ),
  enablePassword: secret.exactOptional().describe('Password for the `enable` command.'),
  enablePrompt: expression
    .exactOptional()
    .describe(
      'Regular expression that matches the question for the `enablePassword`, such as `^Kennwort:`. Only required if the question does not contain password, passcode, passphrase or secret.',
    ),
  privateKey: secret.exactOptional().describe('SSH private key.'),
  passphrase: secret.exactOptional().describe('Passphrase of the SSH key.'),
  kg: secret
    .exactOptional()
    .describe(
      "Key of an IPMI controller (Kg), if it has one in addition to its users' passwords: at most 20 ASCII characters, or `0x` and their hexadecimal digits.",
    ),
  token: secret.exactOptional().describe('Bearer token for HTTP.'),
  legacySsh: z
    .boolean()
    .default(false)
    .describe(
      'Whether to also offer the outdated key exchange algorithms and ciphers that old equipment requires, and to accept Diffie-Hellman groups of up to 8192 bits instead of 4096.',
    ),
  signInSeconds: z
    .number()
    .int()
    .min(5)
    .max(600)
    .exactOptional()
    .describe(
      'How long a sign-in over SSH or telnet may take; default: 60. Increase it if the equipment asks several login servers that may be down.',
    ),
  snmp: object({
    version: z
      .union([z.literal(1), z.literal(2), z.literal('2c').transform((): 2 => 2), z.literal(3)])
      .describe('SNMP version: 1, 2 (2c) or 3.'),
    community: secret.exactOptional().describe('Community string, for versions 1 and 2.'),
    user: line.exactOptional().describe('User name, for version 3.'),
    authKey: secret.exactOptional().describe('Authentication key, for version 3.'),
    authProtocol: z
      .enum(['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512'])
      .default('sha')
      .describe('Algorithm for `authKey`.'),
    privKey: secret.exactOptional().describe('Privacy key, for version 3.'),
    privProtocol: z
      .enum(['des', 'aes', 'aes256b', 'aes256r'])
      .default('aes')
      .describe('Algorithm for `privKey`.'),
  })
    .exactOptional()
    .describe('SNMP settings.'),
  read: word
    .exactOptional()
    .describe(
      'Name of a read-only login. Services and `skolo check equipment` use that login to read everything that its permissions allow (see [Models](#models)), and the current login for all other operations.',
    ),
});

const accessSchema = section({
  tokens: object({ file: path.describe('Path of the token file.') })
    .exactOptional()
    .describe('Tokens created by `skolo token new`, each with a name and an expiry date.'),
  google: object({
    audience: word.describe('Required audience of ID tokens.'),
    emails: z
      .record(email, z.enum(['view', 'operate', 'admin']))
      .describe('Role assigned to each e-mail address.'),
    certsUrl: tokenUrl
      .exactOptional()
      .describe("URL of the public keys that verify ID tokens; default: Google's."),
  })
    .exactOptional()
    .describe('Sign-in with Google ID tokens.'),
  agents: object({
    privateKey: secret.describe(
      'Ed25519 private key (PEM), created by `skolo secrets generate`. Operators and the services on the jumphost use it to sign requests. Machines never receive it.',
    ),
    publicKey: text(
      /^[\w-]{43}$/,
      'an Ed25519 public key in base64url',
      '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    )
      .exactOptional()
      .describe(
        'Public key that matches `privateKey`, as printed by `skolo secrets generate`. Agents accept only orders that are signed with `privateKey`.',
      ),
  })
    .exactOptional()
    .describe('Key pair for signing and verifying requests to the agents on machines.'),
  anonymousRead: z
    .array(cidr)
    .default([])
    .describe('Networks whose clients have read access without signing in.'),
}).describe('Access control for people and programs. The roles are `view`, `operate` and `admin`.');

const storeKeys = ['sops', 'folder', 'command'] as const;

const secretsSchema = object({
  sops: path
    .exactOptional()
    .describe(
      'Directory in git for age-encrypted files in sops format, named `RACK/NAME.sops`; default: `../../sops`. The recipients are listed in `.sops.yaml` in this directory or its nearest parent that contains such a file.',
    ),
  folder: text(/^(~|\/|~\/.*|\/.*)$/, 'an absolute directory, or one below ~', '~/rack-secrets')
    .exactOptional()
    .describe(
      'Directory outside git for unencrypted files, named `RACK/NAME`. Suitable only for a single user.',
    ),
  command: z
    .array(word)
    .min(1)
    .exactOptional()
    .describe(
      'Command that prints a secret\'s value. skolo replaces `{rack}` and `{name}` with the names of the rack and the secret, as in `[berglas, access, "my-bucket/{rack}/{name}"]`.',
    ),
  shared: z
    .record(
      z.string(),
      text(/^(?!\.)[\w.-]+\/(?!\.)[\w.-]+$/, 'the location of a secret', 'etc/k3s-node-token'),
    )
    .default({})
    .describe(
      'Secrets that several racks share, with their locations in the store, such as `{ k3s-token: etc/k3s-node-token }`.',
    ),
})
  .refine((written) => storeKeys.filter((key) => written[key] !== undefined).length <= 1, {
    error: 'expected at most one of sops, folder, command',
  })
  .prefault({})
  .describe('Storage for the secrets that `skolo secrets` manages.');

/** The top level, without sections by name and settings of services. */
export const headSchema = {
  rack: hostName.describe('Rack name, which appears in alerts and backups.'),
  timezone: timezone.default('UTC').describe('Time zone for schedules.'),
  acts: z
    .boolean()
    .default(true)
    .describe(
      'Whether skolo may act on the rack. If `false`, skolo only observes: it does not switch power, or reboot, repair or restore anything, and rejects requests to do so. The history shows the actions that skolo would have taken. Machine entries can override this key.',
    ),
  network: section({
    subnet: cidr.exactOptional().describe("Subnet that contains the rack's addresses."),
    gateway: address
      .exactOptional()
      .describe(
        'Default gateway and name server that skolo configures on SD cards. Default: the address of the equipment with `uplink: internet`.',
      ),
    domain: domainName.default('lan').describe("Domain of the rack's host names."),
  }).describe("The rack's network."),
  jumphost: jumphostSchema.describe('The computer that runs the services.'),
  defaultIdentity: z
    .string()
    .exactOptional()
    .describe('Identity for callers that have none in rack.yaml; default: no identity.'),
  alertmanager: alertmanager.describe(
    'URL of the Alertmanager that sends alerts to alert-to-pubsub, or `none`. alert-to-pubsub queries it to detect alerts that end while they are muted, and machine-state silences alerts during maintenance. Default: the Alertmanager in kube/base if the services run in Kubernetes, otherwise `none`.',
  ),
  access: accessSchema,
  secrets: secretsSchema,
} as const;
