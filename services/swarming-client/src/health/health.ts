/** Whether the machine may take tasks, and if not, why. */

/**
 * From the best to the worst. `recovering` and `maintenance` pass by themselves or were wanted, and nobody is woken:
 * Swarming hears them as `maintenance`. `quarantined` needs somebody.
 */
export const verdicts = ['ok', 'recovering', 'maintenance', 'quarantined'] as const;
export type Verdict = (typeof verdicts)[number];

export interface Reason {
  verdict: Exclude<Verdict, 'ok'>;
  /** The same for the same trouble, whatever its figures: `battery-low`, `missing`, `hot:battery`. */
  code: string;
  /** For people, with the figures of now. */
  text: string;
  since: Date;
  /** Name of the device on the machine; absent: it is the machine itself. */
  device?: string;
}

export interface Health {
  /** The worst of the reasons. */
  verdict: Verdict;
  since: Date;
  /** The worst first. */
  reasons: readonly Reason[];
}

/** One line for Swarming and for people: `phone: battery low: 12 %; held by ann: new cable`. Empty when all is well. */
export function healthText({ reasons }: Health): string {
  return reasons
    .map(({ device, text }) => (device === undefined ? text : `${device}: ${text}`))
    .join('; ');
}
