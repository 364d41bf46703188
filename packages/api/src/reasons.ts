/**
 * Decides for which actions people must give a reason. The console and the `skolo` command both read this list, so that a person learns
 * one rule; the APIs require no less.
 */
export const reasonRequired = {
  cycle: true,
  on: true,
  off: true,
  hold: true,
  maintenance: true,
  quarantine: true,
  clear: true,
  repair: true,
  reboot: true,
  // They undo or stop something, and the console ends these with one click.
  release: false,
  cancel: false,
  end: false,
} as const;
export type ReasonedAction = keyof typeof reasonRequired;
