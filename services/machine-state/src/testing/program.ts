/** machine-state as its own process, so that it can be killed. */
import { join } from 'node:path';
import { type OwnProcess, startOwnProcess } from '@skolo/common/testing/own-process';

/** @param dir contains rack.yaml; the state is below it */
export function startProgram(dir: string, nodeFlags: readonly string[] = []): Promise<OwnProcess> {
  return startOwnProcess(join(import.meta.dirname, '../main.ts'), dir, { nodeFlags });
}
