/**
 * Decides whether a jumphost's next boot will succeed, by the files that the boot loader, systemd and its generators will read. Nothing
 * is loaded.
 */
import { script, withArguments } from '@skolo/base';
import { checkByScript, type Host, type Step } from '@skolo/setup/engine';

/** Contains the date of the last reboot after which everything was checked. */
const rebootFile = '/var/lib/skolo-steps/checked-reboot';

const checkBoot = withArguments(script(new URL('./check-boot.sh', import.meta.url)), rebootFile);

export function bootStep(): Step {
  return {
    name: 'boot',
    about: 'nothing that the boot loader and systemd will read prevents the next boot',
    check: checkByScript(checkBoot),
  };
}

/** Records that everything is well after a reboot. @param now milliseconds since 1970 */
export async function keepCheckedReboot(host: Pick<Host, 'write'>, now: number): Promise<void> {
  const content = `${new Date(now).toISOString().slice(0, 10)}\n`;
  await host.write({ path: rebootFile, content, mode: 0o644 });
}
