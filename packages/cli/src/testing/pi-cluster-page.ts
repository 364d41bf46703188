/** The code blocks of docs/adopt/pi-cluster.md, in order. A block that is not listed here fails pi-cluster-blocks.slow.test.ts. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const page = readFileSync(`${repository}docs/adopt/pi-cluster.md`, 'utf8');

const blocks = [...page.matchAll(/^```.*\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
export const [
  values = '',
  writeCards = '',
  setUp = '',
  kubeadm = '',
  testbed = '',
  nfs = '',
  benchmark = '',
  ...others
] = blocks;
