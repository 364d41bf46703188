/** Ends a process and whatever it started; each service is the first of a process group of its own. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  signalIfThere(-pid, signal);
}

/** Whether there was such a process. */
export function signalIfThere(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}
