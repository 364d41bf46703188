/** Settings of the router backup: when, where to, how long it is kept. */

import { seconds, whole } from '@skolo/models';
import { z } from 'zod';
import { object, secret, section, text } from '../fields.ts';
import { httpUrl, portNumber } from '../network-fields.ts';
import { cron } from '../time-fields.ts';
import { common } from './common.ts';

const recipient = text(
  /^age1[02-9ac-hj-np-z]{58}$/,
  'an age recipient, as age-keygen prints it',
  'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p',
);

export const routerBackup = section({
  ...common,
  schedule: cron
    .default('15 3 * * *')
    .describe('When all devices are read, as in cron, in the time zone of the rack.'),
  jitterSeconds: whole(0, 86_400)
    .default(600)
    .describe('The devices are spread over this many seconds, each always at the same place.'),
  overdueHours: z
    .number()
    .positive()
    .max(8760)
    .default(26)
    .describe('A device without a verified backup for this long raises an alert.'),
  concurrency: whole(1, 200).default(10).describe('Devices read at once.'),
  idleSeconds: seconds(1, 600)
    .default(30)
    .describe('A device that says nothing for this long has failed.'),
  totalSeconds: seconds(5, 7200).default(300).describe('A device is given this long altogether.'),
  shrinkPercent: whole(1, 100)
    .default(50)
    .describe(
      'A configuration that lost more than this is suspiciously small: a failure, until it is read the same by request.',
    ),
  upload: text(
    /^(gs:\/\/[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](\/[^\s]*)?|\/\S*)$/,
    'gs://bucket/folder or the absolute path of a directory',
    'gs://my-backups/rack4',
  )
    .exactOptional()
    .describe(
      'Place for off-site copies: a bucket of Google Cloud Storage, or a mounted directory.',
    ),
  uploadKey: secret
    .exactOptional()
    .describe(
      'Key file of a service account that may write to the bucket; by default, tokens of the metadata server for the jumphost.',
    ),
  encrypt: z
    .union([z.array(recipient).min(1), z.literal('none')])
    .exactOptional()
    .describe(
      'Age recipients that everything leaving the rack is encrypted for. `none` sends it in the clear. Must be said where `upload` or `git.remote` is.',
    ),
  retention: section({
    days: whole(1, 36_500).default(365).describe('Uploaded copies older than this are removed …'),
    versions: whole(1, 100_000).default(30).describe('… but never the newest N of a device.'),
  }).describe('Retention of uploads. The history in git is kept for ever.'),
  git: section({
    remote: text(
      /^(ssh:\/\/|https:\/\/|file:\/\/|\/|[\w.-]+@[\w.-]+:)\S+$/,
      'a git remote',
      'git@git.example.com:racks/rack4.git',
    )
      .exactOptional()
      .describe('Remote that each commit is also pushed to.'),
    branch: text(/^[\w][\w./-]*$/, 'a branch', 'main')
      .default('main')
      .describe('The branch that is pushed.'),
    privateKey: secret.exactOptional().describe('The ssh key for it.'),
    hostKey: text(/^SHA256:[A-Za-z0-9+/]{43}$/, 'a host key', `SHA256:${'A'.repeat(43)}`)
      .exactOptional()
      .describe(
        'Fingerprint of the host key of the remote, pinned; without it, that of the first connection.',
      ),
  }).describe('A second place for the history.'),
  webhook: object({
    url: httpUrl.describe('Gets a POST with JSON.'),
    token: secret.exactOptional().describe('Sent as a bearer token.'),
    on: z
      .array(z.enum(['run', 'change', 'failure']))
      .min(1)
      .default(['change', 'failure'])
      .describe(
        'The summary of each run, a changed device (with the masked difference), a device that failed.',
      ),
  })
    .exactOptional()
    .describe('HTTP endpoint that receives reports.'),
  powerToken: secret
    .exactOptional()
    .describe(
      'Token to ask the power-cycle daemon with whether a device is wanted there first; it needs none where `access.anonymousRead` lets the jumphost look.',
    ),
  notices: section({
    syslogPort: portNumber
      .exactOptional()
      .describe(
        'Listen for syslog on this UDP port; a message about a changed configuration starts a backup of its sender.',
      ),
    trapPort: portNumber.exactOptional().describe('The same for SNMP traps.'),
    settleSeconds: whole(1, 3600)
      .default(60)
      .describe('Wait until a device has said nothing more for this long.'),
  }).describe('Devices that tell when they changed. Off by default.'),
  jumphost: section({
    backup: z
      .boolean()
      .default(true)
      .describe('Whether the jumphost is backed up as well: state of the services, k3s.'),
    paths: z
      .array(z.string().min(1))
      .default([
        '/var/lib/skolo',
        '/var/lib/rancher/k3s/server/db',
        '/var/lib/rancher/k3s/server/token',
      ])
      .describe('Files and folders; those that cannot be read are named and left out.'),
  }).describe('The jumphost itself, as one encrypted archive.'),
});
export type RouterBackupSettings = z.output<typeof routerBackup>;
