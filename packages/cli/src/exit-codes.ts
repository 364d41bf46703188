/** How `skolo` ends (design, section 3); the same as in packages/common, which is too heavy to load for five numbers. */
export const exitCodes = {
  done: 0,
  failed: 1,
  /** Nothing was tried. */
  wrongCommandLine: 2,
  /** Some of what was asked for was done. */
  partlyFailed: 3,
  /** rack.yaml, or a file that it names, is not as it has to be: EX_CONFIG of sysexits.h. */
  badConfiguration: 78,
  /** Ctrl-C, as shells write it: 128 and the number of the signal. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
