/**
 * Settings of the router backup, with defaults: schedule, when a backup is overdue, how many run at once, retention of copies, how much
 * a configuration may shrink, which files of the jumphost are archived.
 */

import { seconds, whole } from '@skolo/equipment/models';
import { z } from 'zod';
import { hours, object, secret, section, text, word } from '../fields.ts';
import { hostKey, portNumber } from '../network-fields.ts';
import { cron } from '../time-fields.ts';
import { anyService } from './any-service.ts';
import { httpRequest, withTemplate } from './http-request.ts';

const recipient = text(
  /^age1[02-9ac-hj-np-z]{58}$/,
  'an age recipient as printed by age-keygen',
  'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p',
);

export const routerBackup = section({
  ...anyService,
  schedule: cron
    .default('15 3 * * *')
    .describe("Cron schedule for backups, in the rack's time zone."),
  jitterSeconds: whole(0, 86_400)
    .default(600)
    .describe('Period over which scheduled backups are spread; each has a fixed offset within it.'),
  overdueHours: hours(8760)
    .default(26)
    .describe(
      'How long equipment can go without a verified backup before an alert fires, without pauses of the service.',
    ),
  concurrency: whole(1, 200).default(10).describe('Maximum number of concurrent backups.'),
  idleSeconds: seconds(1, 600)
    .default(30)
    .describe('Time without data after which a backup fails.'),
  totalSeconds: seconds(5, 7200).default(300).describe('Time limit for one backup.'),
  maxBytes: whole(2 ** 20, 2 ** 50)
    .default(2 ** 30)
    .describe(
      'Maximum number of bytes that the service writes to disk for one piece of equipment: in a backup, including repeated attempts and one file for each hard link, and for new versions in 24 hours.',
    ),
  shrinkPercent: whole(1, 100)
    .default(50)
    .describe(
      'Maximum percentage by which a configuration may shrink. If it shrinks by more, backups fail until an operator requests a backup that returns the same configuration.',
    ),
  upload: text(
    /^(gs:\/\/[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](\/[^\s]*)?|\/\S*)$/,
    'gs://bucket/folder or the absolute path of a directory',
    'gs://my-backups/rack4',
  )
    .exactOptional()
    .describe(
      'Location of off-site copies: a Google Cloud Storage bucket, or a mounted directory. The secret `secrets/backup-key` authenticates them.',
    ),
  uploadKey: secret
    .exactOptional()
    .describe(
      "Key file of a service account with write access to the bucket; default: the jumphost's tokens from the metadata server.",
    ),
  encrypt: z
    .union([z.array(recipient).min(1), z.literal('none')])
    .exactOptional()
    .describe(
      'age recipients for which off-site copies are encrypted, or `none` for plain text. Required if `upload` or `git.remote` is set.',
    ),
  retention: section({
    days: whole(1, 36_500)
      .default(365)
      .describe(
        "Age at which uploaded copies are deleted, except each configuration's most recent copies (see `versions`).",
      ),
    versions: whole(1, 100_000)
      .default(30)
      .describe("Number of each configuration's most recent copies that are always kept."),
  }).describe('Retention of uploaded copies. The git history is never pruned.'),
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
      .describe(
        "Remote's host key fingerprint; by default, skolo pins the key on the first connection.",
      ),
  }).describe('Remote git repository for the backup history.'),
  webhook: object({
    ...httpRequest,
    on: z
      .array(z.enum(['run', 'change', 'failure']))
      .min(1)
      .default(['change', 'failure'])
      .describe(
        'Events to report: `run` (a summary of each run), `change` (a changed configuration, with a masked diff), `failure` (a failed backup).',
      ),
  })
    .transform(withTemplate)
    .exactOptional()
    .describe('HTTP endpoint that receives backup reports.'),
  powerToken: secret
    .exactOptional()
    .describe(
      'Token for querying the power-cycle daemon, whose operations take priority over backups. Not needed if `access.anonymousRead` includes the jumphost.',
    ),
  notices: section({
    syslogPort: portNumber
      .exactOptional()
      .describe(
        'UDP port for syslog messages. A message that reports a configuration change starts a backup of its sender.',
      ),
    trapPort: portNumber
      .exactOptional()
      .describe('UDP port for SNMP traps, which also start a backup of the sender.'),
    settleSeconds: whole(1, 3600)
      .default(60)
      .describe('Time between the last notice and the start of the backup.'),
  }).describe('Notices that equipment sends when its configuration changes. Off by default.'),
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
