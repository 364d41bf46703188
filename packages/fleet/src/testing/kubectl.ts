import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { type Kubectl, kubectlWith } from '../way/kubectl.ts';

/** @param program path of kubectl */
export function kubectlAt(kubeconfig: string, program: string): Kubectl {
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  return kubectlWith((args) => spawn(program, args, { env }));
}

/** What the API server of a control plane answers to a GET: without kubectl, which takes ten times the processor. */
export async function getAt(kubeconfig: string, path: string) {
  const { clusters, users } = JSON.parse(await readFile(kubeconfig, 'utf8'));
  const { server, 'certificate-authority': authority } = clusters[0].cluster;
  const pem = Buffer.from(users[0].user['client-key-data'], 'base64');
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  request(`${server}${path}`, { ca: await readFile(authority), cert: pem, key: pem })
    .on('error', reject)
    .on('response', (response) => text(response).then(resolve, reject))
    .end();
  return JSON.parse(await promise);
}
