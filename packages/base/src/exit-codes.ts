/** Exit codes of all programs. */
export const exitCodes = {
  done: 0,
  /** Or a check found differences. */
  failed: 1,
  /** Nothing was done. */
  wrongCommandLine: 2,
  /** Some of it was done, or not everything could be checked. Only the `skolo` command. */
  partlyFailed: 3,
  /** rack.yaml, or a file that it refers to, is invalid: EX_CONFIG in sysexits.h. */
  badConfiguration: 78,
  /** Ctrl-C: 128 plus the signal number. */
  interrupted: 130,
} as const;
