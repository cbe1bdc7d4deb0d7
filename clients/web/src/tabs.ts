import { AuthError, type AuthErrorCode } from './errors.js';
import type { Entry, Session } from './session.js';
import type { ChangeReason } from './state.js';

/** What tabs of one origin tell each other. */
export type Message =
    /**
     * The session is a later one. The tokens are in it only where the other tabs have no common storage. `replaced`: the
     * id of the session whose place it takes (earlier versions did not say).
     */
    | { type: 'changed'; reason: ChangeReason; entry: Entry | null; replaced: string | null }
    /** The session is over; with `everywhere` every session of the user is. */
    | {
          type: 'ended';
          reason: ChangeReason;
          error: ToldError | null;
          sid: string | null;
          userId: string;
          everywhere: boolean;
      }
    /** Who has a later state of this session? */
    | { type: 'ask'; session: Session | null };

/** An error on its way to another tab: structured cloning keeps no class. */
export interface ToldError {
    code: AuthErrorCode;
    message: string;
    status: number | null;
}

/** The other tabs. */
export interface Tabs {
    tell(message: Message): void;
    close(): void;
}

/** Talks to the other tabs of this origin; `null` where there are none, or no way to talk to them. */
export function openTabs(name: string, heard: (message: Message) => void): Tabs | null {
    // Node.js has channels too, but no tabs.
    if (typeof window === 'undefined' || typeof BroadcastChannel === 'undefined') return null;
    const channel = new BroadcastChannel(name);
    channel.onmessage = (event: MessageEvent<Message>) => {
        heard(event.data);
    };
    return {
        tell: (message) => {
            try {
                channel.postMessage(message);
            } catch {
                // The browser has closed it. What has happened here has happened.
            }
        },
        close: () => {
            channel.close();
        },
    };
}

/** An error as it is told. */
export function tellable(error: AuthError | null): ToldError | null {
    return error && { code: error.code, message: error.message, status: error.status };
}

/** An error as it was told. */
export function told(error: ToldError | null): AuthError | null {
    return error && new AuthError(error.code, error.message, { status: error.status });
}
