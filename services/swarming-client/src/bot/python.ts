/** The bot's interpreter: bot_init.py and the bot require Python 3.7 or newer. */
import { errorText } from '@skolo/base';
import { CommandFailed, type RunCommand } from '@skolo/base/run-command';

/** @param why from the system, or the last line that it printed; undefined: nothing */
export function whyNotPython(python: string, why: string | undefined): string {
  return why === undefined || !/ENOENT|is not installed/.test(why)
    ? `${python} cannot run the bot: ${why ?? 'it printed nothing'}; \`python\` in rack.yaml must be Python 3.7 or newer`
    : `${python} is not installed, but the bot requires Python 3.7 or newer; install it, or set \`python\` in rack.yaml`;
}

const question = 'import sys; print("python", sys.version_info >= (3, 7), sys.version.split()[0])';

/** Undefined: it can run the bot. */
export async function pythonProblem(python: string, run: RunCommand): Promise<string | undefined> {
  try {
    const answer = await run(python, ['-I', '-S', '-c', question], { timeoutMs: 30_000 });
    const [, isNew, version] = /^python (True|False) (\S+)/.exec(answer.stdout) ?? [];
    if (isNew === 'True') return undefined;
    const last = answer.stderr.trim().split('\n').at(-1) || undefined;
    return whyNotPython(python, version === undefined ? last : `it is Python ${version}`);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    return whyNotPython(python, errorText(error));
  }
}
