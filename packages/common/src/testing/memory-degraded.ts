/** Where a test sees what is degraded: reasons by name. */
export function memoryDegraded() {
  const raised = new Map<string, string>();
  return {
    raised,
    raise(what: string, why: string) {
      raised.set(what, why);
    },
    clear(what: string) {
      raised.delete(what);
    },
  };
}
