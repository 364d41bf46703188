/**
 * Recognises syslog messages that mean "the configuration changed", with any header (RFC 3164, RFC 5424, or neither).
 *
 * Their content is not passed on: some quote the typed command, with passwords.
 */

interface Pattern {
  name: string;
  pattern: RegExp;
}

const patterns: readonly Pattern[] = [
  // Cisco IOS, Arista EOS: `%SYS-5-CONFIG_I: Configured from console by ann on vty0 (10.0.0.5)`; stacks say SYS-SW2-5.
  // (Cisco, System Message Guide; Oxidized, extra/syslog.rb, which takes the same three for IOS, EOS and NX-OS)
  { name: 'SYS-CONFIG', pattern: /%SYS-(?:SW\d+-)?\d-CONFIG\w*/ },
  // NX-OS: `%VSHD-5-VSHD_SYSLOG_CONFIG_I: Configured from vty by ann on 10.0.0.5@pts/0`.
  { name: 'VSHD_SYSLOG_CONFIG_I', pattern: /%VSHD-\d-VSHD_SYSLOG_CONFIG_I/ },
  // Cisco IOS with `archive log config … notify syslog`: each command (Cisco, Configuration Change Notification and Logging).
  { name: 'CFGLOG_LOGGEDCMD', pattern: /%PARSER-\d-CFGLOG_LOGGEDCMD/ },
  // Junos: `mgd[3606]: UI_COMMIT: User 'ann' requested 'commit' operation (comment: none)` (System Log Explorer).
  { name: 'UI_COMMIT', pattern: /\bUI_COMMIT(?:_COMPLETED|_EVENT)?\b/ },
  // Fastpath, EdgeSwitch: `TRAPMGR[trapTask]: traputil.c(721) 29331 %% NOTE 'startup-config' has changed.`
  // (recorded from a Dell N series by Splunk Connect for Syslog, tests for dell_switch_n; only when it is saved)
  { name: 'startup-config has changed', pattern: /'startup-config' has changed/ },
  // EdgeOS, VyOS: `commit: Successful change to active configuration by user ann on /dev/pts/0`
  // (Vyatta, the commit hook that logs; VyOS has it from there)
  { name: 'commit', pattern: /Successful change to active configuration by user/ },
  // RouterOS, topic system: `system,info mangle rule changed by ann` (MikroTik, Log, "Log messages").
  {
    name: 'RouterOS change',
    pattern:
      /^(?:\S+ ){0,3}system,info\S* .*\b(?:added|changed|removed|moved|enabled|disabled) by \S/,
  },
  // ProCurve, ArubaOS-Switch: `… Notice-Type='Running Config Change' …` (Oxidized, extra/syslog.rb).
  { name: 'Running Config Change', pattern: /Notice-Type='(?:Running|Startup)/ },
  // FRR with `log commands`: `vty[8]@(config-router)# neighbor …` (seen in FRR 8.4.4; leaving the mode changes nothing).
  { name: 'vty config', pattern: /\bvty\[\d+\]@\(config[^)]*\)# (?!(?:end|exit|quit|do)\b)\S/ },
  // APC: `System: Configuration change. …` (Network Management Card, event list).
  { name: 'APC Configuration change', pattern: /\bSystem: Configuration change\b/ },
];

/** The part of a datagram that is read; messages are rarely longer than 2048 (RFC 5424, section 6.1). */
const mostBytes = 4096;
const priority = /^<\d{1,3}>(?:1 )? */;
/** RFC 5424: time and host, followed by application, process, kind and structured data (or `-` for each of them). */
const header5424 = /^(?:\d{4}-\S+|-) \S+ (?=\S+ \S+ \S+ (?:-|\[))/;
/** RFC 3164, optionally with a year, fractions or a zone, and with or without a host. */
const header3164 =
  /^[*.]?[A-Z][a-z]{2} [ \d]\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d+)?(?: [A-Z]{3,5}:?)? (?:[\w.:-]+ (?=\S+:))?/;

/** The text without priority, time and host, as far as recognised. Never fails: without a header, all of it is text. */
export function syslogText(datagram: Buffer): string {
  const all = datagram.subarray(0, mostBytes).toString('utf8').replace(/\0+$/, '').trim();
  return all.replace(priority, '').replace(header5424, '').replace(header3164, '');
}

/** The message's name, if it reports a configuration change of its sender. */
export function changeInSyslog(datagram: Buffer): string | undefined {
  const text = syslogText(datagram);
  return patterns.find(({ pattern }) => pattern.test(text))?.name;
}
