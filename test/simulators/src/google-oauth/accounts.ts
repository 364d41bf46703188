/** Whom the simulator knows: what Google keeps in IAM and in its OAuth clients. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { type ServiceAccountKey, uniqueId } from './service-account-key.ts';

export interface ServiceAccount {
  email: string;
  uniqueId: string;
  project: string;
  disabled: boolean;
  keys: Map<string, KeyObject>;
  /** Accounts (e-mail) and federated principals with the role "Service Account Token Creator" on it. */
  impersonators: Set<string>;
}

/** What a person's `gcloud auth application-default login` leaves behind. */
export interface RefreshGrant {
  clientId: string;
  clientSecret: string;
  refreshToken: string;
  email: string;
  scopes: string[];
}

/** A token of somebody else's identity provider that a workload identity pool accepts. */
export interface SubjectGrant {
  /** `//iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/P/providers/X` */
  audience: string;
  subjectToken: string;
  /** `urn:ietf:params:oauth:token-type:jwt` and so on. */
  subjectTokenType: string;
  /** As whom it acts: `principal://iam.googleapis.com/…/subject/S`, the name for `allowImpersonation`. */
  principal: string;
}

export class Accounts {
  readonly serviceAccounts = new Map<string, ServiceAccount>();
  readonly refreshGrants: RefreshGrant[] = [];
  readonly subjectGrants: SubjectGrant[] = [];

  /** The account, made when it is not there yet. */
  serviceAccount(email: string, project = 'my-project'): ServiceAccount {
    const known = this.serviceAccounts.get(email);
    if (known) return known;
    const account: ServiceAccount = {
      email,
      uniqueId: uniqueId(email),
      project,
      disabled: false,
      keys: new Map(),
      impersonators: new Set(),
    };
    this.serviceAccounts.set(email, account);
    return account;
  }

  addKey(key: ServiceAccountKey): void {
    const account = this.serviceAccount(key.client_email, key.project_id);
    account.keys.set(key.private_key_id, createPublicKey(key.private_key));
  }

  removeKey(keyId: string): void {
    for (const account of this.serviceAccounts.values()) account.keys.delete(keyId);
  }

  isDisabled(principal: string): boolean {
    return this.serviceAccounts.get(principal)?.disabled ?? false;
  }
}
