import type { AgentStatus } from '@skolo/api';
import { type AgentPlace, agentClient } from './agents.ts';

/** What an agent says, or why it says nothing. */
export interface Answer {
  name: string;
  url: string;
  /** As rack.yaml has them. */
  shelf?: string;
  kind?: string;
  status?: AgentStatus;
  error?: string;
}

const atOnce = 32;
const timeoutMs = 5000;

/** Asks all of them, so many side by side; who is silent keeps nobody waiting for longer than that. */
export async function askAgents(places: readonly AgentPlace[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  let next = 0;
  async function askOneAfterTheOther() {
    for (let at = next++; at < places.length; at = next++) {
      const place = places[at];
      if (place !== undefined) answers[at] = await askOne(place);
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, places.length) }, askOneAfterTheOther));
  return answers;
}

async function askOne({ name, url, machine }: AgentPlace): Promise<Answer> {
  const { shelf, kind } = machine ?? {};
  const known = { url, ...(shelf !== undefined && { shelf }), ...(kind !== undefined && { kind }) };
  const client = await agentClient(url, { timeoutMs, answers: 'status' });
  try {
    const status = await client.status();
    return { name: name ?? status.machine, ...known, status };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { name: name ?? url, ...known, error: error.message };
  }
}
