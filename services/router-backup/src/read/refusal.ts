/**
 * Recognises error texts in the place of a configuration, for every model. One that is stored as a version hides the last good
 * one.
 *
 * Sources: the command references of Cisco IOS, NX-OS, EdgeSwitch, Junos, RouterOS; what Oxidized stored as success.
 */

/** Lines. A configuration is longer, and may contain any of these texts. */
const longest = 10;

const refusals: readonly RegExp[] = [
  /^%\s*(?:Error|Invalid|Incomplete|Unknown|Ambiguous|Unrecognized|Bad|Authorization|Permission|Access)/i,
  /^Command authorization failed/i,
  /^(?:Authorization|Authentication|Permission|Access) (?:failed|denied)/i,
  /^Invalid (?:command|input|syntax)/i,
  /^(?:error: )?unknown command/i,
  /^syntax error/i,
  /^bad command name/i,
  /^Line has invalid autocommand/i,
  /^Could not open config/i,
  /^Configuration system locked/i,
  /^This (?:system|account) (?:is|has) (?:been )?(?:locked|expired)/i,
  /^-?\w*sh: .*(?:not found|No such file|Permission denied)/i,
  /^(?:cat|tar|ls|sudo): /,
  /: (?:command )?not found$/,
];

/** The first line that is an error text; undefined: there is none. */
export function refusalIn(text: string): string | undefined {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length > longest) return undefined;
  return lines.find((line) => refusals.some((refusal) => refusal.test(line)))?.slice(0, 200);
}
