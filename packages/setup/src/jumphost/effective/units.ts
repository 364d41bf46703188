/**
 * Checks units as systemd runs them: loaded, with their conditions met, and responding. A drop-in, mask or link of others is a file, so
 * changes.ts finds it.
 */
import { script } from '@skolo/base';

export interface EffectiveUnit {
  /** A name, or a pattern of systemctl. */
  unit: string;
  /** It starts with the computer and is active now. */
  isAlwaysOn?: true;
  /** A process of the unit uses this port, and responds at this address: `udp 123 127.0.0.1`. */
  port?: `${'tcp' | 'udp'} ${number} ${string}`;
}

/** Paths of links that start them. */
export const unitsThatMatter =
  /\/(skolo-|k3s|ssh|chrony|systemd-(journald|networkd|timesyncd)|networking|nftables|apt-daily)[^/]*$/;

const functions = script(new URL('./units.sh', import.meta.url));

function namesOf(unit: string): string {
  return unit.includes('*')
    ? `$(systemctl list-unit-files --plain --no-legend '${unit}' | cut -d ' ' -f 1)`
    : unit;
}

/** A script that prints a line for each unit that `hangs`, or `differs`: systemd does not run it as specified in its file. */
export function unitsWhich(question: 'hangs' | 'differs', units: readonly EffectiveUnit[]): string {
  const lines = units.map(({ unit, isAlwaysOn, port }) => {
    const how = `${isAlwaysOn ? 'on' : 'off'}${port ? ` --${port}` : ''}`;
    return `for each in ${namesOf(unit)}; do ${question} "$each" ${how}; done`;
  });
  return `${functions}\n${lines.join('\n')}`;
}

/**
 * A script that makes systemd run these units as specified in their files. A unit that does not start may require a file that the step
 * writes next, so the script continues; the check after the step reports each unit that still does not run.
 */
export function repairUnits(units: readonly EffectiveUnit[]): string {
  const names = units.map(({ unit }) => namesOf(unit)).join(' ');
  const on = units.flatMap(({ unit, isAlwaysOn }) => (isAlwaysOn ? [unit] : []));
  return `for each in '' --runtime; do systemctl unmask --quiet $each ${names} 2>/dev/null; done
systemctl daemon-reload
for each in ${on.join(' ')}; do
  if systemctl cat "$each" > /dev/null 2>&1; then systemctl enable --quiet "$each"; systemctl reset-failed "$each" 2>/dev/null; systemctl start "$each" || true; fi
done`;
}
