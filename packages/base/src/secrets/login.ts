/** A login as rack.yaml has it: secrets are references, and how long a sign-in may take. */

/** Where a secret is kept. A path is relative to the directory of rack.yaml. Never the secret itself. */
export type SecretRef = { file: string } | { env: string };

/** Login servers that are down are asked one after another, for 5 to 20 s each. */
export const usualSignInSeconds = 60;

export interface Login {
  name: string;
  username?: string;
  password?: SecretRef;
  enablePassword?: SecretRef;
  /** Regular expression of a question for the `enablePassword` in other words than usual. */
  enablePrompt?: string;
  privateKey?: SecretRef;
  passphrase?: SecretRef;
  /** An IPMI controller's own key. */
  kg?: SecretRef;
  /** Bearer token, for HTTP. */
  token?: SecretRef;
  /** Also offer the key exchanges and ciphers that old equipment requires. */
  legacySsh: boolean;
  /** How long a sign-in at a command line may take; default: 60. */
  signInSeconds?: number;
  snmp?: {
    version: 1 | 2 | 3;
    community?: SecretRef;
    user?: string;
    authKey?: SecretRef;
    authProtocol: 'md5' | 'sha' | 'sha224' | 'sha256' | 'sha384' | 'sha512';
    privKey?: SecretRef;
    privProtocol: 'des' | 'aes' | 'aes256b' | 'aes256r';
  };
  /** Name of a login that may only read. */
  read?: string;
}
