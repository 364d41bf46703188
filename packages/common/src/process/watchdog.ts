/**
 * Ends a process whose main thread is stuck in one call, such as the parsing of a message that a device made for this purpose. Meanwhile,
 * no outlet is turned on, and no signal or probe is answered. The supervisor starts the process again, and its crash notes name the device.
 *
 * A thread compares beats of the main thread with the CPU time that the main thread has used, and not with a clock, because virtual
 * machines are paused and cgroups are throttled. The first process of a container cannot send SIGKILL to itself (pid_namespaces(7)), so
 * images start these services by tini.
 */
import { Worker } from 'node:worker_threads';
import { errorText } from '@skolo/base';
import type { EventLog } from './log.ts';

/** Call it in the main thread. */
export function startWatchdog(log: EventLog, limitMs = 10_000): void {
  const off = (why: unknown) => log.warn({ why }, 'watchdog off: no restart if the service hangs');
  if (process.pid === 1) off('process 1 cannot end itself; start it by an init such as tini');
  const [beats, everyMs] = [new Int32Array(new SharedArrayBuffer(4)), limitMs / 10];
  setInterval(() => Atomics.add(beats, 0, 1), everyMs).unref();
  const options = { workerData: { beats, everyMs, limitMs }, execArgv: [], env: {} };
  // As text, so that a bundle needs no other file.
  const worker = new Worker(`(${watch})()`, { eval: true, ...options });
  worker.on('error', (error) => off(errorText(error))).unref();
}

/** The program of the thread. It uses nothing else of this module. */
function watch(): void {
  const { readFileSync, write } = process.getBuiltinModule('node:fs');
  const { beats, everyMs, limitMs } = process.getBuiltinModule('node:worker_threads').workerData;
  let [lastBeat, beganMs] = [-1, 0];
  setInterval(() => {
    // proc_pid_stat(5): fields 14 and 15, in hundredths of a second. The second field is a name in parentheses.
    const stat = readFileSync(`/proc/self/task/${process.pid}/stat`, 'latin1');
    const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12);
    const usedMs = (Number(user) + Number(system)) * 10;
    const [beat] = beats;
    if (beat !== lastBeat) [lastBeat, beganMs] = [beat, usedMs];
    else if (usedMs - beganMs >= limitMs) {
      const msg = `main thread stuck for ${usedMs - beganMs} ms of CPU time: sending SIGKILL`;
      const kill = () => process.kill(process.pid, 'SIGKILL');
      write(2, `${JSON.stringify({ level: 'fatal', msg })}\n`, kill);
      // Nobody may read it.
      setTimeout(kill, 1000);
    }
  }, everyMs);
}
