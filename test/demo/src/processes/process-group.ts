/** Ends a process and everything that it started; each service leads its own process group. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  signalIfThere(-pid, signal);
}

/** Whether such a process existed. */
export function signalIfThere(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}
