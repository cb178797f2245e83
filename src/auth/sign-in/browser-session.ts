/** A person who is signed in with this browser. */
export interface SignedIn {
  readonly userId: string;
  readonly displayName: string;
  /** Names the session in lists; not the secret of the cookie. */
  readonly sessionId: string;
  /** Stands in every form; bound to the session. */
  readonly formToken: string;
}

/** Finds who is signed in, by the `Cookie` header. */
export interface BrowserSessions {
  current(cookieHeader: string | undefined): Promise<SignedIn | undefined>;
}
