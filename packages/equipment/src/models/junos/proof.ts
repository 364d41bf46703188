/** What its tests are made with. */
import { startJunos } from '@skolo/simulators';
import { edited } from '../testing/backed-up.ts';
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  start: startJunos,
  reported: { firmware: '21.4R3-S5.4' },
  hosts: {
    ports: ['ge-0/0/1', 'ge-0/0/12', 'xe-0/1/0', 'ge-0/0/2'],
    knows: ['arp'],
    older: (options) => startJunos({ ...options, hasEls: false }),
  },
  backup: {
    change: edited,
    changedBy: /^2026-11-19 09:12:33 UTC by admin$/,
    identity: { serial: 'JW3619430123', hostname: 'ex-1' },
    inChannels: true,
    incomplete: [
      ['', 'does not start'],
      ['error: could not open configuration database\n', 'does not start'],
      ['## Last commit: x\nversion 1;\nsystem {\n    a;\n', 'unclosed brace'],
      ['## Last commit: x\nversion 1;\nsystem {\n}\nvla', 'is incomplete'],
      ['## Last commit: x\nversion 1;\n}\n', 'do not match'],
      ['## Last commit: x\n', 'version'],
    ],
    masks: {
      secret: /s3cret/gi,
      least: 21,
      kept: ['ssh-ed25519 AAAAC3', 'authentication-type md5;', 'authorization read-only;'],
    },
  },
  testedWith: {
    backups:
      "a simulator that RANCID and netmiko verified, and sessions that Oxidized's users recorded with real equipment, where available",
    restores: "a replayed session, written after the vendor's manuals",
    'connected hosts': 'recordings',
  },
  recorded: ['MAC tables', 'configuration'],
};
