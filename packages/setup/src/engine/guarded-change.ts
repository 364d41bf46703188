/**
 * Decides when a change that may lock everybody out (firewall, sshd, address) is undone: automatically, unless a new SSH session is
 * opened in time and confirms it.
 *
 * Everything required for the rollback is on its disk before anything is changed. A systemd timer rolls back, and
 * after a power cut, the next boot does so before the network is up.
 */
import { closing, errorText, pause, script, shellWord, withArguments } from '@skolo/base';
import { ComputerError } from './errors.ts';
import { linesOf } from './files.ts';
import type { FileContent, Host } from './host/host.ts';
import { mustBeOnlyRoots, onlyRootProgram } from './only-root.ts';

interface GuardedChange {
  /** Of the step, for messages. */
  name: string;
  files: readonly FileContent[];
  /** A script that makes programs load the files, or drop removed ones. It runs independently of our connection. */
  activate: string;
  trial?: Trial;
}

/** A second SSH server, which reads the new files before the running one does. */
export interface Trial {
  /** A command for the shell of the user who signs in, which serves SSH on its standard streams. */
  server: string;
  /** A script that prints the settings that may lock users out. */
  suspects: string;
  /** A script that prints the files, a line each, that the running server has not loaded. A rollback would load them. */
  unloaded: string;
  /** A script that makes the server ignore the file `$each`. */
  setAside: string;
}

export interface Guard {
  /** After this time, the computer rolls back automatically. */
  returnSeconds: number;
  /**
   * A new connection, independent of the existing one.
   *
   * @param server a test server to connect to, through the existing connection
   * @throws It cannot be opened.
   */
  newSession(signal: AbortSignal, server?: string): Promise<Host & { close(): Promise<void> }>;
  signal: AbortSignal;
}

const goBack = script(new URL('./go-back.sh', import.meta.url));
const copyAndStart = script(new URL('./arm.sh', import.meta.url));
const folder = '/var/lib/skolo-steps';
/** The rollback, while it is possible. Whoever renames it decides. */
const pending = `${folder}/pending`;
const returning = `${folder}/returning`;
/** Until the workstation knows the outcome, because the response to a confirmation may be lost with its connection. */
const confirmed = `${folder}/confirmed`;
const timer = 'skolo-return';
const activation = 'skolo-change';
const bootUnit = '/etc/systemd/system/skolo-return-at-start.service';
/** Names of files, a line each. */
const setAside = `${folder}/set-aside`;
/** Before programs have loaded the restored files. */
const filesOnly = 'files-only';
/** Part of the time reserved for the timer itself and a slow response to the confirmation. */
const marginSeconds = 3;
const attemptMs = 15_000;
/** Time limit of the first new session. Each attempt has twice the time of the last one, so that a slow computer is not lost. */
const firstSessionMs = 15_000;
/** Part of the time until the rollback, for a test session. Whoever gives a slow computer more time gives it to both. */
const testShare = 1 / 6;

/**
 * Makes the change, and confirms it through a new session.
 *
 * @throws ComputerError No session could be opened, and the computer has its previous settings.
 */
export async function changeGuarded(host: Host, change: GuardedChange, guard: Guard) {
  await arm(host, change, guard.returnSeconds);
  const until = performance.now() + (guard.returnSeconds - marginSeconds) * 1000;
  try {
    for (const file of change.files) await host.write(file);
  } catch (error) {
    // If the connection dropped, the timer rolls back.
    await host
      .run(`${onlyRootProgram.path} ${pending}/go-back ${filesOnly}`)
      .catch(() => undefined);
    throw error;
  }
  const rejection = change.trial && (await whyNoSession(guard, change.trial.server));
  if (change.trial !== undefined && rejection !== undefined) {
    const { suspects } = change.trial;
    await host.need(`${onlyRootProgram.path} ${pending}/go-back ${filesOnly}`);
    const { stdout } = await host.run(suspects);
    throw new ComputerError(
      `${host.name}: a test sshd with the new configuration rejected your sign-in (${rejection}), so the change was undone. Other sshd files may lock you out when sshd next starts; fix ${linesOf(stdout).join(', ') || 'the files in /etc/ssh'} and run the command again`,
    );
  }
  const problem = await activate(host, change, guard.signal);
  if (problem !== undefined) {
    await host.need(`${onlyRootProgram.path} ${pending}/go-back`);
    throw new ComputerError(`${host.name}: ${problem}; ${await outcome(host, guard)}`);
  }
  const why = await confirm(guard, until);
  if (why === undefined || (await isKept(host, guard))) return;
  throw new ComputerError(
    `${host.name}: the change could not be confirmed through a new SSH session (${why}), and was rolled back after ${guard.returnSeconds} s; ${await outcome(host, guard)}`,
  );
}

/** After the rollback. The previous files are restored, but programs may have loaded some of them for the first time. */
async function outcome(host: Host, guard: Guard): Promise<string> {
  const why = await whyNoSession(guard);
  const names = linesOf((await host.read(setAside).catch(() => undefined)) ?? '');
  const others =
    names.length > 0 ? `; ${names.join(', ')} was not loaded before, and is set aside` : '';
  return why === undefined
    ? `the previous settings are in effect again, and new SSH sessions can be opened${others}`
    : `the previous files are restored, but new SSH sessions still fail (${why}); fix this at a local or serial console, or in a session that is still open`;
}

/** Undefined if one can be opened. */
export async function whyNoSession(
  { newSession, returnSeconds, signal }: Guard,
  server?: string,
): Promise<string | undefined> {
  const limitMs = Math.max(firstSessionMs, returnSeconds * 1000 * testShare);
  try {
    const open = (stop: AbortSignal) => newSession(stop, server);
    await (await openWithin(limitMs, open, signal)).close();
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return errorText(error);
  }
}

/** Copies the current files, and starts the timer. */
async function arm(host: Host, { name, files, activate, trial }: GuardedChange, seconds: number) {
  const paths = files.map(({ path }) => path);
  const back = `#!/bin/sh
scope=\${1-}
set_aside() {
${trial?.setAside ?? ':'}
}
activate() {
${activate}
}
${withArguments(goBack, folder, timer, name, ...paths)}`;
  const unit = `[Unit]
Description=skolo: roll back a change that was not confirmed before the computer stopped
ConditionPathExistsGlob=${folder}/*ing/go-back
DefaultDependencies=no
RequiresMountsFor=${folder} /etc
After=local-fs.target
Before=network-pre.target sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'for each in ${folder}/*ing/go-back; do exec ${onlyRootProgram.path} "$each" ${filesOnly}; done'
[Install]
WantedBy=sysinit.target
`;
  // An unconfirmed change of a killed run is undone now instead of during the next change.
  await host.write(onlyRootProgram);
  await host.need(`${mustBeOnlyRoots(`${onlyRootProgram.path} ${folder}/draft`)}
for each in ${pending} ${returning}; do [ ! -e "$each" ] || ${onlyRootProgram.path} "$each/go-back"; done`);
  await host.write({ path: bootUnit, content: unit });
  await host.need(
    `systemctl daemon-reload && systemctl enable --quiet ${bootUnit.split('/').at(-1)}`,
  );
  const unloaded = `unloaded() {\n${trial?.unloaded ?? ':'}\n}\n`;
  const { path: onlyRoot } = onlyRootProgram;
  const save = withArguments(copyAndStart, folder, timer, seconds, onlyRoot, ...paths);
  await host.need(`${unloaded}${save}`, { input: back });
}

/** Independently of our connection, which it may cut. @returns its errors; undefined if it succeeded or the result is unknown */
async function activate(
  host: Host,
  { activate: script }: GuardedChange,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    // Its start waits for it to finish; `--wait` requires D-Bus. Without a description, systemd would read the lines of the script as lines
    // of the unit.
    const apart = `(\n${script}\n) > ${folder}/said 2>&1`;
    const { code, stdout } = await host.run(
      `systemctl reset-failed ${activation}.service 2>/dev/null
systemd-run --quiet --unit=${activation} --description='A change by skolo' --property=Type=oneshot sh -c ${shellWord(apart)} 2>/dev/null && exit
head -n 2 ${folder}/said; exit 1`,
      { deadlineMs: attemptMs },
    );
    return code === 0
      ? undefined
      : linesOf(stdout).join('; ') || `activating the change failed (${code})`;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ComputerError && error.code === 'LOST') return undefined;
    throw error;
  }
}

/** Undefined if it is confirmed; otherwise the reason. */
async function confirm({ newSession, signal }: Guard, until: number): Promise<string | undefined> {
  let why = 'the time limit was reached';
  for (let sessionMs = firstSessionMs; ; sessionMs *= 2) {
    const leftMs = until - performance.now();
    if (leftMs <= 0) return why;
    try {
      const patienceMs = Math.min(leftMs, sessionMs);
      await using session = closing(await openWithin(patienceMs, newSession, signal));
      const { code } = await session.run(
        // The timer is gone if an earlier session has confirmed the change, and its response was lost.
        `mv ${pending} ${confirmed} 2>/dev/null || [ -e ${confirmed} ] || exit 1
sync ${folder}; systemctl stop ${timer}.timer 2>/dev/null || true`,
        { deadlineMs: Math.max(1, until - performance.now()) },
      );
      if (code === 0) {
        await session.run(`rm -rf ${confirmed}`).catch(() => undefined);
        return undefined;
      }
      why = 'the confirmation came too late';
    } catch (error) {
      signal.throwIfAborted();
      why = errorText(error);
    }
    await pause(Math.max(0, Math.min(500, until - performance.now())), signal);
  }
}

/** The deadline applies only to opening the session; commands in it have their own. */
async function openWithin(ms: number, newSession: Guard['newSession'], signal: AbortSignal) {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new Error(`no SSH session within ${Math.ceil(ms / 1000)} s`)),
    ms,
  );
  try {
    return await newSession(AbortSignal.any([signal, late.signal]));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits until the previous connection, or its replacement, finds that nothing is pending. True: a session has
 * confirmed the change, but its response was lost. False: it was undone.
 */
async function isKept(host: Host, { returnSeconds, signal }: Guard): Promise<boolean> {
  const until = performance.now() + (returnSeconds + 60) * 1000;
  for (;;) {
    try {
      const { code, stdout } = await host.run(
        `[ ! -e ${pending} ] && [ ! -e ${returning} ] || exit 1; ls -d ${confirmed} 2>/dev/null || true`,
        { deadlineMs: attemptMs },
      );
      if (code === 0) return stdout !== '';
    } catch (error) {
      signal.throwIfAborted();
      if (performance.now() > until) throw error;
    }
    if (performance.now() > until) {
      throw new ComputerError(
        `${host.name}: cannot confirm that the automatic rollback succeeded; run \`sh ${pending}/go-back\` at a local or serial console`,
        { code: 'LOST' },
      );
    }
    await pause(500, signal);
  }
}

/** A script that prints a line if a change is waiting for its confirmation. */
export const unconfirmed = `if [ -e ${pending} ] || [ -e ${returning} ]; then echo 'a change is not confirmed yet'; fi`;
