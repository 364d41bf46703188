import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { type Kubectl, kubectlWith } from '../way/kubectl.ts';

/** @param program path of kubectl */
export function kubectlAt(kubeconfig: string, program: string): Kubectl {
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  return kubectlWith((args) => spawn(program, args, { env }));
}

interface Sent {
  method?: string;
  body?: object;
  type?: string;
}

const agents = new Map<string, Promise<{ server: string; agent: Agent }>>();

/** What the API server of a control plane answers: without kubectl, which takes ten times the processor. */
export async function sendAt(
  kubeconfig: string,
  path: string,
  { method = 'GET', body, type = 'application/json' }: Sent = {},
): Promise<{ status: number; text: string }> {
  const known = agents.get(kubeconfig) ?? agentOf(kubeconfig);
  agents.set(kubeconfig, known);
  const { server, agent } = await known;
  const sent = request(`${server}${path}`, { agent, method, headers: { 'content-type': type } });
  sent.end(body && JSON.stringify(body));
  const [answer]: IncomingMessage[] = await once(sent, 'response');
  if (answer === undefined) throw new Error(`${path}: no answer`);
  return { status: answer.statusCode ?? 0, text: await text(answer) };
}

/** The object or list at a path. */
export async function getAt(kubeconfig: string, path: string) {
  return JSON.parse((await sendAt(kubeconfig, path)).text);
}

async function agentOf(kubeconfig: string) {
  const { clusters, users } = JSON.parse(await readFile(kubeconfig, 'utf8'));
  const { server, 'certificate-authority': authority } = clusters[0].cluster;
  const pem = Buffer.from(users[0].user['client-key-data'], 'base64');
  const ca = await readFile(authority);
  return { server, agent: new Agent({ ca, cert: pem, key: pem, keepAlive: true }) };
}
