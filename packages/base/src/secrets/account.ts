/** The kinds of credentials with which identities get their tokens. URLs use https, except on loopback. */
export type AccountCredentials =
  | { kind: 'serviceAccountKey'; file: string }
  | { kind: 'refreshToken'; file: string; tokenUrl?: string }
  | { kind: 'externalAccount'; file: string }
  | { kind: 'fixed'; file: string }
  | {
      kind: 'impersonate';
      email: string;
      from: SourceCredentials;
      delegates: string[];
      endpoint?: string;
    };
export type SourceCredentials = Exclude<AccountCredentials, { kind: 'impersonate' }>;
