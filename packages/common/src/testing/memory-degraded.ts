import type { DegradedCode } from '@skolo/api/probes';

/** Where a test sees what is degraded: reasons by name, and the codes that were raised with them. */
export function memoryDegraded() {
  const raised = new Map<string, string>();
  const codes = new Map<string, DegradedCode | undefined>();
  return {
    raised,
    codes,
    raise(what: string, why: string, code?: DegradedCode) {
      raised.set(what, why);
      codes.set(what, code);
    },
    clear(what: string) {
      raised.delete(what);
    },
  };
}
