/** Exit codes of all programs. */
export const exitCodes = {
  done: 0,
  failed: 1,
  wrongCommandLine: 2,
  /** Only the `skolo` command. */
  partlyFailed: 3,
  /** EX_CONFIG of sysexits.h */
  badConfiguration: 78,
} as const;
