/** What RouterOS calls a fault in `poe-out-status`: short-circuit, overload, voltage-too-low, current-too-low, controller_error. */
const faultWords = /short|overload|too[-_](?:low|high)|error/;

export function faultIn(status: string | undefined): { fault?: string } {
  return status !== undefined && faultWords.test(status) ? { fault: status } : {};
}
