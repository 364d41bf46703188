/**
 * Decides how long the daemon waits for a hanging switch or PDU: the timeout of a whole operation; that of a command is in
 * the transport, such as ssh/exec.ts and cli/cli.ts. Pure.
 */

/** The usual timeout in seconds, if neither rack.yaml nor the model has another. */
const usual = 30;
/** Redfish reads the system, reads the allowed actions, and sends one. */
const mostSteps = 3;

/**
 * Milliseconds for one operation, with a slow sign-in, until the answer. A busy device is retried within this time.
 *
 * @param facts of ControllerFacts
 */
export function timeLimitOf(facts: { signInSeconds?: number; stepSeconds?: number }): number {
  const { signInSeconds = 0, stepSeconds = 0 } = facts;
  return (Math.max(usual, mostSteps * stepSeconds) + signInSeconds) * 1000;
}
