import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeInSyslog, syslogText } from './syslog.ts';

describe('what changed', () => {
  it.each([
    [
      'SYS-CONFIG',
      '<189>45: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: Configured from console by ann on vty0 (10.0.0.5)',
    ],
    ['SYS-CONFIG', '<189>45: %SYS-SW2-5-CONFIG_I: Configured from console by vty0'],
    [
      'SYS-CONFIG',
      '<189>May  9 12:00:00 leaf1 ConfigAgent: %SYS-5-CONFIG_I: Configured from console by ann on vty1',
    ],
    [
      'VSHD_SYSLOG_CONFIG_I',
      '<189>: 2026 Nov 20 19:20:57 UTC: %VSHD-5-VSHD_SYSLOG_CONFIG_I: Configured from vty by ann on 10.0.0.5@pts/0',
    ],
    [
      'CFGLOG_LOGGEDCMD',
      '<189>46: %PARSER-5-CFGLOG_LOGGEDCMD: User:ann  logged command:interface Gi0/1',
    ],
    [
      'UI_COMMIT',
      "<189>Nov 20 11:36:15 router mgd[3606]: UI_COMMIT: User 'ann' requested 'commit' operation (comment: none)",
    ],
    [
      'UI_COMMIT',
      '<189>1 2026-11-20T10:36:15.000Z router mgd 3606 UI_COMMIT_COMPLETED [junos@2636.1.1.1.2.18 message="x"] commit complete',
    ],
    [
      'startup-config has changed',
      "<189> Oct 21 09:10:20 10.201.1.110-1 TRAPMGR[trapTask]: traputil.c(721) 29331 %% NOTE 'startup-config' has changed.",
    ],
    [
      'commit',
      '<45>Nov 20 09:10:20 edge commit: Successful change to active configuration by user ann on /dev/pts/0',
    ],
    ['RouterOS change', 'system,info mangle rule changed by ann'],
    ['RouterOS change', '<30>Nov 20 09:10:20 MikroTik system,info item added by ann'],
    [
      'Running Config Change',
      "<14> Nov 20 09:10:20 10.0.0.2 CFG: Notice-Type='Running Config Change' Event-ID='7' Config-Method='CLI' User-Name='ann'",
    ],
    [
      'vty config',
      '<30>Nov 20 09:10:20 r1 staticd[8]: [M7Q4P-46WDR] vty[8]@(config)# ip route 10.9.0.0/16 Null0',
    ],
    [
      'APC Configuration change',
      '<14>Nov 20 09:10:20 pdu-1 System: Configuration change. System baud rate.',
    ],
  ])('%s: %s', (name, message) => {
    expect(changeInSyslog(Buffer.from(message))).toBe(name);
  });

  it.each([
    '<189>47: %LINEPROTO-5-UPDOWN: Line protocol on Interface Gi0/1, changed state to up',
    '<190>Nov 20 11:36:15 router mgd[3606]: UI_CMDLINE_READ_LINE: show configuration',
    '<190>Nov 20 11:36:15 router mgd[3606]: UI_COMMIT_PROGRESS: Commit operation in progress',
    '<189> Oct 21 09:10:54 10.0.0.2-1 CMDLOGGER[emWeb]: cmd_logger_api.c(83) 29333 %% NOTE CLI:10.1.3.211:ann:User  logged in',
    'system,info,account user ann logged in from 10.1.101.212 via ssh',
    'dhcp,info lan assigned 10.0.0.9; changed by nobody',
    '<30>Nov 20 09:10:20 r1 staticd[8]: [M7Q4P-46WDR] vty[8]@# show running-config',
    '<30>Nov 20 09:10:20 r1 staticd[8]: [M7Q4P-46WDR] vty[8]@(config)# end',
    '',
  ])('nothing: %s', (message) => {
    expect(changeInSyslog(Buffer.from(message))).toBeUndefined();
  });
});

describe('the header', () => {
  it.each([
    ['<34>Oct 11 22:14:15 mymachine su: failed', 'su: failed'],
    ['<34>Oct  1 22:14:15 su: failed', 'su: failed'],
    ['<189>*Mar  1 18:46:11.123 UTC: %SYS-5-X: y', '%SYS-5-X: y'],
    ['<165>1 2003-10-11T22:14:15.003Z host app - ID47 - text', 'app - ID47 - text'],
    ['<165>1 - - app - - - text', 'app - - - text'],
    ['<1>', ''],
    ['no header at all\n', 'no header at all'],
    ['su: failed\0', 'su: failed'],
  ])('%j', (message, text) => {
    expect(syslogText(Buffer.from(message))).toBe(text);
  });

  it('takes whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        expect(changeInSyslog(Buffer.from(bytes))).toBeUndefined();
      }),
      runs(1000),
    );
  });

  it.each(['system,info ', 'a ', '<1>', '- ', "'startup-config' ", 'vty[1]@(config', '%SYS-SW1'])(
    'does not hold anybody up by %j again and again',
    (part) => {
      const datagram = Buffer.from(part.repeat(65_000 / part.length));

      // For hours, if some pattern went back and forth in it.
      for (let index = 0; index < 1000; index += 1) changeInSyslog(datagram);
    },
  );
});
