import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * Runs a program with this one's terminal and answers its exit code, as a shell does: 128 and more when a signal
 * ended it.
 *
 * It gets a process group of its own. So Ctrl-C, which reaches npm and us and is passed on by npm once more,
 * reaches it exactly once; another one, `patienceMs` later, ends it the hard way; and whatever it leaves behind is
 * ended with it. It has no stdin: the terminal is not its own.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, patienceMs?: number }} [options]
 * @returns {Promise<number>}
 */
export function runChild(program, args, { patienceMs = 1000, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...options,
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
    let firstSignalAt = 0;
    /** @param {NodeJS.Signals} signal */
    function passOn(signal) {
      if (firstSignalAt === 0) {
        firstSignalAt = Date.now();
        signalGroup(child.pid, signal, { leaderOnly: true });
      } else if (Date.now() - firstSignalAt >= patienceMs) {
        signalGroup(child.pid, 'SIGKILL');
      }
    }
    for (const signal of signals) process.on(signal, passOn);
    function done() {
      for (const signal of signals) process.off(signal, passOn);
    }
    child.once('error', (error) => {
      done();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      done();
      signalGroup(child.pid, 'SIGKILL');
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}

/**
 * @param {number | undefined} pid of the group's first process
 * @param {NodeJS.Signals} signal
 * @param {{ leaderOnly?: boolean }} [options]
 */
function signalGroup(pid, signal, { leaderOnly = false } = {}) {
  if (pid === undefined) return;
  try {
    process.kill(leaderOnly ? pid : -pid, signal);
  } catch (error) {
    // Nobody is left.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}
