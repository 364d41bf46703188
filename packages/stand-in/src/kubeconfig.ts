/** The kubeconfig that k3s writes on its server: one cluster, one user, one line a key. */

export interface Kubeconfig {
  server: URL;
  ca: string | undefined;
  cert: string | undefined;
  key: string | undefined;
}

/** Throws a text for people where the file is not what k3s writes. */
export function parseKubeconfig(text: string): Kubeconfig {
  const value = (key: string) =>
    text.match(new RegExp(`^\\s*(?:- )?${key}: *(\\S+)\\s*$`, 'm'))?.[1];
  const data = (key: string) => {
    const base64 = value(key);
    return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('utf8');
  };
  const server = value('server');
  if (server === undefined || !URL.canParse(server)) {
    throw new Error('it names no server: is it the file that k3s writes?');
  }
  return {
    server: new URL(server),
    ca: data('certificate-authority-data'),
    cert: data('client-certificate-data'),
    key: data('client-key-data'),
  };
}
