import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * Runs a program in this terminal and returns its exit code, as a shell does: 128 plus the signal number if a signal ended it.
 *
 * The program gets its own process group. Ctrl-C reaches npm and this process, and npm passes it on again, but the program receives it
 * exactly once. A second one, `patienceMs` later, kills the program. Processes that it leaves behind are killed too. The program is also
 * stopped if the npm that runs this process exits, because npm does not pass on every signal. It has no stdin, because it does not own the
 * terminal.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {object} [options]
 * @param {string} [options.cwd]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {'program' | 'group'} [options.passSignalsTo] only the program if it stops its own children
 * @param {number} [options.patienceMs]
 * @returns {Promise<{ exitCode: number, interrupted: boolean }>} interrupted: a signal was passed on
 */
export function runChild(program, args, options = {}) {
  const { passSignalsTo = 'program', patienceMs = 1000, ...spawnOptions } = options;
  return new Promise((resolve, reject) => {
    let firstSignalAt = 0;
    /** @param {NodeJS.Signals} signal */
    function passOn(signal) {
      if (pid === undefined) return;
      if (firstSignalAt === 0) {
        firstSignalAt = performance.now();
        kill(passSignalsTo === 'group' ? -pid : pid, signal);
      } else if (performance.now() - firstSignalAt >= patienceMs) {
        kill(-pid, 'SIGKILL');
      }
    }
    // First: a signal during the start would end this process alone.
    for (const signal of signals) process.on(signal, passOn);
    const stopPassing = () => {
      for (const signal of signals) process.off(signal, passOn);
    };
    const child = spawn(program, args, {
      ...spawnOptions,
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
    const { pid } = child;
    if (pid === undefined) {
      stopPassing();
      child.once('error', reject);
      return;
    }
    const ancestors = findAncestors();
    const watch = setInterval(() => {
      if (findAncestors() !== ancestors && firstSignalAt === 0) passOn('SIGTERM');
    }, 200);
    child.once('exit', (code, signal) => {
      clearInterval(watch);
      stopPassing();
      kill(-pid, 'SIGKILL');
      resolve({
        exitCode: code ?? 128 + (signal ? constants.signals[signal] : 0),
        interrupted: firstSignalAt !== 0,
      });
    });
  });
}

/** Our parent, a shell, and its parent, npm; both stay the same as long as they live. Without npm, the process that started us may exit. */
function findAncestors() {
  if (process.env.npm_lifecycle_event === undefined) return '';
  try {
    const status = readFileSync(`/proc/${process.ppid}/status`, 'utf8');
    return `${process.ppid} ${/^PPid:\t(\d+)/m.exec(status)?.[1]}`;
  } catch {
    // Not on Linux, or the parent is exiting.
    return String(process.ppid);
  }
}

/**
 * @param {number} pid negative for a group
 * @param {NodeJS.Signals} signal
 */
function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // Nobody is left.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}
