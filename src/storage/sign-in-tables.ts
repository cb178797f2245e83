/** A user name with a password. */
export interface LocalAccountsTable {
  readonly user_id: string;
  /** Lower case; a user name or an e-mail address. */
  readonly login_name: string;
  /** argon2id in PHC form. */
  readonly password_hash: string;
  readonly created_at: number;
  readonly password_changed_at: number;
}

/** A WebAuthn credential. Its public key is no secret. */
export interface PasskeysTable {
  /** Credential id, base64url. */
  readonly id: string;
  readonly user_id: string;
  readonly label: string;
  /** COSE key, base64url. */
  readonly public_key: string;
  readonly counter: number;
  /** JSON array of transports. */
  readonly transports: string;
  readonly backed_up: number;
  readonly created_at: number;
  readonly last_used_at: number | null;
}

/** An account at an OIDC issuer; found by issuer and subject, never by its e-mail address. */
export interface OidcIdentitiesTable {
  readonly issuer: string;
  readonly subject: string;
  readonly user_id: string;
  /** The verified address, for people to tell their accounts apart. */
  readonly email: string | null;
  readonly created_at: number;
  readonly last_used_at: number;
}

/** A browser in which a person is signed in. */
export interface BrowserSessionsTable {
  readonly id: string;
  /** SHA-256 of the cookie's value, hex. */
  readonly token_hash: string;
  readonly user_id: string;
  /** `password`, `passkey` or `oidc`. */
  readonly method: string;
  readonly address: string | null;
  readonly user_agent: string | null;
  /** When the person proved who they are. */
  readonly created_at: number;
  readonly last_seen_at: number;
  readonly expires_at: number;
}

/** A link that works once: the first set-up, an invitation, or a new password. */
export interface SignInLinksTable {
  readonly id: string;
  /** SHA-256 of the token, hex. */
  readonly token_hash: string;
  /** `setup`, `invite` or `reset`. */
  readonly kind: string;
  /** Whose password a `reset` changes. */
  readonly user_id: string | null;
  readonly invited_by: string | null;
  readonly note: string;
  readonly makes_operator: number;
  readonly created_at: number;
  readonly expires_at: number;
  readonly used_at: number | null;
}

/** A sign-in under way at an OIDC issuer or an authenticator; its row is deleted when it comes back. */
export interface SignInFlowsTable {
  /** SHA-256 of the state or challenge, hex. */
  readonly id_hash: string;
  /** `oidc`, `passkey_sign_in` or `passkey_add`. */
  readonly purpose: string;
  /** SHA-256 that only the browser's own cookie gives, hex. */
  readonly browser_hash: string;
  /** Who is signed in, where the flow adds to their account. */
  readonly user_id: string | null;
  readonly link_id: string | null;
  readonly return_to: string;
  readonly expires_at: number;
}

/** How far ahead of its allowance an account or address is. */
export interface SignInThrottlesTable {
  /** SHA-256 of what is throttled, hex. */
  readonly key_hash: string;
  /** Epoch ms at which nothing is held against it any more. */
  readonly free_at: number;
}

/** The tables of people's sign-in. */
export interface SignInTables {
  readonly local_accounts: LocalAccountsTable;
  readonly passkeys: PasskeysTable;
  readonly oidc_identities: OidcIdentitiesTable;
  readonly browser_sessions: BrowserSessionsTable;
  readonly sign_in_links: SignInLinksTable;
  readonly sign_in_flows: SignInFlowsTable;
  readonly sign_in_throttles: SignInThrottlesTable;
}
