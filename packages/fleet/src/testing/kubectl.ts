import { spawn } from 'node:child_process';
import { type Kubectl, kubectlWith } from '../kubectl.ts';

/** @param program path of kubectl */
export function kubectlAt(kubeconfig: string, program: string): Kubectl {
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  return kubectlWith((args) => spawn(program, args, { env }));
}
