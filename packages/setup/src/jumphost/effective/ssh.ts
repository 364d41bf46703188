/** Checks what sshd offers, by querying its ports. Settings that others have changed since `prepare` are changes (changes.ts). */
import { script, withArguments } from '@skolo/base';

/**
 * A script, after the functions of `unitsInEffect`.
 *
 * @param address of the jumphost
 * @param ours the file with our settings
 */
export function sshInEffect(address: string, ours: string): string {
  return withArguments(script(new URL('./check-ssh.sh', import.meta.url)), address, ours);
}
