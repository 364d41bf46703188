/** Settings of the router backup. */

import { seconds, whole } from '@skolo/models';
import { z } from 'zod';
import { hours, object, secret, section, text, word } from '../fields.ts';
import { hostKey, portNumber } from '../network-fields.ts';
import { cron } from '../time-fields.ts';
import { anyService } from './any-service.ts';
import { httpRequest } from './http-request.ts';

const recipient = text(
  /^age1[02-9ac-hj-np-z]{58}$/,
  'an age recipient as printed by age-keygen',
  'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p',
);

export const routerBackup = section({
  ...anyService,
  schedule: cron
    .default('15 3 * * *')
    .describe("Cron schedule for all devices, in the rack's time zone."),
  jitterSeconds: whole(0, 86_400)
    .default(600)
    .describe('Period over which backups are distributed, with a fixed offset for each device.'),
  overdueHours: hours(8760)
    .default(26)
    .describe('How long a device can go without a verified backup before an alert fires.'),
  concurrency: whole(1, 200)
    .default(10)
    .describe('Maximum number of devices to back up concurrently.'),
  idleSeconds: seconds(1, 600)
    .default(30)
    .describe('Time without data from the device after which a backup fails.'),
  totalSeconds: seconds(5, 7200).default(300).describe('Time limit for one backup.'),
  shrinkPercent: whole(1, 100)
    .default(50)
    .describe(
      'Percentage by which a configuration may shrink. If it shrinks by more, backups fail until one that an operator requests reads the same configuration again.',
    ),
  upload: text(
    /^(gs:\/\/[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](\/[^\s]*)?|\/\S*)$/,
    'gs://bucket/folder or the absolute path of a directory',
    'gs://my-backups/rack4',
  )
    .exactOptional()
    .describe(
      'Location of off-site copies: a Google Cloud Storage bucket, or a mounted directory.',
    ),
  uploadKey: secret
    .exactOptional()
    .describe(
      'Key file for a service account with write access to the bucket; default: tokens for the jumphost from the metadata server.',
    ),
  encrypt: z
    .union([z.array(recipient).min(1), z.literal('none')])
    .exactOptional()
    .describe(
      'age recipients to which everything that leaves the rack is encrypted; `none` sends plain text. Required with `upload` or `git.remote`.',
    ),
  retention: section({
    days: whole(1, 36_500)
      .default(365)
      .describe('Age at which uploaded copies other than the newest `versions` are deleted.'),
    versions: whole(1, 100_000)
      .default(30)
      .describe('Number of latest copies that are always kept for each device.'),
  }).describe('Retention of uploads. The git history is never pruned.'),
  git: section({
    remote: text(
      /^(ssh:\/\/|https:\/\/|file:\/\/|\/|[\w.-]+@[\w.-]+:)\S+$/,
      'a git remote',
      'git@git.example.com:racks/rack4.git',
    )
      .exactOptional()
      .describe('Remote to which each commit is pushed.'),
    branch: text(/^[\w][\w./-]*$/, 'a branch', 'main')
      .default('main')
      .describe('Branch to which commits are pushed.'),
    privateKey: secret.exactOptional().describe('SSH key for the remote.'),
    hostKey: hostKey
      .exactOptional()
      .describe("Fingerprint of the remote's host key; default: pinned on the first connection."),
  }).describe('Remote git repository for the history.'),
  webhook: object({
    ...httpRequest,
    on: z
      .array(z.enum(['run', 'change', 'failure']))
      .min(1)
      .default(['change', 'failure'])
      .describe(
        'Events to report: `run` (summary of each run), `change` (changed device, with masked differences), `failure` (device whose backup failed).',
      ),
  })
    .exactOptional()
    .describe('HTTP endpoint that receives reports.'),
  powerToken: secret
    .exactOptional()
    .describe(
      'Token for the power-cycle daemon, used to give its operations on a device priority over backups. Not needed if `access.anonymousRead` includes the jumphost.',
    ),
  notices: section({
    syslogPort: portNumber
      .exactOptional()
      .describe(
        'UDP port for syslog messages. A message that reports a changed configuration starts a backup of its sender.',
      ),
    trapPort: portNumber
      .exactOptional()
      .describe('UDP port for SNMP traps, which also start a backup of the sender.'),
    settleSeconds: whole(1, 3600)
      .default(60)
      .describe('Pause between the last notice and the start of the backup.'),
  }).describe('Change notices that devices send. Off by default.'),
  jumphost: section({
    backup: z
      .boolean()
      .default(true)
      .describe("Whether to back up the state of the jumphost's services and k3s."),
    paths: z
      .array(word)
      .default([
        '/var/lib/skolo',
        '/var/lib/rancher/k3s/server/db',
        '/var/lib/rancher/k3s/server/token',
        '/var/lib/rancher/k3s/server/tls',
        '/var/lib/rancher/k3s/server/cred',
        '/etc/rancher',
        '/etc/ssh',
      ])
      .describe('Files and directories to back up; unreadable ones are reported and skipped.'),
  }).describe('Backup of the jumphost, as one encrypted archive.'),
});
